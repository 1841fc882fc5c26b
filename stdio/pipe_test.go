package stdio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"go.uber.org/goleak"
)

// TestMain is a program of its own when a test starts it as a child.
func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := children[name](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const childEnv = "STREAMER_STDIO_CHILD"

// children are what a child does with its real standard input and output.
var children = map[string]func() error{
	"relay":  relay,
	"closed": writeToClosed,
	"idle":   openAndClose,
}

func child(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(testContext(t), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// relay copies every message of standard input to standard output and ends with
// the input.
func relay() error {
	s, err := streamer.Connect(context.Background(), "stdio://")
	if err != nil {
		return err
	}
	c, err := s.Consumer(context.Background(), streamer.ConsumerOptions{})
	if err != nil {
		return err
	}
	p, err := s.Producer(context.Background(), streamer.ProducerOptions{})
	if err != nil {
		return err
	}
	for m, err := range c.Messages(context.Background()) {
		if err != nil {
			return err
		}
		p.Send(context.Background(), streamer.Record{Stream: m.Stream, Value: m.Value, Time: m.Time, Shard: &m.Shard})
	}
	if c.Err() != io.EOF {
		return c.Err()
	}
	return s.Close()
}

func TestAChainOfProcessesPassesEveryLineOn(t *testing.T) {
	const lines = 20_000
	first, second := child(t, "relay"), child(t, "relay")
	in, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if second.Stdin, err = first.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := second.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*exec.Cmd{first, second} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		w := bufio.NewWriter(in)
		for i := range lines {
			fmt.Fprintf(w, "[2022-01-02T03:04:05.%09d | s%d | %d | %d] value %[1]d\n", i, i%3, i/3, i%3)
		}
		w.Flush()
		in.Close()
	}()
	all := openOn(t, newInput(out, maxLine), Line, everyStream).all()
	for _, c := range []*exec.Cmd{first, second} {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	if len(all) != lines {
		t.Fatalf("%d of %d lines", len(all), lines)
	}
	for i, m := range all {
		want := streamer.Meta{Stream: fmt.Sprint("s", i%3), Shard: streamer.ShardID(i % 3), Seq: streamer.SeqUint(uint64(i / 3)), Time: stamp.Add(time.Duration(i))}
		if m.Meta != want || string(m.Value) != fmt.Sprint("value ", i) {
			t.Fatalf("line %d: %+v %s", i, m.Meta, m.Value)
		}
	}
}

// writeToClosed writes to a standard output that nothing reads. Without care
// the runtime ends it by SIGPIPE.
func writeToClosed() error {
	s, err := streamer.Connect(context.Background(), "stdio:///a")
	if err != nil {
		return err
	}
	p, err := s.Producer(context.Background(), streamer.ProducerOptions{})
	if err != nil {
		return err
	}
	for range 2 {
		_, err = p.Send(context.Background(), value("x")).Wait(context.Background())
		if !errors.Is(err, streamer.ErrClosed) || !errors.Is(err, syscall.EPIPE) {
			return fmt.Errorf("receipt: %w", err)
		}
	}
	if err := s.Close(); err != nil {
		return fmt.Errorf("close reports what the receipts said: %w", err)
	}
	return nil
}

// TestAStandardOutputThatNobodyReadsEndsNoProcess: no signal, an error on the
// receipt.
func TestAStandardOutputThatNobodyReadsEndsNoProcess(t *testing.T) {
	r, w := osPipe(t)
	cmd := child(t, "closed")
	cmd.Stdout = w
	r.Close()
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}

// openAndClose closes a consumer that waits for a standard input which stays
// silent.
func openAndClose() error {
	s, err := streamer.Connect(context.Background(), "stdio://")
	if err != nil {
		return err
	}
	c, err := s.Consumer(context.Background(), streamer.ConsumerOptions{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Next(ctx); err != context.DeadlineExceeded {
		return fmt.Errorf("next: %w", err)
	}
	return s.Close()
}

// TestASilentStandardInputDoesNotHoldUpTheEnd: the Read stays behind, the
// program ends.
func TestASilentStandardInputDoesNotHoldUpTheEnd(t *testing.T) {
	r, _ := osPipe(t)
	cmd := child(t, "idle")
	cmd.Stdin = r
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}

// TestCloseInterruptsARead that waits, so that no goroutine stays; the reader
// is as it was afterwards.
func TestCloseInterruptsARead(t *testing.T) {
	r, w := osPipe(t)
	client, server := net.Pipe()
	for name, c := range map[string]struct {
		io.Reader
		io.WriteCloser
	}{"os.Pipe": {r, w}, "net.Pipe": {client, server}} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			s := connected(t, Config{In: c.Reader}, streamer.StreamerOptions{})
			for range 3 {
				consumer, err := s.Consumer(testContext(t), streamer.ConsumerOptions{})
				if err != nil {
					t.Fatal(err)
				}
				next := make(chan error)
				go func() {
					_, err := consumer.Next(testContext(t))
					next <- err
				}()
				if err := consumer.Close(); err != nil {
					t.Error(err)
				}
				if err := <-next; !errors.Is(err, streamer.ErrClosed) {
					t.Errorf("Next: %v", err)
				}
			}
			go io.WriteString(c.WriteCloser, "after\n")
			buf := make([]byte, 10)
			if n, err := c.Read(buf); string(buf[:n]) != "after\n" {
				t.Errorf("a Read afterwards: %q, %v", buf[:n], err)
			}
		})
	}
}

// TestAnEndedContextStillEndsTheRead: Close could not wait for it.
func TestAnEndedContextStillEndsTheRead(t *testing.T) {
	r, w := osPipe(t)
	in := newInput(r, maxLine)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for range 100 {
		s, err := openSource(testContext(t), in, Line, (&opened{}).config(everyStream))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(ended); err != nil && err != context.Canceled {
			t.Fatal(err)
		}
	}
	waitFor(t, "the reading to end", func() bool { in.mu.Lock(); defer in.mu.Unlock(); return in.running == nil })
	io.WriteString(w, "x\n")
	if got := show(openOn(t, in, Line, everyStream).next(1)); got != "broadcast/0#0=x" {
		t.Error(got)
	}
}

// TestWhatAnAbandonedReadBringsIsTheNextConsumers: io.Pipe cannot be
// interrupted.
func TestWhatAnAbandonedReadBringsIsTheNextConsumers(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	in := newInput(r, maxLine)
	openOn(t, in, Line, everyStream).close()
	waitFor(t, "a Read", func() bool { in.mu.Lock(); defer in.mu.Unlock(); return in.inRead || in.running == nil })
	openOn(t, in, Line, everyStream).close()
	go io.WriteString(w, "1\n2\n")
	if got := show(openOn(t, in, Line, everyStream).next(2)); got != "broadcast/0#0=1 broadcast/0#1=2" {
		t.Error(got)
	}
}

// TestOpeningAndClosingLosesNothing: consumers come and go while lines come in;
// each line is one consumer's, once.
func TestOpeningAndClosingLosesNothing(t *testing.T) {
	const lines = 2000
	r, w := osPipe(t)
	in := newInput(r, maxLine)
	go func() {
		for i := range lines {
			fmt.Fprintln(w, i)
		}
		w.Close()
	}()
	for i := 0; i < lines; {
		o := openOn(t, in, Line, everyStream)
		all, err := o.fetch()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if string(m.Value) != fmt.Sprint(i) {
				t.Fatalf("line %s, want %d", m.Value, i)
			}
			i++
		}
		o.close()
	}
}

func TestConsumersOfTwoStreamersShareStandardInput(t *testing.T) {
	r, w := osPipe(t)
	stdin := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = stdin }()
	var consumers []streamer.Consumer
	for range 2 {
		s, err := streamer.Connect(testContext(t), "stdio:///a")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c, err := s.Consumer(testContext(t), streamer.ConsumerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		consumers = append(consumers, c)
	}
	io.WriteString(w, "[a] 1\n[b] 2\n3\n")
	for _, c := range consumers {
		for _, want := range []string{"1", "3"} {
			if m, err := c.Next(testContext(t)); err != nil || string(m.Value) != want {
				t.Fatalf("%+v, %v, want %s", m, err, want)
			}
		}
	}
	w.Close()
	for _, c := range consumers {
		if _, err := c.Next(testContext(t)); err != io.EOF {
			t.Error(err)
		}
	}
}

// TestMembersOfAGroupDealTheInput, also from two Streamers of the process.
func TestMembersOfAGroupDealTheInput(t *testing.T) {
	const lines = 1000
	r, w := osPipe(t)
	stdin := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = stdin }()
	got := make(chan string)
	for range 2 {
		s := connected(t, Config{}, streamer.StreamerOptions{})
		c, err := s.Consumer(testContext(t), streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: "g"})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			var mine []string
			for m, err := range c.Messages(testContext(t)) {
				if err != nil {
					t.Error(err)
				}
				mine = append(mine, string(m.Value))
			}
			got <- strings.Join(mine, " ")
		}()
	}
	var input bytes.Buffer
	for i := range lines {
		fmt.Fprintln(&input, i)
	}
	w.Write(input.Bytes())
	w.Close()
	a, b := strings.Fields(<-got), strings.Fields(<-got)
	if len(a)+len(b) != lines || len(a) == 0 || len(b) == 0 {
		t.Errorf("%d and %d of %d lines", len(a), len(b), lines)
	}
}
