package disk

import (
	"fmt"
	"os"

	"github.com/gostreamer/streamer"
)

// OpenPlain opens a file with the flags of os.OpenFile, unless it is a pipe, a
// device or a socket: opening some of these waits for another process. The
// caller has to refuse directories.
func OpenPlain(path string, flags int) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return nil, NotPlain(path, info)
	}
	return os.OpenFile(path, flags, 0o644)
}

// NotPlain is the error for a path that is neither a regular file nor a
// directory.
func NotPlain(path string, info os.FileInfo) error {
	return fmt.Errorf("%w log: %s is not a regular file (%v)", streamer.ErrInvalid, path, info.Mode().Type())
}

// SyncDir puts a directory's entries on the disk, on systems that can do that.
func SyncDir(dir string) error {
	d, err := OpenDir(dir)
	if d == nil {
		return err
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}

// OpenDir opens a directory for Sync. It is nil on systems that do not open
// directories.
func OpenDir(dir string) (*os.File, error) {
	d, err := os.Open(dir)
	if IsExhausted(err) {
		return nil, Translate(err)
	}
	if err != nil {
		return nil, nil //nolint:nilerr // not every system opens directories
	}
	return d, nil
}
