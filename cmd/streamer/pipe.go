package main

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// errPipeClosed says that the process that read standard output has gone, as
// head does when it has enough. It ends a command without a word.
var errPipeClosed = errors.New("the output was closed")

// output is standard output, whose broken pipe is errPipeClosed: no other
// EPIPE, such as a server's, may end a command in silence.
type output struct{ w io.Writer }

func (o output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	return n, closedPipe(err)
}

func closedPipe(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return errPipeClosed
	}
	return err
}

// asPipe is w as the end of a pipe or a socket, or nil when it is neither.
func asPipe(w io.Writer) *os.File {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return nil
	}
	return f
}
