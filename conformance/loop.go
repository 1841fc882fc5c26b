package conformance

import (
	"context"

	"github.com/gostreamer/streamer"
)

// loop takes messages in one way until body says no, ctx ends or the consumer
// does. leave makes it leave by return rather than break.
type loop func(ctx context.Context, c streamer.Consumer, leave bool, body func(*streamer.Message) bool)

func loopOver(way string) loop {
	switch way {
	case "messages":
		return loopMessages
	case "next-batch":
		return loopBatches
	case "stream":
		return loopStream
	default:
		return loopNext
	}
}

func loopMessages(ctx context.Context, c streamer.Consumer, leave bool, body func(*streamer.Message) bool) {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return
		}
		if body(m) {
			continue
		}
		if leave {
			return
		}
		break
	}
}

func loopNext(ctx context.Context, c streamer.Consumer, leave bool, body func(*streamer.Message) bool) {
	for {
		m, err := c.Next(ctx)
		if err != nil {
			return
		}
		if body(m) {
			continue
		}
		if leave {
			return
		}
		break
	}
}

// loopBatches takes batches of one, so that no message is handed out and not
// handled.
func loopBatches(ctx context.Context, c streamer.Consumer, leave bool, body func(*streamer.Message) bool) {
	for {
		ms, err := c.NextBatch(ctx, 1)
		if err != nil {
			return
		}
		if body(ms[0]) {
			continue
		}
		if leave {
			return
		}
		break
	}
}

// loopStream looks at ctx itself: of a receive and a ctx that ends at the same
// moment the channel may choose either.
func loopStream(ctx context.Context, c streamer.Consumer, leave bool, body func(*streamer.Message) bool) {
	for m := range c.Stream(ctx) {
		if body(m) && ctx.Err() == nil {
			continue
		}
		if leave {
			return
		}
		break
	}
}
