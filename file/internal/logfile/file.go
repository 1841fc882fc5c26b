// Package logfile is a log on the disk, in one file or in a directory of
// segments: making and appending to it, recovery of its end after a crash, and
// reading, surveying and searching it. It knows nothing of consumers, producers
// and groups.
package logfile

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
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// File is a log that is open for writing, with the lock that makes this process
// its only writer.
type File struct {
	Handle Handle
	lock   *flock.Flock
	info   os.FileInfo
	Enc    *ss.Encoder
	path   string

	// Of a segment; dir is "" for a log in one file.
	Dir      string
	Base     int64 // where it is in the log
	begun    int64 // its size without a message
	Oldest   int64 // where the oldest segment is
	Header   ss.Header
	born     time.Time      // when it was begun
	Declared map[string]int // streams, with their shards
	under    func(Handle) Handle

	Written atomic.Int64 // bytes of the log that the system has
	syncing sync.Mutex   // one fsync at a time; a waiting caller may find that it covered its bytes
	synced  int64        // bytes of the log that are on the disk
	failed  error        // of an fsync: the system reports it once, and forgets what it could not write
}

// Handle is the operations of writers and sources on the file of a log. Tests
// replace it by one that fails, or counts.
type Handle interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Stat() (os.FileInfo, error)
	Name() string
	Close() error
}

// OpenFile opens the log at path for writing, creates it as create says, and
// recovers its end. ErrBusy: another process writes it. All operations on the
// file go through under, if that is not nil.
func OpenFile(path string, create streamer.Create, beacon int64, under func(Handle) Handle) (*File, error) {
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
		lf := &File{Handle: f, lock: l, path: path}
		if under != nil {
			lf.Handle = under(f)
		}
		if err := lf.prepare(path, beacon); err != nil {
			return nil, errors.Join(NotLog(path, err), lf.Close())
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
	f, err := disk.OpenPlain(path, flags)
	if err != nil {
		return nil, disk.Translate(explain(err, create))
	}
	return f, nil
}

// explain says what to do about a log that is not there, or is, as create was
// asked for.
func explain(err error, create streamer.Create) error {
	switch {
	case errors.Is(err, os.ErrNotExist) && create == streamer.CreateNever:
		return fmt.Errorf("%w (create=never: create a stream with Admin.Create, or leave that option out)", err)
	case errors.Is(err, os.ErrExist) && create == streamer.CreateNew:
		return fmt.Errorf("%w (%w)", err, ErrCreateNew)
	}
	return err
}

// ErrCreateNew refuses a log that exists where create=new asks for a new one.
var ErrCreateNew = errors.New("create=new makes a log that does not exist: name another, or leave that option out")

// lockLog takes the writer's lock. It is nil when path does not name f any
// more.
func lockLog(f *os.File, path string) (*flock.Flock, error) {
	l, err := disk.Lock(writerLock(path), !writerLockIsLog)
	if errors.Is(err, streamer.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = os.Stat(path); err == nil && os.SameFile(opened, named) && disk.Holds(l) {
			return l, nil
		}
	}
	_ = l.Close()
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return nil, err
}

// prepare writes the header of a log that has none and finds the end of one
// that has.
func (lf *File) prepare(path string, beacon int64) (err error) {
	if lf.info, err = lf.Handle.Stat(); err != nil {
		return err
	}
	if !lf.info.Mode().IsRegular() {
		return NotRegular(path, lf.info)
	}
	h, err := ReadHeader(lf.Handle)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		h = newHeader(filepath.Base(path), time.Now().UnixMilli(), beacon)
		_, err = lf.Handle.WriteAt(h.Append(nil), 0)
	}
	if err != nil {
		return err
	}
	r, err := recoverLog(lf.Handle, h.Interval)
	if err != nil {
		return err
	}
	lf.Header, lf.Enc, lf.Declared, lf.born, lf.begun = h, r.enc, r.declared, TimeOf(cmp.Or(r.born, h.Created)), r.begun
	return lf.Put(lf.Enc.Mark(), lf.Enc.Start(nil))
}

// Put writes what the Encoder has appended since m, whole or not at all.
func (lf *File) Put(m ss.Mark, b []byte) error {
	_, err := lf.Store(m, b, nil)
	return err
}

// Store writes what the Encoder has appended since m and says how many of its
// parts, which end at ends, the log has then: all of them, or those that a full
// disk had room for. The file and the Encoder end behind the last of them,
// unless the error is a *BrokenError.
func (lf *File) Store(m ss.Mark, b []byte, ends []ss.Mark) (whole int, err error) {
	if len(b) > 0 {
		if info, err := lf.Handle.Stat(); err != nil || info.Size() != m.Offset() {
			lf.Enc.Rollback(m)
			return 0, cmp.Or(err, ErrMoved) // another process wrote here, without the lock
		}
		if n, err := lf.Handle.WriteAt(b, m.Offset()); err != nil {
			return lf.keep(m, m.Offset()+int64(n), ends, err)
		}
	}
	lf.Enc.Commit()
	lf.Written.Store(lf.Enc.Offset())
	return len(ends), nil
}

