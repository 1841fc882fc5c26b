//go:build unix

package nonblock

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// Reader is r, whose Reads wait where r is a file and its own fail with EAGAIN.
// As with a file, concurrent calls are allowed.
func Reader(r io.Reader) io.Reader {
	f, ok := r.(*os.File)
	if !ok {
		return r
	}
	return reader{f}
}

// Writer is w, which writes to f, whose Writes wait where those of w fail with
// EAGAIN. As with a file, concurrent calls are allowed.
func Writer(f *os.File, w io.Writer) io.Writer { return writer{f, w} }

type reader struct{ f *os.File }

func (r reader) Read(b []byte) (int, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		n, err := r.f.Read(b)
		if n > 0 || !errors.Is(err, syscall.EAGAIN) {
			return n, err
		}
		if !ready(r.f, pause, syscall.RawConn.Read) {
			time.Sleep(pause)
		}
	}
}

type writer struct {
	f *os.File
	w io.Writer
}

func (w writer) Write(b []byte) (n int, err error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		m, err := w.w.Write(b[n:])
		n += max(m, 0)
		if !errors.Is(err, syscall.EAGAIN) {
			return n, err
		}
		if m > 0 {
			pause = firstPause
		}
		if !ready(w.f, pause, syscall.RawConn.Write) {
			time.Sleep(pause)
		}
	}
}

// Pauses are for files that the runtime cannot wait for though they are
// non-blocking, and bound each wait for the others: see ready.
const (
	firstPause = time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// ready waits until f can be read or written, or for so long. It is false when
// that cannot be found out. The runtime learns of the moment in which f becomes
// ready; one that comes before it waits is lost, hence the bound. It asks for
// another file of the same descriptor, which the runtime finds non-blocking and
// so can wait for, and which does not outlive the call: as long as there is
// one, the other end of a pipe does not see that f was closed.
func ready(f *os.File, pause time.Duration, wait func(syscall.RawConn, func(uintptr) bool) error) bool {
	again, err := duplicate(f)
	if err != nil {
		return false
	}
	defer again.Close()
	conn, err := again.SyscallConn()
	if err != nil || again.SetDeadline(time.Now().Add(pause)) != nil {
		return false
	}
	waited := false
	err = wait(conn, func(uintptr) bool {
		defer func() { waited = true }()
		return waited
	})
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// duplicate does not use f.Fd, which may make the descriptor blocking.
func duplicate(f *os.File) (*os.File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var dup int
	var failed error
	err = conn.Control(func(fd uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if dup, failed = syscall.Dup(int(fd)); failed == nil {
			syscall.CloseOnExec(dup)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(dup), f.Name()), nil
}
