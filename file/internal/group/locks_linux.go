package group

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
)

// lockFiles is the number of files over which the locks of a group are spread.
// A process has at most that many open, whatever the number of shards, and the
// kernel, which scans all locks of a file to set one, scans fewer.
const lockFiles = 32

// shardLocks are the kernel's locks that a Group holds on shards. Each is on
// one byte of a file, and belongs to the open file: another open of the process
// respects it, and the lock is free when the process ends.
type shardLocks struct {
	dir   string
	files map[uint64]*os.File
	held  map[streamer.StreamShard]bool
}

func newShardLocks(dir string) shardLocks {
	return shardLocks{dir, map[uint64]*os.File{}, map[streamer.StreamShard]bool{}}
}

// slot is the file and the byte in it that represent a shard. It is a hash: two
// shards of a group practically never share one.
func (l *shardLocks) slot(at streamer.StreamShard) (file uint64, offset int64) {
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendUint([]byte(at.Stream+"."), uint64(at.Shard), 10))
	sum := h.Sum64()
	return sum % lockFiles, int64(sum / lockFiles)
}

func (l *shardLocks) path(file uint64) string {
	return filepath.Join(l.dir, fmt.Sprintf("%02d%s", file, lockSuffix))
}

// take locks a shard. ErrBusy: it has another owner. ErrNotFound: the directory
// was removed.
func (l *shardLocks) take(at streamer.StreamShard) error {
	n, offset := l.slot(at)
	f := l.files[n]
	if f == nil {
		var err error
		if f, err = disk.OpenPlain(l.path(n), os.O_RDWR|os.O_CREATE); err != nil {
			return disk.Translate(err)
		}
		l.files[n] = f
	}
	if err := setLock(f, syscall.F_WRLCK, offset, 1); err != nil {
		return err
	}
	if !named(f) {
		return l.stale(n)
	}
	l.held[at] = true
	return nil
}

// stale is the error of a lock on a file that other processes do not find any
// more. A file in which nothing else is locked is closed.
func (l *shardLocks) stale(file uint64) error {
	used := false
	for at := range l.held {
		n, _ := l.slot(at)
		used = used || n == file
	}
	if !used {
		_ = l.files[file].Close()
		delete(l.files, file)
	}
	return fmt.Errorf("%s was removed: %w", l.path(file), streamer.ErrNotFound)
}

// free gives up the lock of a shard.
func (l *shardLocks) free(at streamer.StreamShard) {
	if !l.held[at] {
		return
	}
	delete(l.held, at)
	n, offset := l.slot(at)
	_ = setLock(l.files[n], syscall.F_UNLCK, offset, 1)
}

// intact reports whether the locks are on the files that other processes find.
func (l *shardLocks) intact() bool {
	for _, f := range l.files {
		if !named(f) {
			return false
		}
	}
	return true
}

// close gives up all locks. A child process that is being started has the files
// open too until it executes its program, so closing them alone would not free
// the locks at once.
func (l *shardLocks) close() error {
	var errs []error
	for _, f := range l.files {
		errs = append(errs, setLock(f, syscall.F_UNLCK, 0, 0), f.Close())
	}
	clear(l.files)
	clear(l.held)
	return errors.Join(errs...)
}

// remove removes the files in which no other process holds a lock.
func (l *shardLocks) remove() {
	for n := range uint64(lockFiles) {
		f := l.files[n]
		if f == nil {
			var err error
			if f, err = disk.OpenPlain(l.path(n), os.O_RDWR); err != nil {
				continue
			}
			l.files[n] = f
		}
		if setLock(f, syscall.F_WRLCK, 0, 0) == nil && named(f) {
			_ = os.Remove(f.Name())
		}
	}
}

// setLock sets or frees the lock on bytes of a file; 0 of them are all.
func setLock(f *os.File, kind int16, offset, size int64) error {
	const ofdSetLock = 37 // F_OFD_SETLK
	c, err := f.SyscallConn()
	if err != nil {
		return disk.Translate(err)
	}
	var failed error
	err = c.Control(func(fd uintptr) {
		for {
			failed = syscall.FcntlFlock(fd, ofdSetLock, &syscall.Flock_t{Type: kind, Start: offset, Len: size})
			if !errors.Is(failed, syscall.EINTR) {
				return
			}
		}
	})
	if errors.Is(failed, syscall.EAGAIN) || errors.Is(failed, syscall.EACCES) {
		return fmt.Errorf("%s: %w", f.Name(), streamer.ErrBusy)
	}
	return disk.About(f.Name(), errors.Join(err, failed))
}

// named reports whether a file is still the one that its path leads to.
func named(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(f.Name())
	return err == nil && os.SameFile(opened, now)
}