// keep cuts off what a write that came no further than upTo has left of a
// message. Those before it stay: a reader may have seen them.
func (lf *File) keep(m ss.Mark, upTo int64, ends []ss.Mark, cause error) (whole int, err error) {
	for whole < len(ends) && ends[whole].Offset() <= upTo {
		m = ends[whole]
		whole++
	}
	lf.Enc.Rollback(m)
	lf.Enc.Commit()
	lf.Written.Store(m.Offset())
	if err := lf.Handle.Truncate(m.Offset()); err != nil {
		return whole, &BrokenError{fmt.Errorf("%w: %w", streamer.ErrUnknown, errors.Join(cause, err))}
	}
	return whole, cause
}

// BrokenError means that the end of the log is not known: nothing must be
// written until it is opened again.
type BrokenError struct{ err error }

func (e *BrokenError) Error() string { return e.err.Error() }
func (e *BrokenError) Unwrap() error { return e.err }

// ErrMoved means that the log's path does not name the file that is written, or
// that the file is not as its writer left it.
var ErrMoved = fmt.Errorf("the log was deleted, replaced or changed under its writer: %w", streamer.ErrNotFound)

// ErrElsewhere means that a path does not lead to the file that is written,
// which is still where its own path leads.
var ErrElsewhere = fmt.Errorf("the path leads to another log than before: %w", streamer.ErrNotFound)

// Check makes sure that a log's path leads to the file that is written:
// ErrMoved or ErrElsewhere when it does not. The path may be another than the
// log's own, which is without symbolic links.
func (lf *File) Check(path string) error {
	ok, err := lf.isAt(path)
	if ok || err != nil {
		return err // when something has added to it, the next write finds out
	}
	if own := lf.own(); own != path {
		if there, err := lf.isAt(own); there || err != nil {
			return cmp.Or(err, fmt.Errorf("%s: %w", path, ErrElsewhere))
		}
	}
	return fmt.Errorf("%s: %w", path, ErrMoved)
}

// own is the log's own path, without symbolic links.
func (lf *File) own() string {
	if lf.Dir != "" {
		return lf.Dir
	}
	return lf.path
}

// isAt reports whether the log at path is the file that is written, whole, by
// its only writer.
func (lf *File) isAt(path string) (bool, error) {
	if lf.Dir != "" {
		path = filepath.Join(path, filepath.Base(lf.path))
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(info, lf.info) && info.Size() >= lf.Written.Load() && (lf.Dir == "" || disk.Holds(lf.lock)), nil
}

// Sync returns when the first end bytes of the log are on the disk.
func (lf *File) Sync(end int64) error {
	lf.syncing.Lock()
	defer lf.syncing.Unlock()
	if lf.synced >= end || lf.failed != nil {
		return lf.failed
	}
	upTo := lf.Written.Load()
	if err := lf.Handle.Sync(); err != nil {
		lf.failed = fmt.Errorf("%w: %w", disk.ErrDead, err)
		return lf.failed
	}
	lf.synced = upTo
	return nil
}

// OnDisk is how much of the log is on the disk for certain.
func (lf *File) OnDisk() int64 {
	lf.syncing.Lock()
	defer lf.syncing.Unlock()
	return lf.synced
}

// rewriteSize is how many bytes Rewrite writes at a time.
const rewriteSize = 1 << 20

// Rewrite writes everything from an offset on again. After a failed fsync
// the system may take for written what the disk does not have, and would not
// write it by itself.
func (lf *File) Rewrite(from int64) error {
	b := make([]byte, rewriteSize)
	for end := lf.Written.Load(); from < end; {
		n, err := lf.Handle.ReadAt(b[:min(int64(len(b)), end-from)], from)
		if n == 0 {
			return err
		}
		if _, err := lf.Handle.WriteAt(b[:n], from); err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}

// Persist puts a log that was opened, and its entry in the directory, on the
// disk, unless sync is 0: then its records are not put there either.
func (lf *File) Persist(sync time.Duration) error {
	if sync == 0 {
		return nil
	}
	if err := lf.Sync(lf.Written.Load()); err != nil {
		return err
	}
	return disk.SyncDir(filepath.Dir(lf.path))
}

// Close gives the log up. It may be called again.
func (lf *File) Close() error {
	err := lf.Handle.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return errors.Join(err, lf.lock.Close())
}
