//go:build unix

package nonblock

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipe is a pipe of which both ends are as a program finds standard input and
// output: blocking, and not known to the runtime's poller.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// set makes an end non-blocking, or blocking, as another process may.
func set(t *testing.T, f *os.File, nonblocking bool) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) {
		if err := syscall.SetNonblock(int(fd), nonblocking); err != nil {
			t.Error(err)
		}
	})
}

// TestAReadWaitsInANonBlockingFile, however often that changes, to the end of
// the input.
func TestAReadWaitsInANonBlockingFile(t *testing.T) {
	r, w := pipe(t)
	set(t, r, true)
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, syscall.EAGAIN) {
		t.Fatalf("the file gives %v by itself, want EAGAIN", err)
	}
	got := make(chan []byte)
	go func() {
		b, err := io.ReadAll(Reader(r))
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	var want []byte
	for i := range 20 {
		time.Sleep(time.Millisecond) // between the reader's calls, mostly
		set(t, r, i%2 == 0)
		want = append(want, byte(i))
		if _, err := w.Write(want[i:]); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	if b := <-got; !bytes.Equal(b, want) {
		t.Errorf("%v was read, want %v", b, want)
	}
}

// TestAWriteWaitsInANonBlockingFile, with all that it was given, in order.
func TestAWriteWaitsInANonBlockingFile(t *testing.T) {
	r, w := pipe(t)
	set(t, w, true)
	want := make([]byte, 1<<20)
	for i := range want {
		want[i] = byte(i / 1000)
	}
	done := make(chan error, 1)
	go func() {
		n, err := Writer(w, w).Write(want)
		if n != len(want) {
			t.Errorf("%d bytes were written, want %d", n, len(want))
		}
		done <- err
	}()
	got := make([]byte, len(want))
	for n := 0; n < len(got); {
		m, err := r.Read(got[n:min(n+10_000, len(got))])
		if err != nil {
			t.Fatal(err)
		}
		n += m
		set(t, w, n%3 > 0)
	}
	if err := <-done; err != nil || !bytes.Equal(got, want) {
		t.Errorf("error %v; the same bytes: %v", err, bytes.Equal(got, want))
	}
}

// TestOtherErrorsAreReturned.
func TestOtherErrorsAreReturned(t *testing.T) {
	r, w := pipe(t)
	set(t, w, true)
	r.Close()
	if _, err := Writer(w, w).Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("error %v, want EPIPE", err)
	}
	if _, err := Reader(r).Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}
