//go:build !linux

package group

import (
	"errors"
	"fmt"
	"os"

	"github.com/gofrs/flock"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
)

// shardLocks are the kernel's locks that a Group holds on shards: a file for
// each shard, on systems where locks on parts of one file do not suffice.
type shardLocks struct {
	group *Group
	files map[streamer.StreamShard]*flock.Flock
	held  map[streamer.StreamShard]bool
}

func newShardLocks(dir string) shardLocks {
	return shardLocks{In(dir), map[streamer.StreamShard]*flock.Flock{}, map[streamer.StreamShard]bool{}}
}

// take locks a shard. ErrBusy: it has another owner. ErrNotFound: the directory
// was removed.
func (l *shardLocks) take(at streamer.StreamShard) error {
	f, err := disk.Lock(l.group.path(at, lockSuffix), true)
	if err != nil {
		return err
	}
	if !disk.Holds(f) {
		_ = f.Close()
		return fmt.Errorf("%s was removed: %w", f.Path(), streamer.ErrNotFound)
	}
	l.files[at], l.held[at] = f, true
	return nil
}

// free gives up the lock of a shard.
func (l *shardLocks) free(at streamer.StreamShard) {
	if f := l.files[at]; f != nil {
		_ = f.Close()
		delete(l.files, at)
		delete(l.held, at)
	}
}

// intact reports whether the locks are on the files that other processes find.
func (l *shardLocks) intact() bool {
	for _, f := range l.files {
		if !disk.Holds(f) {
			return false
		}
	}
	return true
}

// close gives up all locks.
func (l *shardLocks) close() error {
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.Close())
	}
	clear(l.files)
	clear(l.held)
	return errors.Join(errs...)
}

// remove removes the files in which no other process holds a lock.
func (l *shardLocks) remove() {
	for _, f := range l.files {
		_ = os.Remove(f.Path())
	}
}
