package conformance

import (
	"fmt"
	"sync/atomic"

	"github.com/gostreamer/streamer"
)

func realtimeCases() []testCase {
	return []testCase{
		{name: "first-message-after-open", run: firstAfterOpen},
		{name: "quiet-shard-beside-a-busy-one", run: quietShard},
		{name: "quiet-stream-beside-a-busy-one", run: quietStream},
		{name: "opened-under-a-busy-sender", needs: []Part{ReadingBack}, run: openedUnderSender},
		{name: "every-consumer-sees-all", run: everyConsumerSeesAll},
		{name: "streams-do-not-mix", run: streamsDoNotMix},
		{name: "ack-and-commit-do-nothing", run: realtimeAck},
	}
}

// firstAfterOpen opens many consumers, each between two messages of every
// shard, and sends the second one at once.
func firstAfterOpen(b *bed) {
	const shards, rounds = 3, 10
	b.open(Plan{Shards: shards})
	p := b.producer()
	for round := range rounds {
		from := round * 2 * shards
		b.history(p, numbered(from, from+shards, shards)...)
		c := b.consumer(b.realtime())
		b.send(p, numbered(from+shards, from+2*shards, shards)...)
		got := make(map[int]bool)
		for _, m := range b.take(c, shards) {
			got[number(m)] = true
		}
		for n := from + shards; n < from+2*shards; n++ {
			if !got[n] {
				b.Fatalf("round %d: message %d, the first after Consumer returned, is missing: got %v", round, n, got)
			}
		}
		b.close(c)
	}
}

// history sends what is there before a consumer opens. Where nothing is kept
// there is none: what nothing has read is still to come.
func (b *bed) history(p streamer.Producer, rs ...streamer.Record) {
	b.Helper()
	if !b.lacks(ReadingBack) {
		b.send(p, rs...)
	}
}

// quietShard: a shard with a history and then one single message, beside one
// that is never quiet.
func quietShard(b *bed) {
	b.open(Plan{Shards: 2})
	p := b.producer()
	busy, quiet := streamer.ShardID(0), streamer.ShardID(1)
	for i := range 20 {
		b.history(p, streamer.Record{Value: value(i), Shard: &quiet})
	}
	c := b.consumer(b.realtime())
	n := b.Messages / 4
	for i := range n {
		p.Send(b.ctx, streamer.Record{Value: value(1000 + i), Shard: &busy})
	}
	b.send(p, streamer.Record{Value: value(20), Shard: &quiet})
	for range n + 1 {
		m := b.next(c, "the busy shard's messages and the quiet shard's only one")
		if m.Shard == quiet && number(m) != 20 {
			b.Fatalf("the quiet shard gave message %d, which was sent before Consumer was called", number(m))
		}
	}
}

func quietStream(b *bed) {
	place := b.open(Plan{Streams: 3})
	c := b.consumer(b.realtime())
	p := b.producer()
	n := b.Messages / 4
	for i := range n {
		p.Send(b.ctx, streamer.Record{Value: value(i)})
	}
	b.send(p, streamer.Record{Stream: place.Streams[1], Value: value(n)}, streamer.Record{Stream: place.Streams[2], Value: value(n + 1)})
	copies := b.gather(n+2, nil, c)
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages were delivered twice", d)
	}
}

// openedUnderSender: messages are sent all the time. A consumer must see a run
// without a gap that begins no later than with the first message whose Send was
// called after Consumer returned, and not before those that were stored when it
// was called.
func openedUnderSender(b *bed) {
	const rounds, run = 10, 50
	b.open(Plan{})
	var sent, stop = new(atomic.Int64), new(atomic.Bool)
	p := b.producer()
	join := b.background("the sender", func() error {
		for !stop.Load() {
			r := streamer.Record{Value: value(int(sent.Add(1)))}
			if _, err := p.Send(b.ctx, r).Wait(b.ctx); err != nil {
				return err
			}
		}
		return nil
	})
	for round := range rounds {
		before := int(sent.Load()) - 1 // the last one may still be under way
		c := b.consumer(b.realtime())
		after := int(sent.Load()) + 1
		first := number(b.next(c, fmt.Sprintf("a message of round %d", round)))
		if first <= before || first > after {
			b.Errorf("round %d begins with message %d, want one of %d to %d", round, first, before+1, after)
		}
		b.expect(c, span(first+1, first+run)...)
		b.close(c)
	}
	stop.Store(true)
	join()
}

// everyConsumerSeesAll: two consumers of one program and one of another.
func everyConsumerSeesAll(b *bed) {
	const shards = 2
	b.open(Plan{Shards: shards})
	consumers := []streamer.Consumer{b.consumer(b.realtime()), b.consumer(b.realtime()), b.consumerOn(b.connect(), b.realtime())}
	n := b.Messages / 2
	p := b.producer()
	join := b.background("sending", func() error {
		_, err := b.trySend(p, numbered(0, n, shards)...)
		return err
	})
	joins := make([]func(), len(consumers))
	for i, c := range consumers {
		joins[i] = b.background(fmt.Sprintf("consumer %d, which must see all %d messages", i, n), func() error { return b.seesAll(c, n) })
	}
	join()
	for _, join := range joins {
		join()
	}
}

// seesAll takes n messages and says which are not there exactly once.
func (b *bed) seesAll(c streamer.Consumer, n int) error {
	have := make([]int, n)
	for range n {
		m, err := b.tryNext(c)
		if err != nil {
			return err
		}
		have[number(m)]++
	}
	for i, copies := range have {
		if copies != 1 {
			return fmt.Errorf("message %d came %d times", i, copies)
		}
	}
	return nil
}

func streamsDoNotMix(b *bed) {
	place := b.open(Plan{Streams: 2})
	var consumers [2]streamer.Consumer
	for i := range consumers {
		o := b.realtime()
		o.Streams = place.Streams[i : i+1]
		consumers[i] = b.consumer(o)
	}
	p := b.producer()
	for i := range 100 {
		p.Send(b.ctx, streamer.Record{Stream: place.Streams[i%2], Value: value(i)})
	}
	for i := range 100 {
		m := b.next(consumers[i%2], fmt.Sprintf("message %d of its stream", i))
		if number(m) != i || m.Stream != place.Streams[i%2] {
			b.Fatalf("consumer of %s got message %d of %s, want %d", place.Streams[i%2], number(m), m.Stream, i)
		}
	}
}

func realtimeAck(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	b.sendN(0, 3, 1)
	for _, m := range b.expect(c, 0, 1, 2) {
		if m.Ack() {
			b.Errorf("Ack of %q says that it counted", m.Value)
		}
	}
	b.commit(c)
}
