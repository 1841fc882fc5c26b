package redis

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

// Lag implements driver.Lagger. Time is the age of the first message that is
// not done.
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
		// What is fetched meanwhile the engine adds: it must not be counted
		// here as well.
		if s.grouped() || try == lagTries || slices.Equal(from, s.positions()) {
			return lags, nil
		}
	}
}

// lagTries is how often RealTime looks for a moment in which nothing is
// fetched.
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

// lag is a group's: what is pending and what was not delivered, of what exists.
func (b *backend) lag(ctx context.Context, at streamer.StreamShard, group string) (streamer.ShardLag, error) {
	lag := streamer.ShardLag{StreamShard: at}
	key := b.cfg.key(at)
	states, err := b.inspect(ctx, key)
	if err != nil {
		return lag, err
	}
	st := &states[0]
	g, err := b.groupState(ctx, key, group)
	if err != nil || g == nil || st.length == 0 {
		return lag, err
	}
	if lag.Messages, err = b.left(ctx, key, group, st, g); err != nil || lag.Messages == 0 {
		return lag, err
	}
	wanted, err := b.wanted(ctx, key, group, g)
	if err == nil {
		lag.Time, err = b.age(ctx, key, wanted)
	}
	return lag, err
}

// left is how many entries a group has not done with; -1: there are too many to
// count. What exists may grow between the questions: it is bounded by what
// existed at the first.
func (b *backend) left(ctx context.Context, key, group string, st *state, g *groupState) (int64, error) {
	fresh, err := b.undelivered(ctx, key, st, g)
	if err != nil || fresh < 0 {
		return fresh, err
	}
	pending, err := b.pendingLeft(ctx, key, group, st, g)
	return min(pending+fresh, st.length), err
}

// undelivered is how many entries that exist a group's members have not got.
// The server's own answer counts those that were trimmed before they were read,
// on Redis 7.0 for good, so it holds only where none was removed. Where there
// are too many to count it is the bound.
func (b *backend) undelivered(ctx context.Context, key string, st *state, g *groupState) (int64, error) {
	if whole := st.added == st.length; whole && g.lag >= 0 {
		return g.lag, nil
	}
	n, err := b.after(ctx, key, st, g.delivered)
	if n < 0 && g.lag >= 0 {
		n = min(g.lag, st.length)
	}
	return n, err
}

// pendingLeft is how many pending entries exist, as far as their ids say: those
// before the first entry or behind the last are gone, and wait only for
// a member that looks. What was delivered after the server told the group's
// state counts as not delivered.
func (b *backend) pendingLeft(ctx context.Context, key, group string, st *state, g *groupState) (int64, error) {
	if g.pending == 0 {
		return 0, nil
	}
	all, err := b.client.XPending(ctx, key, group).Result()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	first, _ := st.first()
	newest := st.newest
	if !infoID(all.Lower).less(first) && !newest.less(infoID(all.Higher)) {
		return g.pending, nil
	}
	if g.delivered.less(newest) {
		newest = g.delivered
	}
	n, err := b.countPending(ctx, key, group, first, newest)
	if n < 0 {
		n = g.pending
	}
	return n, err
}

// countPending counts pending ids; -1: there are too many.
func (b *backend) countPending(ctx context.Context, key, group string, from, to id) (int64, error) {
	n := 0
	for n < counted {
		page, err := b.client.XPendingExt(ctx, &redis.XPendingExtArgs{
			Stream: key, Group: group, Start: from.String(), End: to.String(), Count: holdCount,
		}).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return 0, err
		}
		n += len(page)
		if len(page) < holdCount {
			return int64(n), nil
		}
		from = infoID(page[len(page)-1].ID).next()
	}
	return -1, nil
}

// behind is what comes after an id.
func (b *backend) behind(ctx context.Context, at streamer.StreamShard, after id) (streamer.ShardLag, error) {
	lag := streamer.ShardLag{StreamShard: at, Messages: -1}
	key := b.cfg.key(at)
	states, err := b.inspect(ctx, key)
	if err != nil {
		return lag, err
	}
	if lag.Messages, err = b.after(ctx, key, &states[0], after); err != nil || lag.Messages == 0 {
		return lag, err
	}
	lag.Time, err = b.age(ctx, key, after.next())
	return lag, err
}

// after counts what comes after an id; -1: there is too much. The server
// cannot: it is asked for the messages, up to some.
func (b *backend) after(ctx context.Context, key string, st *state, last id) (int64, error) {
	first, some := st.first()
	newest := st.newest
	switch {
	case !some || !last.less(newest):
		return 0, nil
	case last.less(first):
		return st.length, nil
	}
	return b.count(ctx, key, last.next())
}

// age is that of the first message from an id on, by this machine's clock.
func (b *backend) age(ctx context.Context, key string, from id) (time.Duration, error) {
	first, ok, err := b.seek(ctx, key, from)
	if err != nil || !ok {
		return 0, err
	}
	at := first.time()
	if at.IsZero() {
		return 0, nil
	}
	return max(0, time.Since(at)), nil
}
