package file

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

// lockFiles is over how many files the locks of a group are spread: a process
// has no more of them open, whatever the number of shards, and the kernel, which
// goes through all locks of a file to set one, has as many times less to do.
const lockFiles = 32

// shardLocks are the kernel's locks that a source has on shards of a group. Each
// is on one byte of a file, and belongs to the open file: another open of the
// process respects it, and it is free with the process.
type shardLocks struct {
	dir   string
	files map[uint64]*os.File
	held  map[streamer.StreamShard]bool
}

func newShardLocks(dir string) shardLocks {
	return shardLocks{dir, map[uint64]*os.File{}, map[streamer.StreamShard]bool{}}
}

// place is which byte of which file stands for a shard. That two shards have the
// same is as good as impossible.
func (l *shardLocks) place(at streamer.StreamShard) (file uint64, offset int64) {
	h := fnv.New64a()
	_, _ = h.Write(strconv.AppendUint([]byte(at.Stream+"."), uint64(at.Shard), 10))
	sum := h.Sum64()
	return sum % lockFiles, int64(sum / lockFiles)
}

func (l *shardLocks) path(file uint64) string {
	return filepath.Join(l.dir, fmt.Sprintf("%02d%s", file, lockSuffix))
}

// take locks a shard. ErrBusy: another has it. ErrNotFound: the directory was
// removed.
func (l *shardLocks) take(at streamer.StreamShard) error {
	n, offset := l.place(at)
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

// stale is the error of a lock on a file that others do not find any more. One
// that holds nothing else is given up.
func (l *shardLocks) stale(file uint64) error {
	used := false
	for at := range l.held {
		n, _ := l.place(at)
		used = used || n == file
	}
	if !used {
		_ = l.files[file].Close()
		delete(l.files, file)
	}
	return fmt.Errorf("%s was removed: %w", l.path(file), streamer.ErrNotFound)
}

// free gives a shard up.
func (l *shardLocks) free(at streamer.StreamShard) {
	if !l.held[at] {
		return
	}
	delete(l.held, at)
	n, offset := l.place(at)
	_ = setLock(l.files[n], syscall.F_UNLCK, offset, 1)
}

// intact says whether the locks are still what others would find.
func (l *shardLocks) intact() bool {
	for _, f := range l.files {
		if !named(f) {
			return false
		}
	}
	return true
}

// close gives every shard up. A child that is being started has the files too,
// until it executes its program: closing them would not free the locks before.
func (l *shardLocks) close() error {
	var errs []error
	for _, f := range l.files {
		errs = append(errs, setLock(f, syscall.F_UNLCK, 0, 0), f.Close())
	}
	clear(l.files)
	clear(l.held)
	return errors.Join(errs...)
}

// remove removes the files of locks that no other has.
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

// named says whether a file is still what its path leads to.
func named(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(f.Name())
	return err == nil && os.SameFile(opened, now)
}
