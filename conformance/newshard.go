package conformance

import (
	"fmt"

	"github.com/gostreamer/streamer"
)

func newShardCases() []testCase {
	var cases []testCase
	for _, m := range modes() {
		cases = append(cases, testCase{
			name: "appears-while-running/" + m.name, needs: append([]Part{NewShards}, m.needs...),
			run: func(b *bed) { appearsWhileRunning(b, m.mode) },
		})
	}
	for _, m := range keepingModes() {
		cases = append(cases, testCase{
			name: "appears-while-nobody-runs/" + m.name, needs: append([]Part{NewShards}, m.needs...),
			run: func(b *bed) { appearsUnseen(b, m.mode) },
		})
	}
	return append(cases, testCase{name: "a-new-group-takes-no-shard-as-new", needs: []Part{NewShards, Resuming}, run: newGroupNewShard})
}

// appearsWhileRunning: what was sent to the shard before anything could notice
// it arrives too, although the consumer is at Latest.
func appearsWhileRunning(b *bed, m streamer.ConsumerMode) {
	const shards, n = 2, 50
	b.open(Plan{Shards: shards})
	o := b.in(m)
	if !b.lacks(Resetting) {
		o.AutoReset = streamer.Latest
	}
	c := b.consumer(o)
	b.sendN(0, n, shards)
	added := b.place.AddShard(b.place.Streams[0])
	p := b.producer()
	for i := n; i < 2*n; i++ {
		b.send(p, streamer.Record{Value: value(i), Shard: &added})
	}
	b.sendN(2*n, 3*n, shards)
	for i, copies := range b.gather(3*n, nil, c) {
		if copies != 1 {
			b.Errorf("message %d came %d times", i, copies)
		}
	}
	b.await(fmt.Sprintf("Assignment to have shard %d", added), func() bool {
		for _, s := range c.Assignment() {
			if s.Shard == added {
				return true
			}
		}
		return false
	})
}

// appearsUnseen: the group has commits in other shards, so one without is new
// to it, and Latest does not apply.
func appearsUnseen(b *bed, m streamer.ConsumerMode) {
	const n = 20
	b.open(Plan{Shards: 2})
	o := b.in(m)
	o.AutoReset = streamer.Latest
	c := b.consumer(o)
	b.sendN(0, n, 2)
	b.ack(b.take(c, n)...)
	b.close(c)
	added := b.place.AddShard(b.place.Streams[0])
	p := b.producer()
	for i := n; i < 2*n; i++ {
		b.send(p, streamer.Record{Value: value(i), Shard: &added})
	}
	b.wantSet("what is in the new shard", b.take(b.consumer(o), n), span(n, 2*n))
}

func newGroupNewShard(b *bed) {
	b.open(Plan{})
	added := b.place.AddShard(b.place.Streams[0])
	p := b.producer()
	b.send(p, streamer.Record{Value: value(0), Shard: &added})
	o := b.resumable()
	o.AutoReset = streamer.Latest
	c := b.consumer(o)
	b.send(p, streamer.Record{Value: value(1), Shard: &added})
	b.expect(c, 1)
}
