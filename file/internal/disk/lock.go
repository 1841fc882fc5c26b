package disk

import (
	"fmt"
	"os"

	"github.com/gofrs/flock"
	"github.com/gostreamer/streamer"
)

// Lock takes the kernel's lock on the file at path, without waiting. Other
// processes and other opens of this process respect it. It is free again when
// it is closed or when the process ends, however that ends. With create the
// file is created if it does not exist. ErrBusy: another holder has the lock.
func Lock(path string, create bool) (*flock.Flock, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	l := flock.New(path, flock.SetFlag(flags), flock.SetPermissions(0o644))
	ok, err := l.TryLock()
	if err != nil {
		_ = l.Close()
		return nil, About(path, err)
	}
	if !ok {
		_ = l.Close()
		return nil, fmt.Errorf("%s: %w", path, streamer.ErrBusy)
	}
	return l, nil
}

// Holds reports whether l's lock is on the file that its path names now, and
// not on one that was removed or replaced.
func Holds(l *flock.Flock) bool {
	locked, err := l.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(l.Path())
	return err == nil && os.SameFile(locked, named)
}
