//go:build !linux

package file

import (
	"errors"
	"fmt"
	"os"

	"github.com/gofrs/flock"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
)

// shardLocks are the kernel's locks that a source has on shards of a group: a
// file for each shard, where locks on parts of one file would not do.
type shardLocks struct {
	group *group
	files map[streamer.StreamShard]*flock.Flock
	held  map[streamer.StreamShard]bool
}

func newShardLocks(dir string) shardLocks {
	return shardLocks{&group{dir: dir}, map[streamer.StreamShard]*flock.Flock{}, map[streamer.StreamShard]bool{}}
}

// take locks a shard. ErrBusy: another has it. ErrNotFound: the directory was
// removed.
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

// free gives a shard up.
func (l *shardLocks) free(at streamer.StreamShard) {
	if f := l.files[at]; f != nil {
		_ = f.Close()
		delete(l.files, at)
		delete(l.held, at)
	}
}

// intact says whether the locks are still what others would find.
func (l *shardLocks) intact() bool {
	for _, f := range l.files {
		if !disk.Holds(f) {
			return false
		}
	}
	return true
}

// close gives every shard up.
func (l *shardLocks) close() error {
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.Close())
	}
	clear(l.files)
	clear(l.held)
	return errors.Join(errs...)
}

// remove removes the files of locks that no other has.
func (l *shardLocks) remove() {
	for _, f := range l.files {
		_ = os.Remove(f.Path())
	}
}
