package conformance

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
)

func moveCases() []testCase {
	moving, choosing := []Part{Moving}, []Part{Moving, Choosing}
	cases := []testCase{
		{name: "seek-several-shards", needs: moving, run: seekShards},
		{name: "seek-among-equal-times", needs: []Part{Moving, SenderTime}, run: seekEqualTimes},
		{name: "each-shard-its-own-place", needs: moving, run: rewindEach},
		{name: "what-was-trimmed-is-out-of-range", needs: []Part{Moving, Trimming}, run: trimmedPlaces},
		{name: "start-at-open", needs: moving, run: startAtOpen},
		{name: "re-reading-is-identical", needs: moving, run: rereading},
		{name: "an-impossible-move-changes-nothing", needs: moving, run: impossibleMoves},
		{name: "shards-at-open", needs: choosing, run: shardsAtOpen},
		{name: "two-consumers-on-different-shards/realtime", needs: choosing, run: func(b *bed) { differentShards(b, b.realtime()) }},
		{name: "two-consumers-on-different-shards/resumable", needs: append(choosing, Resuming), run: func(b *bed) { differentShards(b, b.resumable()) }},
		{name: "assign-and-unassign", needs: choosing, run: assignUnassign},
		{name: "committed-goes-back-to-it", needs: []Part{Moving, Resuming}, run: rewindCommitted},
		{name: "moving-leaves-the-group-and-committed-joins-it", needs: []Part{Moving, Resuming}, run: leaveAndJoin},
	}
	for _, m := range modes() {
		for name, run := range map[string]func(*bed, streamer.Consumer){
			"seek-by-time": seekByTime, "at-is-inclusive": atInclusive, "after-is-exclusive": afterExclusive,
			"beginning-and-end": beginningAndEnd, "out-of-range-is-the-nearest-end": outOfRange,
		} {
			cases = append(cases, testCase{
				name: name + "/" + m.name, needs: append([]Part{Moving}, m.needs...),
				run: func(b *bed) { b.open(Plan{}); run(b, b.consumer(b.in(m.mode))) },
			})
		}
	}
	slices.SortFunc(cases, func(a, b testCase) int { return strings.Compare(a.name, b.name) })
	return cases
}

func (b *bed) seek(c streamer.Consumer, t time.Time) {
	b.Helper()
	ctx, cancel := b.limit()
	defer cancel()
	if err := c.Seek(ctx, t); err != nil {
		b.Fatalf("Seek(%v): %v", t, err)
	}
}

// spaced stores the messages from..to-1 so that the times of any two differ by
// at least three units of the backend's precision.
func (b *bed) spaced(from, to, shards int) []streamer.Meta {
	b.Helper()
	p, apart := b.producer(), 3*b.Precision
	if !b.lacks(SenderTime) {
		rs := numbered(from, to, shards)
		for i := range rs {
			rs[i].Time = firstTime.Add(time.Duration(from+i) * max(apart, time.Second))
		}
		return b.send(p, rs...)
	}
	var metas []streamer.Meta
	for _, r := range numbered(from, to, shards) {
		m := b.send(p, r)[0]
		b.await("the clock to go on", func() bool { return time.Since(m.Time) > apart })
		metas = append(metas, m)
	}
	return metas
}

// firstTime is when the first of the spaced messages was sent, where the sender
// may say so.
var firstTime = time.Date(2024, 2, 29, 23, 59, 58, 0, time.UTC)

func seekByTime(b *bed, c streamer.Consumer) {
	const n = 12
	metas := b.spaced(0, n, 1)
	for i, m := range metas {
		b.seek(c, m.Time)
		b.expect(c, i)
		if i+1 < n {
			b.seek(c, m.Time.Add(b.Precision))
			b.expect(c, i+1)
		}
	}
	b.seek(c, metas[0].Time.Add(-time.Hour))
	b.expect(c, span(0, n)...)
	b.seek(c, metas[n-1].Time.Add(time.Hour))
	b.sendN(n, n+1, 1)
	b.expect(c, n)
}

func seekShards(b *bed) {
	const shards, n = 3, 30
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	metas := b.spaced(0, n, shards)
	for _, from := range []int{0, 7, 20, n - 1} {
		b.seek(c, metas[from].Time)
		b.wantSet("what is not older than the time sought", b.rest(c, shards), span(from, n))
	}
}

func seekEqualTimes(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	rs := numbered(0, 40, 1)
	for i := range rs {
		rs[i].Time = firstTime.Add(time.Duration(i/10) * time.Minute)
	}
	b.send(b.producer(), rs...)
	for decade := range 4 {
		b.seek(c, rs[decade*10].Time)
		b.expect(c, decade*10, decade*10+1)
	}
}

func atInclusive(b *bed, c streamer.Consumer) {
	const n = 30
	for i, m := range b.sendN(0, n, 1) {
		b.rewind(c, streamer.At(m.Seq))
		b.expect(c, i)
	}
	b.sendN(n, n+3, 1)
	b.expect(c, span(n, n+3)...)
}

func afterExclusive(b *bed, c streamer.Consumer) {
	const n = 30
	for i, m := range b.sendN(0, n, 1) {
		b.rewind(c, streamer.After(m.Seq))
		if i+1 < n {
			b.expect(c, i+1)
		}
	}
	b.sendN(n, n+3, 1)
	b.expect(c, span(n, n+3)...)
}

