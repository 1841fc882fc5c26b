//go:build !windows

package stdio

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// unsignalled is f without a habit of os.File: when the reader of standard
// output or standard error is gone, File.Write ends the program by SIGPIPE. A
// producer reports it on its receipts instead, as it does for every other pipe.
// The program's own writes to os.Stdout keep the habit.
func unsignalled(f *os.File) io.Writer {
	if f != os.Stdout && f != os.Stderr {
		return f
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return f
	}
	return rawWriter{conn}
}

// rawWriter is File.Write without what that does on EPIPE.
type rawWriter struct{ syscall.RawConn }

func (w rawWriter) Write(b []byte) (n int, err error) {
	for n < len(b) {
		var m int
		var failed error
		waited := w.RawConn.Write(func(fd uintptr) bool {
			m, failed = syscall.Write(int(fd), b[n:])
			return failed != syscall.EAGAIN
		})
		switch {
		case failed == syscall.EAGAIN && !errors.Is(waited, os.ErrDeadlineExceeded) && !errors.Is(waited, os.ErrClosed):
			return n, failed // not a file that can be waited for
		case waited != nil: // closed, or not ready in time
			return n, waited
		case failed == syscall.EINTR:
			continue
		case failed != nil:
			return n, os.NewSyscallError("write", failed)
		case m == 0:
			return n, io.ErrUnexpectedEOF
		}
		n += m
	}
	return n, nil
}

func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
