package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/gostreamer/streamer"
)

// batchSize is the most messages taken at once: enough to spread the cost of a
// write, few enough to stop soon.
const batchSize = 256

// intake takes messages from a consumer up to where the command is to stop.
type intake struct {
	from  streamer.Consumer
	meter *meter
	until *bound // nil: no end but the stream's own
	left  int64  // messages still wanted; negative: all
}

// next blocks for a batch; io.EOF when there is nothing more to take.
func (t *intake) next(ctx context.Context) ([]*streamer.Message, error) {
	for {
		if t.left == 0 || !t.until.ahead() && t.until.reached(t.from.Assignment) {
			return nil, io.EOF
		}
		batch, err := t.take(ctx)
		if err != nil {
			return nil, err
		}
		batch = t.until.cut(batch)
		if len(batch) > 0 {
			t.count(len(batch))
			return batch, nil
		}
	}
}

func (t *intake) count(n int) {
	t.meter.at.Add(int64(n))
	if t.left > 0 {
		t.left -= int64(n)
	}
}

func (t *intake) take(ctx context.Context) ([]*streamer.Message, error) {
	n := batchSize
	if t.left >= 0 {
		n = int(min(t.left, batchSize))
	}
	if t.until == nil {
		return t.from.NextBatch(ctx, n)
	}
	return t.takeOrAsk(ctx, n)
}

// takeOrAsk asks the backend how much is left whenever nothing arrives: the
// last number before the end need not be a message's.
func (t *intake) takeOrAsk(ctx context.Context, n int) ([]*streamer.Message, error) {
	const first, most = 50 * time.Millisecond, time.Second
	for patience := first; ; patience = min(2*patience, most) {
		batch, err := nextWithin(ctx, t.from, n, patience)
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return batch, err
		}
		if err := t.until.ask(ctx, t.from); err != nil {
			return nil, err
		}
		if t.until.reached(t.from.Assignment) {
			return nil, io.EOF
		}
	}
}

// openFromBeginning opens a consumer that starts at the beginning where neither
// o nor uri says where, if the source has one: a pipe does not.
func openFromBeginning(ctx context.Context, s streamer.Streamer, uri streamer.ConsumerOptions, o streamer.ConsumerOptions) (streamer.Consumer, error) {
	var unset streamer.Position
	if o.AutoReset != 0 || uri.AutoReset != 0 || o.Start != unset || uri.Start != unset {
		return s.Consumer(ctx, o)
	}
	from := o
	from.AutoReset = streamer.Earliest
	in, err := s.Consumer(ctx, from)
	if errors.Is(err, streamer.ErrUnsupported) {
		return s.Consumer(ctx, o)
	}
	return in, err
}

func nextWithin(ctx context.Context, c streamer.Consumer, n int, patience time.Duration) ([]*streamer.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.NextBatch(ctx, n)
}
