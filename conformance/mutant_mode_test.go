package conformance_test

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
)

// modelessIsRealtime: a group that no mode stands beside is dropped.
func modelessIsRealtime(*world) program {
	return program{consumer: func(s streamer.Streamer, ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error) {
		if o.Mode == 0 && o.Group != "" {
			o.Mode, o.Group = streamer.RealTime, ""
		}
		return s.Consumer(ctx, o)
	}}
}

// realtimePassesGroup: a group beside RealTime is dropped.
func realtimePassesGroup(*world) program {
	return program{consumer: func(s streamer.Streamer, ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error) {
		c, err := s.Consumer(ctx, o)
		if o.Mode == streamer.RealTime && errors.Is(err, streamer.ErrInvalid) {
			o.Group = ""
			return s.Consumer(ctx, o)
		}
		return c, err
	}}
}
