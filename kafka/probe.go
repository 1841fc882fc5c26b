package kafka

import (
	"context"

	"github.com/gostreamer/streamer"
)

// nearby is how many offsets are tried one by one.
const nearby = 128

// probe finds the next offset behind a broken one at which a broker can begin,
// before end or there.
func (s *source) probe(ctx context.Context, at streamer.StreamShard, offset, end int64) (int64, error) {
	broken, step := offset, int64(1)
	for to := offset + 1; to < end; to += step {
		ok, err := s.readable(ctx, at, to)
		if err != nil {
			return 0, err
		}
		if ok {
			return s.between(ctx, at, broken, to)
		}
		if broken = to; to-offset >= nearby {
			step *= 2
		}
	}
	return s.between(ctx, at, broken, end)
}

// between finds the first offset that can be read, when broken cannot and good
// can.
func (s *source) between(ctx context.Context, at streamer.StreamShard, broken, good int64) (int64, error) {
	for good-broken > 1 {
		middle := broken + (good-broken)/2
		ok, err := s.readable(ctx, at, middle)
		switch {
		case err != nil:
			return 0, err
		case ok:
			good = middle
		default:
			broken = middle
		}
	}
	return good, nil
}

// readable says whether a broker has an intact batch at an offset, or behind
// it.
func (s *source) readable(ctx context.Context, at streamer.StreamShard, offset int64) (bool, error) {
	got, err := s.askOne(ctx, at, offset, leastRaw)
	if err != nil {
		return false, err
	}
	f, err := s.judge(got, offset)
	return err == nil && f.damage == nil && f.batch.size > 0, err
}

// found is what a broker has from the next offset on at which it can begin, or
// nil when that is the end. The batch there may begin before that offset.
func (s *source) found(ctx context.Context, at streamer.StreamShard, offset, end int64) (answer, error) {
	if end <= offset {
		return nil, errNoBatch
	}
	to, err := s.probe(ctx, at, offset, end)
	if err != nil || to >= end {
		return nil, err
	}
	got, err := s.askOne(ctx, at, to, leastRaw)
	if err != nil {
		return nil, err
	}
	got.RecordBatches = leftover(got.RecordBatches, offset)
	if _, ok := intact(got.RecordBatches); !ok {
		return nil, errNoBatch
	}
	return got, nil
}
