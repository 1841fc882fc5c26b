package main

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
)

// waitingTotal is how many messages wait behind a handler that does not return
// from its first.
const waitingTotal = 1_000_000

// heldBehind is how many bytes a consumer comes to hold whose handler does not
// return from its first message, while others wait and as many may be fetched
// ahead.
func heldBehind(ctx context.Context, s streamer.Streamer, stream string, prefetch int) (held int64, err error) {
	before := liveHeap()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{Streams: []string{stream}, AutoReset: streamer.Earliest, Prefetch: prefetch})
	if err != nil {
		return 0, err
	}
	m, err := c.Next(ctx)
	if err != nil {
		return 0, err
	}
	defer m.Ack()
	for held = -1; ; {
		now := liveHeap() - before
		if now <= held { // it has as much as it takes
			return held, nil
		}
		held = now
		if err := pass(ctx, time.Second); err != nil {
			return 0, err
		}
	}
}

// pass lets time pass.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