func beginningAndEnd(b *bed, c streamer.Consumer) {
	const n = 20
	b.sendN(0, n, 1)
	b.rewind(c, streamer.Beginning())
	b.expect(c, span(0, n)...)
	b.rewind(c, streamer.Beginning())
	b.expect(c, span(0, n/2)...)
	b.rewind(c, streamer.End())
	b.sendN(n, n+5, 1)
	b.expect(c, span(n, n+5)...)
}

// outOfRange: neither the highest number nor a time beyond all wraps to the
// beginning.
func outOfRange(b *bed, c streamer.Consumer) {
	const n = 10
	metas := b.sendN(0, n, 1)
	beyond := []streamer.Position{streamer.After(metas[n-1].Seq), streamer.AtTime(time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)),
		streamer.AtTime(time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC))}
	if !b.Highest.IsZero() {
		beyond = append(beyond, streamer.At(b.Highest), streamer.After(b.Highest))
	}
	for i, to := range beyond {
		b.rewind(c, to)
		b.sendN(n+i, n+i+1, 1)
		b.expect(c, n+i)
	}
	for _, year := range []int{1970, 1677, 1, -300_000_000} {
		b.rewind(c, streamer.AtTime(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)))
		b.expect(c, span(0, n+len(beyond))...)
	}
}

// trimmedPlaces: a place that was trimmed away means the oldest message left,
// whichever way it is named.
func trimmedPlaces(b *bed) {
	const n, gone = 30, 20
	b.open(Plan{})
	metas := b.spaced(0, n, 1)
	b.stop()
	b.place.Trim(streamer.StreamShard{Stream: b.place.Streams[0]}, metas[gone-1].Seq)
	c := b.consumer(b.realtime())
	for _, to := range []streamer.Position{
		streamer.At(metas[0].Seq), streamer.At(metas[7].Seq), streamer.After(metas[7].Seq), streamer.AtTime(metas[7].Time), streamer.Beginning(),
	} {
		b.rewind(c, to)
		b.expect(c, span(gone, n)...)
		o := b.realtime()
		o.Start = to
		started := b.consumer(o)
		b.expect(started, gone)
		b.close(started)
	}
}

func rewindEach(b *bed) {
	const shards, n = 3, 30
	place := b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	metas := b.sendN(0, n, shards)
	at := func(i int) streamer.StreamShard {
		return streamer.StreamShard{Stream: place.Streams[0], Shard: metas[i].Shard}
	}
	b.rewind(c, streamer.Each(map[streamer.StreamShard]streamer.Position{
		at(9): streamer.At(metas[9].Seq), at(20): streamer.After(metas[20].Seq),
	}))
	var want []int
	for i := range n {
		if (i%shards == 0 && i >= 9) || (i%shards == 2 && i > 20) {
			want = append(want, i)
		}
	}
	b.wantSet("what is at or after its shard's place", b.take(c, len(want)), want)
	b.sendN(n, n+shards, shards)
	b.wantSet("new messages of the shards that have a place", b.take(c, 2), []int{n, n + 2})
}

// startAtOpen: Start of a RealTime consumer is where a Rewind would go.
func startAtOpen(b *bed) {
	const n = 20
	b.open(Plan{})
	metas := b.spaced(0, n, 1)
	for _, start := range []struct {
		at    streamer.Position
		first int
	}{
		{streamer.Beginning(), 0},
		{streamer.At(metas[7].Seq), 7},
		{streamer.After(metas[7].Seq), 8},
		{streamer.AtTime(metas[12].Time), 12},
		{streamer.AtTime(metas[12].Time.Add(b.Precision)), 13},
		{streamer.After(metas[n-1].Seq), n},
		{streamer.End(), n},
	} {
		o := b.realtime()
		o.Start = start.at
		c := b.consumer(o)
		b.wantSet(start.at.String(), b.rest(c, 1), span(start.first, n))
		b.close(c)
	}
}

// sight is what one reading saw of a message, to compare with another.
type sight struct {
	seq        streamer.SeqNo
	time       int64
	key, value string
}

func rereading(b *bed) {
	const shards = 4
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	n := b.Messages
	b.sendN(0, n, shards)
	look := func() map[streamer.ShardID][]sight {
		all := make(map[streamer.ShardID][]sight)
		for _, m := range b.take(c, n) {
			all[m.Shard] = append(all[m.Shard], sight{m.Seq, m.Time.UnixNano(), string(m.Key), string(m.Value)})
		}
		return all
	}
	first := look()
	for range 2 {
		b.rewind(c, streamer.Beginning())
		for shard, again := range look() {
			same(b, "the second reading", again, first[shard])
		}
	}
}

func impossibleMoves(b *bed) {
	b.open(Plan{Shards: 2})
	c := b.consumer(b.realtime())
	metas := b.sendN(0, 10, 2)
	b.take(c, 4)
	for what, to := range map[string]streamer.Position{
		"At of a zero SeqNo":        streamer.At(streamer.SeqNo{}),
		"After of a zero SeqNo":     streamer.After(streamer.SeqNo{}),
		"At with two shards in use": streamer.At(metas[0].Seq),
		"After with two in use":     streamer.After(metas[0].Seq),
	} {
		ctx, cancel := b.limit()
		b.is(what, c.Rewind(ctx, to), streamer.ErrInvalid)
		cancel()
	}
	b.take(c, 6)
	b.close(c)
	b.is("Rewind after Close", c.Rewind(context.Background(), streamer.Beginning()), streamer.ErrClosed)
}
