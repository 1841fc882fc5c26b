//go:build unix

package stdio

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/gostreamer/streamer"
)

// blockingPipe is a pipe whose ends are blocking, as those of standard input
// and output are.
func blockingPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func unblock(t *testing.T, f *os.File) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) {
		if err := syscall.SetNonblock(int(fd), true); err != nil {
			t.Error(err)
		}
	})
}

// TestDescriptorsMayBecomeNonBlocking under a consumer that waits and a
// producer whose pipe is full.
func TestDescriptorsMayBecomeNonBlocking(t *testing.T) {
	in, feed := blockingPipe(t)
	drain, out := blockingPipe(t)
	s, err := Connect(t.Context(), Config{In: in, Out: out}, streamer.StreamerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Consumer(t.Context(), streamer.ConsumerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Producer(t.Context(), streamer.ProducerOptions{Stream: "s"})
	if err != nil {
		t.Fatal(err)
	}
	unblock(t, in)
	unblock(t, out)
	const n = 50
	long := strings.Repeat("v", 10<<10)
	go func() {
		for i := range n {
			fmt.Fprintln(feed, i, long)
		}
		feed.Close()
	}()
	lines := make(chan int)
	go func() {
		count := 0
		for l := bufio.NewScanner(drain); l.Scan(); count++ {
		}
		lines <- count
	}()
	for range n {
		m, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Send(t.Context(), streamer.Record{Value: m.Value}).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if got := <-lines; got != n {
		t.Errorf("%d lines came, want %d", got, n)
	}
}
