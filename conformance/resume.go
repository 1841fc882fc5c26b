package conformance

import (
	"math/rand/v2"

	"github.com/gostreamer/streamer"
)

func resumeCases() []testCase {
	resuming, killing := []Part{Resuming}, []Part{Resuming, Killing}
	return []testCase{
		{name: "goes-on-after-the-last-acknowledged", needs: resuming, run: goesOn},
		{name: "unacknowledged-comes-again", needs: resuming, run: comesAgain},
		{name: "first-position-is-committed-at-open", needs: resuming, run: firstPosition},
		{name: "first-position-of-an-empty-stream", needs: resuming, run: firstPositionEmpty},
		{name: "groups-are-independent", needs: resuming, run: independentGroups},
		{name: "each-shard-has-its-position", needs: resuming, run: positionPerShard},
		{name: "many-short-lives", needs: resuming, run: manyShortLives},
		{name: "first-position-survives-sigkill", needs: killing, run: firstPositionKilled},
		{name: "commit-survives-sigkill", needs: killing, run: commitKilled},
		{name: "commits-by-itself", needs: killing, run: commitsByItself},
	}
}

func goesOn(b *bed) {
	b.open(Plan{})
	b.sendN(0, 100, 1)
	c := b.consumer(b.resumable())
	b.ack(b.expect(c, span(0, 40)...)...)
	b.commit(c)
	b.close(c)
	b.expect(b.consumer(b.resumable()), span(40, 100)...)
}

func comesAgain(b *bed) {
	b.open(Plan{})
	b.sendN(0, 20, 1)
	c := b.consumer(b.resumable())
	b.ack(b.expect(c, span(0, 10)...)[:5]...)
	b.close(c)
	b.expect(b.consumer(b.resumable()), span(5, 20)...)
}

// firstPosition: a Latest consumer that never got anything has fixed its place
// all the same.
func firstPosition(b *bed) {
	const shards = 3
	b.open(Plan{Shards: shards})
	b.sendN(0, 9, shards)
	o := b.resumable()
	o.AutoReset = streamer.Latest
	b.close(b.consumer(o))
	b.sendN(9, 30, shards)
	c := b.consumer(o)
	b.wantSet("what was sent while no consumer ran", b.take(c, 21), span(9, 30))
}

func firstPositionEmpty(b *bed) {
	b.open(Plan{})
	o := b.resumable()
	o.AutoReset = streamer.Latest
	b.close(b.consumer(o))
	b.sendN(0, 10, 1)
	b.expect(b.consumer(o), span(0, 10)...)
}

func independentGroups(b *bed) {
	b.open(Plan{})
	b.sendN(0, 20, 1)
	one, two := b.resumable(), b.resumable()
	two.Group += "-too"
	c1, c2 := b.consumer(one), b.consumer(two)
	b.ack(b.expect(c1, span(0, 15)...)...)
	b.ack(b.expect(c2, span(0, 5)...)...)
	b.close(c1)
	b.close(c2)
	b.expect(b.consumer(one), span(15, 20)...)
	b.expect(b.consumer(two), span(5, 20)...)
}

// positionPerShard acknowledges a different share of each shard.
func positionPerShard(b *bed) {
	const shards = 4
	b.open(Plan{Shards: shards})
	n := b.Messages
	b.sendN(0, n, shards)
	c := b.consumer(b.resumable())
	var left []int
	for _, m := range b.take(c, n) {
		if done := n * int(m.Shard) / shards; number(m) < done {
			b.ack(m)
		} else {
			left = append(left, number(m))
		}
	}
	b.close(c)
	b.wantSet("what was not acknowledged", b.rest(b.consumer(b.resumable()), shards), left)
}

// manyShortLives: while messages are sent, consumers open, take a few,
// acknowledge these and close. Together they see each message once.
func manyShortLives(b *bed) {
	const shards = 2
	b.open(Plan{Shards: shards})
	n, copies := b.Messages/4, make(map[int]int)
	o := b.resumable()
	c := b.consumer(o)
	p := b.producer()
	join := b.background("sending", func() error {
		_, err := b.trySend(p, numbered(0, n, shards)...)
		return err
	})
	for len(copies) < n {
		for range min(1+rand.IntN(n/8), n-len(copies)) {
			m := b.next(c, "a message of a short life")
			copies[number(m)]++
			b.ack(m)
		}
		b.close(c)
		c = b.consumer(o)
	}
	join()
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages were delivered twice though they were acknowledged before Close", d)
	}
}

func firstPositionKilled(b *bed) {
	b.open(Plan{})
	b.sendN(0, 5, 1)
	child := b.spawn(errand{Mode: streamer.Resumable, Group: b.group, Reset: streamer.Latest})
	child.kill()
	b.sendN(5, 10, 1)
	o := b.resumable()
	o.AutoReset = streamer.Latest
	b.expect(b.reopen(o), span(5, 10)...)
}

func commitKilled(b *bed) {
	b.open(Plan{})
	b.sendN(0, 30, 1)
	child := b.spawn(errand{Mode: streamer.Resumable, Group: b.group, Take: 20, Ack: 20, Commit: 10})
	child.kill()
	b.expect(b.reopen(b.resumable()), span(10, 30)...)
}

// commitsByItself: what is acknowledged is committed after CommitEvery, without
// Commit and Close. One message, so that a commit after its acknowledgement can
// only be its own.
func commitsByItself(b *bed) {
	b.open(Plan{})
	b.sendN(0, 10, 1)
	child := b.spawn(errand{Mode: streamer.Resumable, Group: b.group, Take: 1, Ack: 1, CommitEvery: "10ms", AwaitCommit: true})
	child.kill()
	b.expect(b.reopen(b.resumable()), span(1, 10)...)
}
