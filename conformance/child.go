package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
)

const (
	errandVariable = "STREAMER_CONFORMANCE_ERRAND" // the errand of a child process, as JSON
	ready          = "ready"                       // the line that a child prints when it holds still
)

// runChild does the errand of a child process and does not return, or says that
// this process is none. A child is the test binary itself, told to run the test
// that called Run, which has the backend linked in.
func runChild() bool {
	text, ok := os.LookupEnv(errandVariable)
	if !ok {
		return false
	}
	var e errand
	err := json.Unmarshal([]byte(text), &e)
	if err == nil {
		err = e.run(os.Stdout)
	}
	if err == nil {
		hold(os.Stdout)
	}
	fmt.Printf("error %q %s\n", sentinelOf(err), strings.ReplaceAll(err.Error(), "\n", " "))
	os.Exit(1)
	return true
}

func sentinelOf(err error) string {
	for _, s := range sentinels() {
		if errors.Is(err, s) {
			return s.Error()
		}
	}
	return ""
}

// child is a process that did an errand and holds still, or failed at it.
type child struct {
	b      *bed
	cmd    *exec.Cmd
	got    []int  // the numbers of the messages it took
	kind   string // the sentinel of its error
	report string // its error
}

// spawn sends a child on an errand at the case's place and returns when it
// holds still.
func (b *bed) spawn(e errand) *child {
	b.Helper()
	c := b.try(e)
	if c.report != "" {
		b.Fatalf("the child process: %s", c.report)
	}
	return c
}

// try is spawn for an errand that may fail.
func (b *bed) try(e errand) *child {
	b.Helper()
	e.URI, e.Stream = b.place.URI, b.place.Streams[0]
	text, err := json.Marshal(e)
	b.must("errand", err)
	test, _, _ := strings.Cut(b.TB.Name(), "/")
	c := &child{b: b, cmd: exec.Command(os.Args[0], "-test.run=^"+test+"$")}
	c.cmd.Env = append(os.Environ(), errandVariable+"="+string(text))
	c.cmd.Stderr = b.seen
	stdin, err := c.cmd.StdinPipe() // open as long as this process lives
	b.must("stdin", err)
	stdout, err := c.cmd.StdoutPipe()
	b.must("stdout", err)
	b.must("the child process", c.cmd.Start())
	b.Cleanup(func() { c.kill(); stdin.Close() })
	lines := bufio.NewScanner(stdout)
	watch := time.AfterFunc(b.Hang, func() { _ = c.cmd.Process.Kill() })
	defer watch.Stop()
	for lines.Scan() && c.read(lines.Text()) {
	}
	if c.report == "" && !strings.HasPrefix(lines.Text(), ready) {
		b.Fatalf("the child process ended, or was killed after %v, before its errand was done", b.Hang)
	}
	return c
}

// read takes a line of the child's report and says whether more are to come.
func (c *child) read(line string) bool {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "got":
		n, _ := strconv.Atoi(rest)
		c.got = append(c.got, n)
	case "error":
		c.kind, _ = strconv.QuotedPrefix(rest)
		c.kind, _ = strconv.Unquote(c.kind)
		c.report = rest
		return false
	case ready:
		return false
	}
	return true
}

// kill ends the child without giving it a chance, and waits until the system
// has noticed.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// reopen opens a consumer of a group whose owner has just died, or is just
// closing: it may take a while until the place is free.
func (b *bed) reopen(o streamer.ConsumerOptions) streamer.Consumer {
	b.Helper()
	for deadline := time.Now().Add(b.Hang); ; time.Sleep(10 * time.Millisecond) {
		c, err := b.tryConsumer(b.streamer(), o)
		if err == nil {
			return c
		}
		if !errors.Is(err, streamer.ErrBusy) || time.Now().After(deadline) {
			b.Fatalf("Consumer(%v) after its owner died: %v", o.Mode, err)
		}
	}
}
