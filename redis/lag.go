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
				return nil, bare(ctx, err)
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

// counted is how many messages are counted at most, countedAtOnce in one round trip.
const counted, countedAtOnce = 10_000, 1000

// behind counts what comes after an id. The server cannot: it is asked for the messages, up to some.
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
	case !some || !after.less(infoID(st.info.LastEntry.ID)):
		lag.Messages = 0
		return lag, nil
	case after.less(first):
		lag.Messages = st.info.Length
	default:
		if lag.Messages, err = b.count(ctx, key, after.next()); err != nil {
			return lag, err
		}
	}
	lag.Time, err = b.age(ctx, key, after.next())
	return lag, err
}

// count counts entries from one id on; -1: there are too many.
func (b *backend) count(ctx context.Context, key string, from id) (int64, error) {
	n := 0
	for n < counted {
		page, err := b.client.XRangeN(ctx, key, from.String(), "+", countedAtOnce).Result()
		if err != nil {
			return -1, err
		}
		n += len(page)
		if len(page) < countedAtOnce {
			return int64(n), nil
		}
		from = infoID(page[len(page)-1].ID).next()
	}
	return -1, nil
}

// age is that of the first message from an id on, by this machine's clock.
func (b *backend) age(ctx context.Context, key string, from id) (time.Duration, error) {
	page, err := b.client.XRangeN(ctx, key, from.String(), "+", 1).Result()
	if err != nil || len(page) == 0 {
		return 0, err
	}
	at := infoID(page[0].ID).time()
	if at.IsZero() {
		return 0, nil
	}
	return max(0, time.Since(at)), nil
}
