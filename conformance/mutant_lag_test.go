package conformance_test

import (
	"context"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
)

// lagCountsTrimmed continues counting, for every group, messages that were
// trimmed.
func lagCountsTrimmed(p *conformance.Place) {
	var trimmed atomic.Int64
	trim := p.Trim
	p.Trim = func(s streamer.StreamShard, upTo streamer.SeqNo) {
		trim(s, upTo)
		trimmed.Store(int64(upTo.Uint())) //nolint:gosec // a few
	}
	connect := p.Connect
	p.Connect = func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
		s, err := connect(ctx, o)
		if err != nil {
			return nil, err
		}
		return &brokenStreamer{s, reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer {
			return trimmedLagger{c, &trimmed}
		})}, nil
	}
}

type trimmedLagger struct {
	streamer.Consumer
	trimmed *atomic.Int64
}

func (h trimmedLagger) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	lag, err := h.Consumer.Lag(ctx)
	for i := range lag {
		lag[i].Messages += h.trimmed.Load()
	}
	return lag, err
}
