package kafka

import (
	"context"

	"github.com/gostreamer/streamer/internal/wait"
)

// pacer makes the pauses between looks at the cluster longer and longer.
type pacer struct{ backoff wait.Backoff }

func newPacer() pacer { return pacer{wait.Backoff{First: firstPause, Last: lastPause}} }

// wait pauses; ctx's error when that ended before.
func (p *pacer) wait(ctx context.Context) error {
	if !wait.Pause(ctx, p.backoff.Next(0)) {
		return ctx.Err()
	}
	return nil
}
