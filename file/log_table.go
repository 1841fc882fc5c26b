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
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// logs is the table of the logs that this process has open: package state,
// because a log has one writer and a group one table of members however many
// Streamers, and however many spellings of its path, lead to it.
var logs logTable

type logTable struct {
	mu        sync.Mutex
	open      []*openLog
	locations map[string]*location
}

// openLog is one log as this process knows it: a file, by device and inode, or
// the path of one that does not exist yet.
type openLog struct {
	path      string // absolute, without symbolic links: the first spelling
	segmented bool   // it is a directory of segments

	refs int // the table's

	readers readers
	writing writing
	owners  owners

	under func(logfile.Handle) logfile.Handle // what writers and sources get for a file that they have opened; nil: the file
}

// acquire finds the log at path, or makes it known. segmented says that it is
// to be a directory, if it does not exist. Every acquire needs its release.
func (t *logTable) acquire(path string, segmented bool) (*openLog, error) {
	path, err := canonical(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t.at(path, nil, segmented), nil
	case err != nil:
		return nil, disk.Translate(err)
	case info.IsDir() && (segmented || logfile.IsSegmented(path)):
		return t.at(path, t.same(path, info), true), nil
	case !info.Mode().IsRegular():
		return nil, logfile.NotRegular(path, info)
	case segmented:
		return nil, fmt.Errorf("%w log: %s is a file, and segments need a directory", streamer.ErrInvalid, path)
	}
	return t.at(path, t.same(path, info), false), nil
}

// at is the log with this path, or else the one that is known to be the same,
// or a new one.
func (t *logTable) at(path string, same *openLog, segmented bool) *openLog {
	t.mu.Lock()
	defer t.mu.Unlock()
	var l *openLog
	for _, o := range t.open {
		if o.path == path || o == same && l == nil {
			l = o
		}
	}
	if l == nil {
		l = &openLog{path: path, segmented: segmented}
		t.open = append(t.open, l)
	}
	l.refs++
	return l
}

// through is what is to be used for a file of the log that was opened.
func (l *openLog) through(f logfile.Handle) logfile.Handle {
	if l.under != nil {
		return l.under(f)
	}
	return f
}

// same finds a log whose own path leads to the same file at present, as with a
// hard link. Device and inode have no portable form but os.SameFile, and are
// used again by the system when a file is gone; logs are few, so each is looked
// at again.
func (t *logTable) same(path string, info os.FileInfo) *openLog {
	t.mu.Lock()
	open := slices.Clone(t.open)
	t.mu.Unlock()
	for _, l := range open {
		if l.path == path {
			return l
		}
		if now, err := os.Stat(l.path); err == nil && os.SameFile(now, info) {
			return l
		}
	}
	return nil
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
		return "", disk.Translate(err)
	}
	for range maxLinks {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real, nil
		}
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) { // to a file that does not exist yet
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path)), nil
	}
	return path, nil // in a directory that does not exist yet
}

// maxLinks is how many symbolic links in a row are followed, as in Linux.
const maxLinks = 40

// view opens the log to look at it as it is now; nil when it has no header yet.
func (l *openLog) view() (*logfile.OpenedView, error) {
	v, err := logfile.OpenView(l.path)
	if v != nil {
		v.Src = l.through(v.Handle)
	}
	return v, err
}
