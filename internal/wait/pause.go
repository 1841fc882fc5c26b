package wait

import (
	"cmp"
	"context"
	"time"
)

// Pause waits for d; false when ctx ended before.
func Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Backoff is the pause between tries: it doubles from First to Last.
type Backoff struct {
	First, Last time.Duration // default 10 ms and 2 s
	pause       time.Duration
}

// Next is the next pause, or asked where the one that failed named one.
func (b *Backoff) Next(asked time.Duration) time.Duration {
	if asked > 0 {
		return asked
	}
	b.pause = min(max(2*b.pause, cmp.Or(b.First, 10*time.Millisecond)), cmp.Or(b.Last, 2*time.Second))
	return b.pause
}

// Reset makes First the next pause.
func (b *Backoff) Reset() { b.pause = 0 }
