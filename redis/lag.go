package redis

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
)

// Lag implements streamer.Lagger. Time is the age of the first message that is not done.
func (s *source) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var lags []streamer.ShardLag
	for _, sh := range s.all() {
		var lag streamer.ShardLag
		var err error
		if s.grouped() {
			lag, err = s.b.lag(ctx, sh.StreamShard, s.group)
		} else {
			lag, err = s.b.behind(ctx, sh.StreamShard, s.position(sh))
		}
		if err != nil {
			return nil, bare(ctx, err)
		}
		lags = append(lags, lag)
	}
	return lags, nil
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
	return max(0, time.Since(infoID(page[0].ID).time())), nil
}
