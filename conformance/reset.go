package conformance

import (
	"fmt"

	"github.com/gostreamer/streamer"
)

func resetCases() []testCase {
	resetting := []Part{Resetting}
	cases := []testCase{
		{name: "realtime-from-earliest", needs: resetting, run: realtimeEarliest},
		{name: "a-trimmed-position-under-another-shard", needs: []Part{Resetting, Resuming, Trimming}, run: trimmedOneShard},
	}
	for _, m := range keepingModes() {
		for _, c := range []struct {
			name  string
			needs []Part
			run   func(*bed, streamer.ConsumerOptions)
		}{
			{"nothing-committed-latest", nil, resetLatest},
			{"nothing-committed-earliest", nil, resetEarliest},
			{"nothing-committed-error", nil, resetError},
			{"nothing-committed-start", []Part{Moving}, resetStart},
			{"a-committed-position-wins", []Part{Moving}, committedWins},
			{"a-trimmed-position-goes-on-at-the-oldest", []Part{Trimming}, trimmedGoesOn},
			{"a-trimmed-position-is-reported", []Part{Trimming, GoneReports}, trimmedReported},
			{"a-trimmed-position-is-an-error", []Part{Trimming, GoneReports}, trimmedError},
		} {
			cases = append(cases, testCase{
				name: c.name + "/" + m.name, needs: append(append(resetting[:1:1], m.needs...), c.needs...),
				run: func(b *bed) { c.run(b, b.in(m.mode)) },
			})
		}
	}
	return cases
}

func realtimeEarliest(b *bed) {
	b.open(Plan{})
	b.sendN(0, 10, 1)
	o := b.realtime()
	o.AutoReset = streamer.Earliest
	c := b.consumer(o)
	b.sendN(10, 20, 1)
	b.expect(c, span(0, 20)...)
}

func resetLatest(b *bed, o streamer.ConsumerOptions) {
	const shards = 2
	b.open(Plan{Shards: shards})
	b.sendN(0, 20, shards)
	o.AutoReset = streamer.Latest
	c := b.consumer(o)
	b.sendN(20, 40, shards)
	b.wantSet("what was sent after Consumer returned", b.rest(c, shards), span(20, 40))
}

func resetEarliest(b *bed, o streamer.ConsumerOptions) {
	const shards = 2
	b.open(Plan{Shards: shards})
	b.sendN(0, 20, shards)
	c := b.consumer(o)
	b.wantSet("everything there is", b.rest(c, shards), span(0, 20))
}

func resetError(b *bed, o streamer.ConsumerOptions) {
	b.open(Plan{})
	b.sendN(0, 20, 1)
	o.AutoReset = streamer.ResetError
	_, err := b.tryConsumer(b.streamer(), o)
	b.is("Consumer with ResetError and nothing committed", err, streamer.ErrPositionGone)
}

// resetStart: Start comes before AutoReset.
func resetStart(b *bed, o streamer.ConsumerOptions) {
	const n = 20
	b.open(Plan{})
	metas := b.spaced(0, n, 1)
	for i, start := range []struct {
		at    streamer.Position
		reset streamer.AutoReset
		first int
	}{
		{streamer.Beginning(), streamer.Latest, 0},
		{streamer.At(metas[5].Seq), streamer.Earliest, 5},
		{streamer.After(metas[5].Seq), streamer.ResetError, 6},
		{streamer.AtTime(metas[9].Time), streamer.Earliest, 9},
		{streamer.End(), streamer.Earliest, n},
	} {
		o := o
		o.Group += fmt.Sprint("-", i)
		o.Start, o.AutoReset = start.at, start.reset
		c := b.consumer(o)
		b.wantSet(start.at.String(), b.rest(c, 1), span(start.first, n))
		b.close(c)
	}
}

func committedWins(b *bed, o streamer.ConsumerOptions) {
	const n = 20
	b.open(Plan{})
	metas := b.sendN(0, n, 1)
	c := b.consumer(o)
	b.ack(b.expect(c, span(0, 10)...)...)
	b.close(c)
	for _, start := range []streamer.Position{{}, streamer.Beginning(), streamer.End(), streamer.At(metas[3].Seq)} {
		for _, reset := range []streamer.AutoReset{streamer.Latest, streamer.Earliest, streamer.ResetError} {
			o.Start, o.AutoReset = start, reset
			c := b.consumer(o)
			b.wantSet(fmt.Sprintf("Start %v, AutoReset %d", start, reset), b.rest(c, 1), span(10, n))
			b.close(c)
		}
	}
}

// trimmed commits the first 10 of 60 messages for the group, closes everything
// and trims the first 40. It returns where these are.
func (b *bed) trimmed(o streamer.ConsumerOptions) []streamer.Meta {
	b.Helper()
	b.open(Plan{})
	metas := b.sendN(0, 60, 1)
	c := b.consumer(o)
	b.ack(b.expect(c, span(0, 10)...)...)
	b.close(c)
	b.stop()
	b.place.Trim(streamer.StreamShard{Stream: b.place.Streams[0]}, metas[39].Seq)
	return metas
}

// stop closes the case's first program; the next verb starts another.
func (b *bed) stop() {
	b.Helper()
	if b.first != nil {
		b.close(b.first)
		b.first = nil
	}
}

func trimmedGoesOn(b *bed, o streamer.ConsumerOptions) {
	b.trimmed(o)
	for _, reset := range []streamer.AutoReset{streamer.Latest, streamer.Earliest} {
		o.AutoReset = reset
		c := b.consumer(o)
		b.expect(c, span(40, 60)...)
		b.close(c)
	}
}

func trimmedReported(b *bed, o streamer.ConsumerOptions) {
	metas := b.trimmed(o)
	o.AutoReset = streamer.Latest
	b.expect(b.consumer(o), 40)
	b.await("Hooks.Gone", func() bool { return len(told(b.seen, &b.seen.gone)) > 0 })
	e := told(b.seen, &b.seen.gone)[0]
	if e.Stream != b.place.Streams[0] || e.Wanted.IsZero() || e.Wanted.Compare(metas[39].Seq) > 0 || e.Got.Compare(metas[40].Seq) > 0 {
		b.Errorf("Gone says %+v; the position was near %v and the oldest left is %v", e, metas[10].Seq, metas[40].Seq)
	}
}

func trimmedError(b *bed, o streamer.ConsumerOptions) {
	b.trimmed(o)
	o.AutoReset = streamer.ResetError
	_, err := b.tryConsumer(b.streamer(), o)
	b.is("Consumer with ResetError and a trimmed position", err, streamer.ErrPositionGone)
}

// trimmedOneShard: only the shard that was trimmed moves.
func trimmedOneShard(b *bed) {
	const shards, n = 2, 40
	b.open(Plan{Shards: shards})
	metas := b.sendN(0, n, shards)
	o := b.resumable()
	c := b.consumer(o)
	for _, m := range b.take(c, n) {
		if number(m) < 10 {
			b.ack(m)
		}
	}
	b.close(c)
	b.stop()
	b.place.Trim(streamer.StreamShard{Stream: b.place.Streams[0], Shard: 1}, metas[29].Seq)
	var want []int
	for i := 10; i < n; i++ {
		if i%shards == 0 || i > 29 {
			want = append(want, i)
		}
	}
	b.wantSet("what is left of both shards", b.rest(b.consumer(o), shards), want)
}
