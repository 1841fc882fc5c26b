package conformance

import (
	"github.com/gostreamer/streamer"
)

// poison appends an entry that cannot be decoded.
func (b *bed) poison() streamer.StreamShard {
	b.Helper()
	return b.place.Poison(streamer.StreamShard{Stream: b.place.Streams[0]})
}

// poisoned sends 10 messages, an entry that cannot be decoded, 10 messages and
// another such entry.
func (b *bed) poisoned() {
	b.Helper()
	b.sendN(0, 10, 1)
	b.poison()
	b.sendN(10, 20, 1)
	b.poison()
}

// skips waits until n entries were reported as skipped, and finds no more.
func (b *bed) skips(n int) []streamer.SkipEvent {
	b.Helper()
	b.await("Hooks.Skipped", func() bool { return len(told(b.seen, &b.seen.skipped)) >= n })
	all := told(b.seen, &b.seen.skipped)
	if len(all) != n {
		b.Errorf("%d entries were reported as skipped, want %d", len(all), n)
	}
	return all
}

func poisonPassed(b *bed, m streamer.ConsumerMode) {
	b.open(Plan{})
	c := b.consumer(b.in(m))
	b.sendN(0, 10, 1)
	at := b.poison()
	b.sendN(10, 20, 1)
	b.expect(c, span(0, 20)...)
	if e := b.skips(1)[0]; e.StreamShard != at || e.Err == nil {
		b.Errorf("Skipped says %+v, want %+v and a reason", e, at)
	}
}

// poisonCommitted: an entry that was skipped is done with, the last one of
// the log too.
func poisonCommitted(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.resumable())
	b.poisoned()
	b.ack(b.expect(c, span(0, 20)...)...)
	b.skips(2)
	b.close(c)
	c = b.consumer(b.resumable())
	b.sendN(20, 23, 1)
	b.expect(c, 20, 21, 22)
	b.skips(2)
}

// poisonAfterGap: what is before the entry and not acknowledged is redelivered,
// and the entry is skipped again.
func poisonAfterGap(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.resumable())
	b.poisoned()
	ms := b.expect(c, span(0, 20)...)
	b.ack(ms[:8]...)
	b.close(c)
	b.expect(b.consumer(b.resumable()), span(8, 20)...)
}
