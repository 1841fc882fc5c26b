package file

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
)

// follower waits for changes of a log.
type follower struct {
	wake    chan struct{} // nil when the source does not follow the log
	resumed chan struct{} // capacity 1: there is something to do that is not in the log
	watched bool          // the file system reports changes
	pause   time.Duration
	timer   *time.Timer
}

// nudge ends a wait: there is something to do that is not in the log.
func (f *follower) nudge() {
	select {
	case f.resumed <- struct{}{}:
	default:
	}
}

// rest is how long to wait at most before looking at the log.
func (f *follower) rest() time.Duration {
	if f.watched {
		f.pause = pollWatched
	} else {
		f.pause = min(max(2*f.pause, pollFirst), pollLast)
	}
	return f.pause
}

// awaitChange returns when the log may have changed, or there is something else
// to do.
func (f *follower) awaitChange(ctx context.Context, done <-chan struct{}) error {
	if rest := f.rest(); f.timer == nil {
		f.timer = time.NewTimer(rest)
	} else {
		f.timer.Reset(rest)
	}
	defer f.timer.Stop()
	select {
	case <-f.wake:
	case <-f.resumed:
	case <-f.timer.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-done:
		return streamer.ErrClosed
	}
	return nil
}

// wait returns when the log may have changed, or there is something else to do.
func (s *source) wait(ctx context.Context) error {
	if s.wake != nil && !s.watched {
		s.watched = s.log.readers.watchAgain(s.log.path, s.log.segmented)
	}
	return s.awaitChange(ctx, s.done)
}
