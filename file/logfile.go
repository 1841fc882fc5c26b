package file

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// logFile is a log that is open for writing, with the lock that makes this process its only writer.
type logFile struct {
	f    *os.File
	lock *flock.Flock
	info os.FileInfo
	enc  *ss.Encoder

	written atomic.Int64 // bytes of the log that the system has
	syncing sync.Mutex   // one fsync at a time; who waits for it may find that it was enough for him too
	synced  int64        // bytes of the log that are on the disk
}

// openLogFile opens the log at path, creates it as create says, and makes its end good to write on. ErrBusy: another process writes it.
func openLogFile(path string, create streamer.Create, beacon int64) (*logFile, error) {
	for {
		f, err := openToWrite(path, create)
		if err != nil {
			return nil, err
		}
		l, err := lockLog(f, path)
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		if l == nil { // the path names another file than it did a moment ago
			_ = f.Close()
			continue
		}
		lf := &logFile{f: f, lock: l}
		if err := lf.prepare(path, beacon); err != nil {
			return nil, errors.Join(notLog(path, err), lf.close())
		}
		return lf, nil
	}
}

func openToWrite(path string, create streamer.Create) (*os.File, error) {
	flags := os.O_RDWR
	switch create {
	case streamer.CreateAuto, streamer.CreateAlways:
		flags |= os.O_CREATE
	case streamer.CreateNew:
		flags |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if errors.Is(err, os.ErrNotExist) && create == streamer.CreateNever {
		err = fmt.Errorf("%w (create=never: create a stream with Admin.Create, or leave that option out)", err)
	}
	if err != nil {
		return nil, translate(err)
	}
	return f, nil
}

// lockLog takes the writer's lock. It is nil when path does not name f any more.
func lockLog(f *os.File, path string) (*flock.Flock, error) {
	l, err := lock(writerLock(path), !writerLockIsLog)
	if errors.Is(err, streamer.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = os.Stat(path); err == nil && os.SameFile(opened, named) && holds(l) {
			return l, nil
		}
	}
	_ = l.Close()
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return nil, err
}

// prepare writes the header of a log that has none and finds the end of one that has.
func (lf *logFile) prepare(path string, beacon int64) (err error) {
	if lf.info, err = lf.f.Stat(); err != nil {
		return err
	}
	if !lf.info.Mode().IsRegular() {
		return notRegular(path, lf.info)
	}
	h, err := readHeader(lf.f)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		h = newHeader(filepath.Base(path), time.Now().UnixMilli(), beacon)
		_, err = lf.f.WriteAt(h.Append(nil), 0)
	}
	if err != nil {
		return err
	}
	if lf.enc, err = recoverLog(lf.f, h.Interval); err != nil {
		return err
	}
	return lf.put(lf.enc.Mark(), lf.enc.Start(nil))
}

// put writes what the Encoder has appended since m. When that fails the file and the Encoder are as they were, or damaged says why they are not.
func (lf *logFile) put(m ss.Mark, b []byte) error {
	if len(b) == 0 {
		lf.enc.Commit()
		lf.written.Store(lf.enc.Offset())
		return nil
	}
	start := lf.enc.Offset() - int64(len(b))
	if info, err := lf.f.Stat(); err != nil || info.Size() != start {
		lf.enc.Rollback(m)
		return cmp.Or(err, errMoved) // somebody else wrote here, without the lock
	}
	if _, err := lf.f.WriteAt(b, start); err != nil {
		lf.enc.Rollback(m)
		return lf.undo(start, err)
	}
	lf.enc.Commit()
	lf.written.Store(lf.enc.Offset())
	return nil
}

// undo takes back what a failed write may have written.
func (lf *logFile) undo(end int64, cause error) error {
	if err := lf.f.Truncate(end); err != nil {
		return &brokenError{errors.Join(cause, err)}
	}
	return cause
}

// brokenError means that the end of the log is not known: nothing must be written until it is opened again.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// errMoved: the log's path does not name the file that is written, or the file is not as its writer left it.
var errMoved = fmt.Errorf("the log was deleted, replaced or changed under its writer: %w", streamer.ErrNotFound)

// check makes sure that what was written can be found at path.
func (lf *logFile) check(path string) error {
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return translate(err)
	}
	if err != nil || !os.SameFile(info, lf.info) || info.Size() != lf.written.Load() {
		return fmt.Errorf("%s: %w", path, errMoved)
	}
	return nil
}

// sync returns when the first end bytes of the log are on the disk.
func (lf *logFile) sync(end int64) error {
	lf.syncing.Lock()
	defer lf.syncing.Unlock()
	if lf.synced >= end {
		return nil
	}
	upTo := lf.written.Load()
	if err := lf.f.Sync(); err != nil {
		return &brokenError{err} // what the system could not write it may have dropped
	}
	lf.synced = upTo
	return nil
}

// settle puts a log that is opened, and its place in the directory, on the disk if what is written to it should be there.
func (lf *logFile) settle(path string, sync time.Duration) error {
	if sync == 0 {
		return nil
	}
	if err := lf.sync(lf.written.Load()); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// close gives the log up. It may be called again.
func (lf *logFile) close() error {
	err := lf.f.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return errors.Join(err, lf.lock.Close())
}
