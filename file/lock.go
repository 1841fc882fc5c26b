package file

import (
	"fmt"
	"os"

	"github.com/gofrs/flock"
	"github.com/gostreamer/streamer"
)

// lock takes the kernel's lock on a path, which other processes and other opens
// of this one respect. It is free again when it is unlocked or when the process
// dies, however it dies. The file is created if create says so. ErrBusy:
// another process has it.
func lock(path string, create bool) (*flock.Flock, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	l := flock.New(path, flock.SetFlag(flags), flock.SetPermissions(0o644))
	ok, err := l.TryLock()
	if err != nil {
		_ = l.Close()
		return nil, about(path, err)
	}
	if !ok {
		_ = l.Close()
		return nil, fmt.Errorf("%s: %w", path, streamer.ErrBusy)
	}
	return l, nil
}

// holds says whether l's lock is on the file that its path names now: not if
// something removed or replaced that.
func holds(l *flock.Flock) bool {
	locked, err := l.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(l.Path())
	return err == nil && os.SameFile(locked, named)
}
