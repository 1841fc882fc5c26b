package conformance

import (
	"context"

	"github.com/gostreamer/streamer"
)

// withGroup sends 50 messages to each of two shards and commits the first 20 of
// shard 0 and 5 of shard 1 for the case's group. The consumer is still open.
func (b *bed) withGroup(o streamer.ConsumerOptions) streamer.Consumer {
	b.Helper()
	b.open(Plan{Shards: 2})
	b.sendN(0, 100, 2)
	c := b.consumer(o)
	done := [2]int{20, 5}
	for _, m := range b.take(c, 100) {
		if done[m.Shard]--; done[m.Shard] >= 0 {
			b.ack(m)
		}
	}
	b.commit(c)
	return c
}

// lags fails when the messages behind, by shard, are not those wanted. A
// backend may not know a number: -1.
func (b *bed) lags(what string, lag []streamer.ShardLag, want map[streamer.ShardID]int64) {
	b.Helper()
	if len(lag) != len(want) {
		b.Errorf("%s: %d shards, want %d: %+v", what, len(lag), len(want), lag)
	}
	for _, l := range lag {
		if l.Messages != want[l.Shard] && l.Messages != -1 {
			b.Errorf("%s: shard %d is %d messages behind, want %d", what, l.Shard, l.Messages, want[l.Shard])
		}
	}
}

func lagRealtime(b *bed) {
	b.open(Plan{Shards: 2})
	c := b.consumer(b.realtime())
	b.sendN(0, 40, 2)
	behind := map[streamer.ShardID]int64{0: 20, 1: 20}
	for range 5 {
		for _, m := range b.take(c, 3) {
			behind[m.Shard]--
		}
		b.lags("Lag", asks(b, "Lag", c.Lag), behind)
	}
}

func lagGroup(b *bed, o streamer.ConsumerOptions) {
	c := b.withGroup(o)
	b.lags("Lag", asks(b, "Lag", c.Lag), map[streamer.ShardID]int64{0: 30, 1: 45})
}

// theGroup is what Groups says of the case's group.
func (b *bed) theGroup() streamer.GroupInfo {
	b.Helper()
	all := asks(b, "Groups", func(ctx context.Context) ([]streamer.GroupInfo, error) {
		return b.streamer().Admin().Groups(ctx, b.place.Streams[0])
	})
	for _, g := range all {
		if g.Name == b.group {
			return g
		}
	}
	return streamer.GroupInfo{}
}

func groups(b *bed) {
	c := b.withGroup(b.resumable())
	behind := map[streamer.ShardID]int64{0: 30, 1: 45}
	g := b.theGroup()
	if g.Members != 1 && g.Members != -1 {
		b.Errorf("Groups counts %d members, want 1", g.Members)
	}
	b.lags("Groups", g.Lag, behind)
	b.close(c)
	b.lags("Groups after Close", b.theGroup().Lag, behind)
}

func (b *bed) resetTo(to streamer.Position) error {
	ctx, cancel := b.limit()
	defer cancel()
	return b.streamer().Admin().ResetGroup(ctx, b.place.Streams[0], b.group, to)
}

func resetGroup(b *bed) {
	const n = 100
	c := b.withGroup(b.resumable())
	b.is("ResetGroup of a group in use", b.resetTo(streamer.Beginning()), streamer.ErrBusy)
	b.close(c)
	for _, to := range []struct {
		at    streamer.Position
		first int
	}{{streamer.End(), n}, {streamer.Beginning(), 0}} {
		b.must("ResetGroup", b.resetTo(to.at))
		c := b.consumer(b.resumable())
		b.wantSet("after ResetGroup to "+to.at.String(), b.rest(c, 2), span(to.first, n))
		b.close(c)
	}
}

func deleteGroup(b *bed) {
	const n = 100
	c := b.withGroup(b.resumable())
	a, stream := b.streamer().Admin(), b.place.Streams[0]
	b.refuses("DeleteGroup of a group in use", streamer.ErrBusy, func(ctx context.Context) error { return a.DeleteGroup(ctx, stream, b.group) })
	b.close(c)
	asks(b, "DeleteGroup", func(ctx context.Context) (any, error) { return nil, a.DeleteGroup(ctx, stream, b.group) })
	if g := b.theGroup(); g.Name != "" {
		b.Errorf("Groups lists a deleted group: %+v", g)
	}
	b.wantSet("a deleted group starts over", b.rest(b.consumer(b.resumable()), 2), span(0, n))
}

func ping(b *bed) {
	b.open(Plan{})
	b.within("Ping", func() error { return b.streamer().Ping(b.ctx) })
}
