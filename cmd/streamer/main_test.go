package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/memory"
	"go.uber.org/goleak"
)

// binary is the program, built once.
var binary string

// hang is when a test gives up on something that should take no time.
const hang = 30 * time.Second

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "streamer-cli-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "streamer")
	build := exec.Command("go", append(buildFlags, "-o", binary, ".")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s\n", err, out)
		os.Exit(1)
	}
	goleak.VerifyTestMain(testservers.Main(m), goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// here runs the program in this process.
func here(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// drop forgets logs of memory:// when the test ends, so that it can run again.
func drop(t *testing.T, names ...string) {
	t.Cleanup(func() {
		for _, name := range names {
			memory.Drop(name)
		}
	})
}

// process is a run of the binary.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *watched
	stderr *watched
	done   chan struct{} // closed when it has ended
}

// start runs the binary with stdin, which may be nil, and collects what it
// prints.
func start(t *testing.T, stdin io.Reader, args ...string) *process {
	t.Helper()
	p := prepare(t, args...)
	p.cmd.Stdin = stdin
	p.begin()
	return p
}

// fed runs the binary and leaves its standard input open.
func fed(t *testing.T, args ...string) (*process, io.Writer) {
	t.Helper()
	p := prepare(t, args...)
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.begin()
	return p, stdin
}

// prepare is start without starting: the caller may set stdin, stdout or stderr
// before begin.
func prepare(t *testing.T, args ...string) *process {
	p := &process{t: t, cmd: exec.Command(binary, args...), stdout: &watched{}, stderr: &watched{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.Env = append(os.Environ(), "HOST_ID=test", "GORACE=atexit_sleep_ms=0")
	return p
}

func (p *process) begin() {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.cmd.Wait()
	}()
	p.t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
	})
}

// wait waits for the end of the process.
func (p *process) wait() result {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(hang):
		p.t.Fatalf("%v still runs; stdout %q, stderr %q", p.cmd.Args[1:], clip(p.stdout.String()), clip(p.stderr.String()))
	}
	return result{p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func clip(s string) string {
	const most = 2000
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// there runs the binary to its end.
func there(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return start(t, strings.NewReader(stdin), args...).wait()
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(hang)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// want fails the test unless r is as expected; stderr must contain each of
// says.
func (r result) want(t *testing.T, code int, stdout string, says ...string) {
	t.Helper()
	if r.code != code || r.stdout != stdout {
		t.Errorf("exit code %d, stdout %q; want %d, %q (stderr: %s)", r.code, clip(r.stdout), code, clip(stdout), clip(r.stderr))
	}
	for _, s := range says {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("stderr %q does not say %q", clip(r.stderr), s)
		}
	}
}

// numbers are the lines "prefix1" to "prefixN".
func numbers(prefix string, from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "%s%d\n", prefix, i)
	}
	return b.String()
}

// feed writes lines until the returned function is called.
func feed(t *testing.T, w io.Writer) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 1; ; i++ {
			select {
			case <-done:
				return
			default:
				if _, err := fmt.Fprintf(w, "line %d\n", i); err != nil {
					return
				}
			}
		}
	}()
	stop = func() {
		close(done)
		<-ended
	}
	return stop
}
