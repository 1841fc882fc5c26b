package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gostreamer/streamer"
)

// logs is the table of the logs that this process has open: package state, because a log has one writer and a group one table of members
// however many Streamers, and however many spellings of its path, lead to it.
var logs logTable

type logTable struct {
	mu   sync.Mutex
	open []*openLog
}

// openLog is one log as this process knows it: a file, by device and inode, or the path of one that does not exist yet.
type openLog struct {
	path  string // absolute, without symbolic links: the first spelling
	deals streamer.Deals

	refs int         // the table's
	info os.FileInfo // the table's; nil while the file does not exist

	readers readers
	writing writing
	owners  owners
}

// acquire finds the log at path, or makes it known. Every acquire needs its release.
func (t *logTable) acquire(path string) (*openLog, error) {
	path, err := canonical(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		info = nil
	case err != nil:
		return nil, translate(err)
	case !info.Mode().IsRegular():
		return nil, notRegular(path, info)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.find(path, info)
	if l == nil {
		l = &openLog{path: path}
		t.open = append(t.open, l)
	}
	l.refs++
	if info != nil {
		l.info = info
	}
	return l, nil
}

func notRegular(path string, info os.FileInfo) error {
	if info.IsDir() {
		return fmt.Errorf("%s is a directory; a log is one file, logs in segments do not exist yet: %w", path, streamer.ErrUnsupported)
	}
	return fmt.Errorf("%w log: %s is not a regular file (%v)", streamer.ErrInvalid, path, info.Mode().Type())
}

// find is the log with this path or this file. mu is held. Device and inode have no portable form but os.SameFile, and logs are few.
func (t *logTable) find(path string, info os.FileInfo) *openLog {
	for _, l := range t.open {
		if l.path == path || info != nil && l.info != nil && os.SameFile(l.info, info) {
			return l
		}
	}
	return nil
}

// identify says that the log's file exists, or is another one, now.
func (t *logTable) identify(l *openLog, info os.FileInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.info = info
}

// retain is acquire for one who has the log already.
func (t *logTable) retain(l *openLog) *openLog {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.refs++
	return l
}

func (t *logTable) release(l *openLog) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.refs--; l.refs == 0 {
		t.open = slices.DeleteFunc(t.open, func(o *openLog) bool { return o == l })
	}
}

// canonical makes one spelling of all that lead to the same directory entry.
func canonical(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", translate(err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path, nil // there is no such directory yet, so there is nothing to take apart
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}
