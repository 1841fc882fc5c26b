package logfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
)

// MakeSegments makes a directory with its first segment, unless there is one
// with any.
func MakeSegments(dir string, beacon int64) error {
	for {
		if err := makeDir(dir); err != nil {
			return err
		}
		if all, err := ListSegments(dir); err == nil && len(all) > 0 {
			return nil
		}
		_, err := MakeEmpty(filepath.Join(dir, SegmentName(0)), beacon)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// the directory was removed just now
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

// MakeEmpty puts a file without a message at path, whole, unless there is one:
// then made is false. The error is a *os.LinkError where files can have no
// second name.
func MakeEmpty(path string, beacon int64) (made bool, err error) {
	temp := path + "." + rand.Text() + NewSuffix
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

// createFirst makes the first segment for a directory's writer and opens it.
// A segment that a consumer makes at this moment serves too, unless create is
// CreateNew.
func (lf *File) createFirst(create streamer.Create, beacon int64) error {
	made, err := MakeEmpty(filepath.Join(lf.Dir, SegmentName(0)), beacon)
	if _, ok := errors.AsType[*os.LinkError](err); ok && !errors.Is(err, fs.ErrNotExist) {
		return lf.makeSegment(newHeader("", time.Now().UnixMilli(), beacon), nil)
	}
	if err != nil {
		return err
	}
	if !made && create == streamer.CreateNew {
		return fmt.Errorf("%s: %w", lf.Dir, streamer.ErrExists)
	}
	return lf.openSegment(0)
}

// TimeOf is a time of a log, in milliseconds since 1970, as a time.Time.
func TimeOf(ms uint64) time.Time { return time.UnixMilli(int64(min(ms, math.MaxInt64))).UTC() }

// NowMillis is the present as a time of a log.
func NowMillis() uint64 { return uint64(max(time.Now().UnixMilli(), 0)) }
