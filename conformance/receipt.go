package conformance

import (
	"time"

	"github.com/gostreamer/streamer"
)

func receiptCases() []testCase {
	return []testCase{
		{name: "a-receipt-is-where-the-message-is", run: receiptIsMeta},
		{name: "receipts-of-many-senders", run: receiptsOfManySenders},
		{name: "times-are-the-clock's", run: receiptTimes},
		{name: "reading-from-a-receipt", needs: []Part{ReadingBack, Moving}, run: readingBack},
	}
}

func receiptIsMeta(b *bed) {
	const shards = 3
	place := b.open(Plan{Streams: 2, Shards: shards})
	c := b.consumer(b.realtime())
	rs := numbered(0, 60, shards)
	for i := range rs {
		rs[i].Stream = place.Streams[i%2]
	}
	metas := b.send(b.producer(), rs...)
	for _, m := range b.take(c, len(rs)) {
		if want := metas[number(m)]; !sameMeta(m.Meta, want) {
			b.Errorf("the receipt of message %d says %+v, it came with %+v", number(m), want, m.Meta)
		}
	}
}

func sameMeta(a, b streamer.Meta) bool {
	return a.Stream == b.Stream && a.Shard == b.Shard && a.Seq == b.Seq && a.Time.Equal(b.Time)
}

// receiptsOfManySenders: no two records get the same place.
func receiptsOfManySenders(b *bed) {
	const shards, senders = 2, 4
	b.open(Plan{Shards: shards})
	n := b.Messages / senders
	all := make(chan []streamer.Meta, senders)
	var joins []func()
	for i := range senders {
		p := b.producer()
		joins = append(joins, b.background("a sender", func() error {
			metas, err := b.trySend(p, numbered(i*n, (i+1)*n, shards)...)
			all <- metas
			return err
		}))
	}
	for _, join := range joins {
		join()
	}
	type where struct {
		shard streamer.ShardID
		seq   streamer.SeqNo
	}
	taken := make(map[where]bool)
	for range senders {
		for _, m := range <-all {
			if w := (where{m.Shard, m.Seq}); m.Seq.IsZero() || taken[w] {
				b.Fatalf("%+v is the place of two records, or of none", m)
			} else {
				taken[w] = true
			}
		}
	}
}

// skew is how far a server's clock may be off.
const skew = time.Minute

func receiptTimes(b *bed) {
	b.open(Plan{})
	before := time.Now().Add(-skew)
	metas := b.sendN(0, 50, 1)
	after := time.Now().Add(skew)
	for i, m := range metas {
		if m.Time.Before(before) || m.Time.After(after) {
			b.Errorf("receipt %d says %v, it was sent between %v and %v", i, m.Time, before, after)
		}
		if i > 0 && m.Time.Before(metas[i-1].Time) {
			b.Errorf("receipt %d says %v, the one before it %v", i, m.Time, metas[i-1].Time)
		}
	}
}

func readingBack(b *bed) {
	const shards, n = 3, 60
	place := b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	for i, m := range b.sendN(0, n, shards) {
		s := streamer.StreamShard{Stream: place.Streams[0], Shard: m.Shard}
		b.rewind(c, streamer.Each(map[streamer.StreamShard]streamer.Position{s: streamer.At(m.Seq)}))
		b.expect(c, i)
	}
}
