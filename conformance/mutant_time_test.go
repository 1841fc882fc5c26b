package conformance_test

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
)

// timeWraps counts nanoseconds since 1970 in 64 bits.
func timeWraps(*world) program {
	return recording(func(r *streamer.Record) {
		if !r.Time.IsZero() {
			r.Time = time.Unix(0, r.Time.UnixNano())
		}
	})
}

// earlyTimeIsTheEnd takes a negative number for one that stands for the end.
func earlyTimeIsTheEnd(*world) program {
	return reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer {
		return &mover{c, c.Seek, func(ctx context.Context, to streamer.Position) error {
			if to.Kind() == streamer.AtOrAfterTime && to.Time().UnixMilli() < 0 {
				to = streamer.End()
			}
			return c.Rewind(ctx, to)
		}}
	})
}
