package conformance

import "github.com/gostreamer/streamer"

func shardsAtOpen(b *bed) {
	const shards, n = 3, 30
	b.open(Plan{Shards: shards})
	o := b.realtime()
	o.Shards = []streamer.ShardID{0, 2}
	c := b.consumer(o)
	b.sendN(0, n, shards)
	var want []int
	for i := range n {
		if i%shards != 1 {
			want = append(want, i)
		}
	}
	b.wantSet("the messages of the shards named", b.take(c, len(want)), want)
	b.assigned(c, 0, 2)
	b.rewind(c, streamer.Beginning())
	b.wantSet("the same after Rewind", b.take(c, len(want)), want)
}

// differentShards: two consumers, of one group where there is one, read
// different shards of a stream. In a second life each continues where it
// stopped.
func differentShards(b *bed, o streamer.ConsumerOptions) {
	const shards, n = 2, 20
	b.open(Plan{Shards: shards})
	lives := 1
	if o.Mode == streamer.Resumable {
		lives = 2
	}
	for life := range lives {
		var consumers [shards]streamer.Consumer
		for i := range consumers {
			o.Shards = []streamer.ShardID{streamer.ShardID(i)}
			consumers[i] = b.consumer(o)
		}
		b.sendN(life*n, (life+1)*n, shards)
		for i := life * n; i < (life+1)*n; i++ {
			b.expect(consumers[i%shards], i)[0].Ack()
		}
		for _, c := range consumers {
			b.close(c)
		}
	}
}

// assigned fails when c reads other shards than these.
func (b *bed) assigned(c streamer.Consumer, want ...streamer.ShardID) {
	b.Helper()
	have := make(map[streamer.ShardID]bool)
	for _, s := range c.Assignment() {
		have[s.Shard] = true
	}
	for _, s := range want {
		if !have[s] {
			b.Fatalf("Assignment is %v, want shards %v", c.Assignment(), want)
		}
	}
	if len(have) != len(want) {
		b.Fatalf("Assignment is %v, want shards %v", c.Assignment(), want)
	}
}

func assignUnassign(b *bed) {
	const shards, n = 3, 12
	place := b.open(Plan{Shards: shards})
	stream := place.Streams[0]
	c := b.consumer(b.realtime())
	metas := b.sendN(0, n, shards)
	b.assigned(c, 0, 1, 2)
	b.must("Assign", c.Assign(stream, 1))
	b.wantSet("all shards until the next move", b.take(c, n), span(0, n))
	b.rewind(c, streamer.At(metas[4].Seq)) // one shard in use: At is possible
	b.assigned(c, 1)
	b.expect(c, 4, 7, 10)
	b.must("Assign", c.Assign(stream, 2))
	b.must("Unassign", c.Unassign(stream, 1))
	b.rewind(c, streamer.Beginning())
	b.expect(c, 2, 5, 8, 11)
	b.is("Unassign of what is not assigned", c.Unassign(stream, 0), streamer.ErrNotFound)
	b.is("Assign of a stream not opened", c.Assign("another", 0), streamer.ErrNotFound)
	b.must("Unassign of the last", c.Unassign(stream, 2))
	b.rewind(c, streamer.Beginning())
	b.assigned(c, 0, 1, 2)
	b.wantSet("all shards again", b.take(c, n), span(0, n))
}

func (b *bed) must(what string, err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

// rewindCommitted: a move of a Resumable consumer commits the new position, so
// Committed is where it last moved to or committed.
func rewindCommitted(b *bed) {
	b.open(Plan{})
	metas := b.sendN(0, 20, 1)
	c := b.consumer(b.resumable())
	b.ack(b.expect(c, span(0, 5)...)...)
	b.expect(c, 5, 6, 7)
	b.rewind(c, streamer.Committed())
	b.expect(c, 5, 6)
	b.rewind(c, streamer.At(metas[12].Seq))
	b.expect(c, 12, 13)
	b.rewind(c, streamer.Committed())
	b.expect(c, 12)
}

// leaveAndJoin: a member that moves reads everything for itself while the other
// has the whole group; Committed takes it back.
func leaveAndJoin(b *bed) {
	const shards, n = 4, 60
	b.open(Plan{Shards: shards})
	members := b.members(2)
	mover, stayer := members[0], members[1]
	b.sendN(0, n, shards)
	b.rewind(mover, streamer.Beginning())
	b.wantSet("all messages, for the member that moved", b.take(mover, n), span(0, n))
	ctx, cancel := b.limit()
	defer cancel()
	b.is("Commit after a move", mover.Commit(ctx), streamer.ErrUnsupported)
	var t tally
	b.gather(n, t.enter, stayer)
	b.rewind(mover, streamer.Committed())
	b.settle(members...)
	b.sendN(n, n+b.Messages/2, shards)
	copies := b.gather(b.Messages/2, t.enter, members...)
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages reached both", d)
	}
	if t.got[0] == 0 {
		b.Error("the member that came back got nothing")
	}
}
