package stdio

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// unsignalled is f: Windows has no SIGPIPE.
func unsignalled(f *os.File) io.Writer { return f }

// errNoData is ERROR_NO_DATA: the reader of the pipe is closing it.
const errNoData = syscall.Errno(232)

func brokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ERROR_BROKEN_PIPE) || errors.Is(err, errNoData)
}
