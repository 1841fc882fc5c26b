package file

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// pollWatched is how often a reader looks at a log that is watched: the
	// notice of a change may get lost (network file systems send none).
	pollWatched = time.Second
	// pollFirst and pollLast bound the doubling pause of a reader that has to
	// look for itself.
	pollFirst = time.Millisecond
	pollLast  = 250 * time.Millisecond
)

// readers are the sources that follow a log. A writer in the process wakes them
// itself; for others the log's directory is watched, by one watcher and its
// goroutine however many sources there are, as long as there is one.
type readers struct {
	mu   sync.Mutex
	wake map[chan struct{}]struct{}

	// ours: this process has the log's writer, which wakes the readers itself.
	// The file system's notices of what is written come after that, and would
	// wake them for nothing; what others write all the same, without the lock
	// or to a file that has replaced the log, is seen when the readers
	// look for themselves.
	ours atomic.Bool

	lifecycle sync.Mutex // of what follows; held while the watcher is started and stopped
	following int
	watcher   *fsnotify.Watcher
	relayed   chan struct{} // closed when the watcher's goroutine has ended
	tried     time.Time     // when it was last tried to start one

	newWatcher func() (*fsnotify.Watcher, error) // nil: fsnotify's; tests have it fail
}

// follow returns a channel that gets a token whenever the log may have changed,
// and whether the file system tells.
func (r *readers) follow(path string, segmented bool) (wake chan struct{}, watched bool) {
	wake = make(chan struct{}, 1)
	r.mu.Lock()
	if r.wake == nil {
		r.wake = map[chan struct{}]struct{}{}
	}
	r.wake[wake] = struct{}{}
	r.mu.Unlock()

	r.lifecycle.Lock()
	defer r.lifecycle.Unlock()
	if r.following++; r.watcher == nil {
		r.watch(path, segmented)
	}
	return wake, r.watcher != nil
}

// watchAgain tries again what follow could not: there may have been no
// descriptor for it. It reports whether the file system tells now.
func (r *readers) watchAgain(path string, segmented bool) bool {
	if !r.lifecycle.TryLock() {
		return false
	}
	defer r.lifecycle.Unlock()
	if r.watcher == nil && time.Since(r.tried) >= pollWatched {
		r.watch(path, segmented)
	}
	return r.watcher != nil
}

// watch starts the watcher, or does not: then the readers poll. The directory
// is watched, because a file that is replaced takes its own watch with it.
// lifecycle is held.
func (r *readers) watch(path string, segmented bool) {
	r.tried = time.Now()
	open := r.newWatcher
	if open == nil {
		open = fsnotify.NewWatcher
	}
	w, err := open()
	if err != nil {
		return
	}
	err = w.Add(filepath.Dir(path))
	if err == nil && segmented {
		_ = w.Add(path) // it may not exist yet
	}
	if err != nil {
		_ = w.Close()
		return
	}
	r.watcher, r.relayed = w, make(chan struct{})
	go r.relay(w, path, segmented, r.relayed)
}

// relay is the watcher's goroutine. It ends when the watcher is closed.
func (r *readers) relay(w *fsnotify.Watcher, path string, segmented bool, done chan<- struct{}) {
	defer close(done)
	for {
		select {
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if segmented && e.Name == path && e.Has(fsnotify.Create) {
				_ = w.Add(path) // the watch of one that was there before is gone with it
			}
			if r.concerns(e, path) {
				r.notify()
			}
		case _, ok := <-w.Errors: // such as an overflow: something happened
			if !ok {
				return
			}
			r.notify()
		}
	}
}

// concerns reports whether readers have to look because of an event.
func (r *readers) concerns(e fsnotify.Event, path string) bool {
	if e.Op == fsnotify.Write && r.ours.Load() {
		return false
	}
	return e.Name == path || filepath.Dir(e.Name) == path
}

// notify wakes every reader.
func (r *readers) notify() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for wake := range r.wake {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// unfollow ends what follow began. The last one waits for the watcher's
// goroutine.
func (r *readers) unfollow(wake chan struct{}) {
	r.mu.Lock()
	delete(r.wake, wake)
	r.mu.Unlock()

	r.lifecycle.Lock()
	defer r.lifecycle.Unlock()
	if r.following--; r.following > 0 || r.watcher == nil {
		return
	}
	_ = r.watcher.Close()
	<-r.relayed
	r.watcher = nil
}
