package faultproxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const hang = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); work.Wait() })
	return l.Addr().String()
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(hang)); err != nil {
		t.Fatal(err)
	}
	return c
}

// exchange sends a text and reads it back.
func exchange(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("sent %q, got %q: %v", text, got, err)
	}
}

// mustBeUseless fails when a connection through the proxy can be made and used.
func mustBeUseless(t *testing.T, p *Proxy) {
	t.Helper()
	c, err := net.DialTimeout("tcp", p.Addr(), hang)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(hang))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("connected, and then: %v", err)
	}
}

func wait(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(hang):
		t.Fatalf("%s did not happen within %v", what, hang)
	}
}

func TestBytesPassAndAreCounted(t *testing.T) {
	p := New(t, echo(t))
	c := dial(t, p)
	exchange(t, c, "hello")
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go func() { _, _ = c.Write(large) }()
	got := make([]byte, len(large))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, large) {
		t.Fatalf("a mebibyte does not pass unharmed: %v", err)
	}
	want := int64(5 + len(large))
	if p.Bytes(Requests) != want || p.Bytes(Replies) != want {
		t.Errorf("counted %d and %d, not %d", p.Bytes(Requests), p.Bytes(Replies), want)
	}
}

func TestTheEndOfWhatAClientSaysReachesTheServer(t *testing.T) {
	p := New(t, echo(t))
	c := dial(t, p)
	if _, err := io.WriteString(c, "last words"); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || string(got) != "last words" {
		t.Fatalf("got %q: %v", got, err)
	}
}

func TestCutAfterBreaksInTheMiddle(t *testing.T) {
	for _, d := range []Direction{Requests, Replies} {
		t.Run(d.String(), func(t *testing.T) {
			p := New(t, echo(t))
			c := dial(t, p)
			exchange(t, c, "hello")
			cut := p.CutAfter(d, 3)
			if _, err := io.WriteString(c, "world"); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			wait(t, "the cut", cut)
			if d == Replies && string(got) != "wor" {
				t.Errorf("got %q: %v", got, err)
			}
			if p.Bytes(d) != 8 {
				t.Errorf("%d bytes passed", p.Bytes(d))
			}
			exchange(t, dial(t, p), "hello again")
			if _, accepted, broken := p.Connections(); accepted != 2 || broken != 1 {
				t.Errorf("%d connections, %d broken", accepted, broken)
			}
		})
	}
}

func TestCutLetsNoConnectionBeMadeUntilMend(t *testing.T) {
	p := New(t, echo(t))
	before := dial(t, p)
	exchange(t, before, "hello")
	p.Cut()
	if _, err := before.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is whole")
	}
	mustBeUseless(t, p)
	p.Mend()
	exchange(t, dial(t, p), "hello")
}

func TestBreakLetsNewConnectionsBeMade(t *testing.T) {
	p := New(t, echo(t))
	c := dial(t, p)
	exchange(t, c, "hello")
	if n := p.Break(); n != 1 {
		t.Errorf("broke %d", n)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is whole")
	}
	exchange(t, dial(t, p), "hello")
}

func TestStallHoldsBytesBack(t *testing.T) {
	p := New(t, echo(t))
	c := dial(t, p)
	exchange(t, c, "hello")
	p.Stall()
	p.Stall() // stalls no more than once
	answered := make(chan error, 1)
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := io.ReadFull(c, make([]byte, 1))
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("answered while stalled: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	p.Resume()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestDelayIsAddedInEachDirectionAndKeepsTheThroughput(t *testing.T) {
	const delay = 20 * time.Millisecond
	p := New(t, echo(t))
	c := dial(t, p)
	exchange(t, c, "hello")
	p.Delay(delay)
	before := time.Now()
	exchange(t, c, "hello")
	if took := time.Since(before); took < 2*delay {
		t.Errorf("a round trip took %v", took)
	}
	before = time.Now()
	const many = 1000
	go func() {
		for range many {
			_, _ = io.WriteString(c, "0123456789")
		}
	}()
	if _, err := io.ReadFull(c, make([]byte, 10*many)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(before); took > many*delay/2 {
		t.Errorf("%d writes one after the other took %v: each waited for the one before", many, took)
	}
}

func TestThrottleBoundsWhatPassesOverAllConnections(t *testing.T) {
	p := New(t, echo(t))
	const rate, size = 100_000, 10_000
	p.Throttle(Replies, rate)
	before := time.Now()
	var both sync.WaitGroup
	for range 2 {
		c := dial(t, p)
		both.Go(func() { exchange(t, c, string(make([]byte, size))) })
	}
	both.Wait()
	if took := time.Since(before); took < 2*size*time.Second/rate {
		t.Errorf("%d bytes at %d per second took %v", 2*size, rate, took)
	}
	p.Throttle(Replies, 1)
	c := dial(t, p)
	p.Throttle(Replies, 0)
	exchange(t, c, "hello")
}

func TestAServerThatIsGoneIsLikeACut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := New(t, l.Addr().String())
	l.Close()
	mustBeUseless(t, p)
}

func TestCloseWhileEverythingIsUnderWay(t *testing.T) {
	p, err := Listen(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for {
				c, err := net.Dial("tcp", p.Addr())
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "hello")
				_, _ = io.ReadFull(c, make([]byte, 5))
				c.Close()
			}
		})
	}
	exchange(t, dial(t, p), "hello")
	p.Delay(time.Hour)
	p.Stall()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	clients.Wait()
}

func TestANetHasAProxyForEachServer(t *testing.T) {
	var n Net
	defer n.Close()
	a, b := echo(t), echo(t)
	for _, addr := range []string{a, b, a} {
		c, err := n.DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		exchange(t, c, "hello")
	}
	p, err := n.Proxy(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, accepted, _ := p.Connections(); accepted != 2 {
		t.Errorf("%d connections to the first server", accepted)
	}
	n.Close()
	if _, err := n.DialContext(t.Context(), "tcp", echo(t)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dialled through a closed net: %v", err)
	}
}
