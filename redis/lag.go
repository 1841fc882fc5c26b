package redis

import (
	"context"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
)

// Lag implements streamer.Lagger. Time is the age of the first message that is not done.
func (s *source) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var lags []streamer.ShardLag
	err := patiently(ctx, func() (err error) {
		lags, err = s.lags(ctx)
		return err
	})
	return lags, bare(ctx, err)
}

func (s *source) lags(ctx context.Context) ([]streamer.ShardLag, error) {
	for try := 1; ; try++ {
		from := s.positions()
		lags := make([]streamer.ShardLag, len(from))
		for i, p := range from {
			var err error
			if s.grouped() {
				lags[i], err = s.b.lag(ctx, p.StreamShard, s.group)
			} else {
				lags[i], err = s.b.behind(ctx, p.StreamShard, p.id)
			}
			if err != nil {
				return nil, err
			}
		}
		// What is fetched meanwhile the engine adds: it must not be counted here as well.
		if s.grouped() || try == lagTries || slices.Equal(from, s.positions()) {
			return lags, nil
		}
	}
}

// lagTries is how often RealTime looks for a moment in which nothing is fetched.
const lagTries = 10

// position is how far a shard is read.
type position struct {
	streamer.StreamShard
	id
}

func (s *source) positions() []position {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]position, len(s.shards))
	for i, sh := range s.shards {
		all[i] = position{sh.StreamShard, sh.emitted}
	}
	return all
}

// lag is a group's: what is pending and what was not delivered.
func (b *backend) lag(ctx context.Context, at streamer.StreamShard, group string) (streamer.ShardLag, error) {
	lag := streamer.ShardLag{StreamShard: at}
	key := b.cfg.key(at)
	g, err := b.groupState(ctx, key, group)
	if err != nil || g == nil {
		return lag, err
	}
	lag.Messages = -1
	if g.lag < 0 {
		// The server has lost count where the group was moved, or messages were deleted.
		rest, err := b.behind(ctx, at, g.delivered)
		if err != nil {
			return lag, err
		}
		g.lag = rest.Messages
	}
	if g.lag >= 0 {
		lag.Messages = g.pending + g.lag
	}
	if lag.Messages == 0 {
		return lag, nil
	}
	wanted, err := b.wanted(ctx, key, group, g)
	if err == nil {
		lag.Time, err = b.age(ctx, key, wanted)
	}
	return lag, err
}

// behind counts what comes after an id, up to some.
func (b *backend) behind(ctx context.Context, at streamer.StreamShard, after id) (streamer.ShardLag, error) {
	lag := streamer.ShardLag{StreamShard: at, Messages: -1}
	key := b.cfg.key(at)
	states, err := b.inspect(ctx, key)
	if err != nil {
		return lag, err
	}
	st := &states[0]
	first, some := st.first()
	switch {
	case !some || !after.less(st.newest):
		lag.Messages = 0
		return lag, nil
	case after.less(first):
		lag.Messages = st.length
	default:
		if lag.Messages, err = b.count(ctx, key, after.next()); err != nil {
			return lag, err
		}
	}
	lag.Time, err = b.age(ctx, key, after.next())
	return lag, err
}

// age is that of the first message from an id on, by this machine's clock.
func (b *backend) age(ctx context.Context, key string, from id) (time.Duration, error) {
	first, ok, err := b.seek(ctx, key, from)
	if err != nil || !ok {
		return 0, err
	}
	return max(0, time.Since(first.time())), nil
}
