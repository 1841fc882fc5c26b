package file

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
)

// create makes an empty log, if there is none. It appears whole, and nobody holds the writer's lock for it: a producer that comes at the same moment is not to
// find the log in use. Where files can have no second name, the lock is taken after all; ErrBusy: another process is about to make the log.
func (l *openLog) create(c *Config) error {
	var err error
	if l.row {
		err = createRow(l.path, c.Beacon)
	} else {
		_, err = placeEmpty(l.path, c.Beacon)
	}
	if _, ok := errors.AsType[*os.LinkError](err); ok {
		return l.createLocked(c)
	}
	if err == nil {
		l.readers.notify()
	}
	return disk.Translate(err)
}

// createRow makes a directory with its first segment, unless there is one with any.
func createRow(dir string, beacon int64) error {
	for {
		if err := makeDir(dir); err != nil {
			return err
		}
		if all, err := listSegments(dir); err == nil && len(all) > 0 {
			return nil
		}
		_, err := placeEmpty(filepath.Join(dir, segmentName(0)), beacon)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// somebody removed the directory just now
	}
}

// makeDir makes a directory, unless it exists. It is on the disk then.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = disk.SyncDir(filepath.Dir(dir))
	}
	return err
}

// placeEmpty puts a file without a message at path, whole, unless there is one: then made is false. The error is a *os.LinkError where files can have no second name.
func placeEmpty(path string, beacon int64) (made bool, err error) {
	temp := path + "." + rand.Text() + newSuffix
	h := newHeader(filepath.Base(path), time.Now().UnixMilli(), beacon)
	err = writeSynced(temp, h.Append(nil))
	if err == nil {
		err = os.Link(temp, path)
	}
	_ = os.Remove(temp)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err == nil {
		err = disk.SyncDir(filepath.Dir(path))
	}
	return err == nil, err
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// createLocked makes the log as a producer does.
func (l *openLog) createLocked(c *Config) error {
	quiet := *c
	quiet.EOS = false
	w, err := l.openWriter(&quiet)
	if err != nil {
		return err
	}
	return l.closeWriter(w, &quiet)
}

// createFirst makes the first segment for a directory's writer and opens it. One that a consumer makes at this moment is as good, unless create is CreateNew.
func (lf *logFile) createFirst(create streamer.Create, beacon int64) error {
	made, err := placeEmpty(filepath.Join(lf.dir, segmentName(0)), beacon)
	if _, ok := errors.AsType[*os.LinkError](err); ok && !errors.Is(err, fs.ErrNotExist) {
		return lf.makeSegment(newHeader("", time.Now().UnixMilli(), beacon), nil)
	}
	if err != nil {
		return err
	}
	if !made && create == streamer.CreateNew {
		return fmt.Errorf("%s: %w", lf.dir, streamer.ErrExists)
	}
	return lf.openSegment(0)
}
