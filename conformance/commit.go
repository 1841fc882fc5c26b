package conformance

import (
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/gostreamer/streamer"
)

func commitCases() []testCase {
	var cases []testCase
	for _, m := range keepingModes() {
		for _, c := range []struct {
			name string
			run  func(*bed, streamer.ConsumerOptions)
		}{
			{"read-10-of-1000", read10of1000},
			{"out-of-order-acks", outOfOrderAcks},
			{"acks-from-many-goroutines", acksFromManyGoroutines},
			{"a-gap-in-one-shard-holds-no-other", gapInOneShard},
			{"a-second-ack-and-a-late-ack-do-nothing", lateAcks},
		} {
			cases = append(cases, testCase{name: c.name + "/" + m.name, needs: m.needs, run: func(b *bed) { c.run(b, b.in(m.mode)) }})
		}
	}
	return append(cases,
		testCase{name: "acks-survive-a-commit-that-fails", needs: []Part{Resuming, Connection}, run: commitFails},
		testCase{name: "commit-returns-when-it-is-committed", needs: []Part{Resuming, Killing}, run: commitReturns})
}

func read10of1000(b *bed, o streamer.ConsumerOptions) {
	b.open(Plan{})
	b.sendN(0, 1000, 1)
	c := b.consumer(o)
	b.ack(b.take(c, 10)...)
	b.close(c)
	b.expect(b.consumer(o), span(10, 1000)...)
}

// left is what must be redelivered when exactly the numbers in acked, of
// from..to-1, are acknowledged.
func (b *bed) left(from, to int, acked map[int]bool) []int {
	var rest []int
	for n := from; n < to; n++ {
		if !acked[n] || (!b.PerMessage && len(rest) > 0) {
			rest = append(rest, n)
		}
	}
	return rest
}

// outOfOrderAcks acknowledges two thirds in any order, commits now and then,
// and looks at what is redelivered.
func outOfOrderAcks(b *bed, o streamer.ConsumerOptions) {
	const n = 150
	b.open(Plan{})
	b.sendN(0, n, 1)
	c := b.consumer(o)
	ms := b.expect(c, span(0, n)...)
	rand.Shuffle(n, func(i, j int) { ms[i], ms[j] = ms[j], ms[i] })
	acked := make(map[int]bool)
	for i, m := range ms {
		if number(m)%3 == 1 {
			continue
		}
		b.ack(m)
		acked[number(m)] = true
		if i%20 == 0 {
			b.commit(c)
		}
	}
	b.close(c)
	b.wantSet("what is redelivered", b.rest(b.consumer(o), 1), b.left(0, n, acked))
}

// acksFromManyGoroutines: every shard's message number gap is never
// acknowledged, all others are, in any order, while commits continue.
func acksFromManyGoroutines(b *bed, o streamer.ConsumerOptions) {
	const shards, workers = 4, 8
	b.open(Plan{Shards: shards})
	n := b.Messages
	gap := n / 2 / shards * shards // and the next ones, one in each shard
	b.sendN(0, n, shards)
	c := b.consumer(o)
	ms := b.take(c, n)
	rand.Shuffle(n, func(i, j int) { ms[i], ms[j] = ms[j], ms[i] })
	var acking sync.WaitGroup
	for part := range slices.Chunk(ms, (n+workers-1)/workers) {
		acking.Go(func() {
			for _, m := range part {
				if i := number(m); i < gap || i >= gap+shards {
					m.Ack()
				}
			}
		})
	}
	for range 10 {
		b.commit(c)
	}
	acking.Wait()
	b.close(c)
	again := span(gap, gap+shards)
	if !b.PerMessage {
		again = span(gap, n)
	}
	b.wantSet("what is redelivered", b.rest(b.consumer(o), shards), again)
}

func gapInOneShard(b *bed, o streamer.ConsumerOptions) {
	const shards, n = 3, 90
	b.open(Plan{Shards: shards})
	b.sendN(0, n, shards)
	c := b.consumer(o)
	for _, m := range b.take(c, n) {
		if number(m) != 1 { // the first of shard 1
			b.ack(m)
		}
	}
	b.close(c)
	again := []int{1}
	if !b.PerMessage {
		for i := 1 + shards; i < n; i += shards {
			again = append(again, i)
		}
	}
	b.wantSet("what is redelivered", b.rest(b.consumer(o), shards), again)
}

func lateAcks(b *bed, o streamer.ConsumerOptions) {
	b.open(Plan{})
	b.sendN(0, 10, 1)
	c := b.consumer(o)
	ms := b.expect(c, span(0, 6)...)
	b.ack(ms[:3]...)
	for _, m := range ms[:3] {
		if m.Ack() {
			b.Errorf("the second Ack of %q says that it counted", m.Value)
		}
	}
	b.close(c)
	for _, m := range ms[3:] {
		if m.Ack() {
			b.Errorf("Ack of %q after Close says that it counted", m.Value)
		}
	}
	b.expect(b.consumer(o), span(3, 10)...)
}

// commitFails: Commit retries across a lost connection, and what was
// acknowledged before it is committed when it returns.
func commitFails(b *bed) {
	b.open(Plan{})
	b.sendN(0, 30, 1)
	c := b.consumer(b.resumable())
	b.ack(b.expect(c, span(0, 20)...)...)
	b.place.Cut()
	join := b.background("Commit across a lost connection", func() error { return c.Commit(b.ctx) })
	b.await("a report of the lost connection", func() bool { return len(told(b.seen, &b.seen.retries)) > 0 })
	b.place.Mend()
	join()
	b.close(c)
	b.expect(b.consumer(b.resumable()), span(20, 30)...)
}

func commitReturns(b *bed) {
	b.open(Plan{})
	b.sendN(0, 30, 1)
	child := b.spawn(errand{Mode: streamer.Resumable, Group: b.group, Take: 25, Ack: 25, Commit: 25})
	child.kill()
	b.expect(b.reopen(b.resumable()), span(25, 30)...)
}
