package conformance

import (
	"context"

	"github.com/gostreamer/streamer"
)

// vanishing opens a consumer with create=always, which reads five messages
// before its stream is deleted.
func (b *bed) vanishing(m streamer.ConsumerMode) streamer.Consumer {
	b.Helper()
	b.open(Plan{})
	c := b.consumerOn(b.connectBy(b.place.Always), b.in(m))
	b.sendN(0, 5, 1)
	b.ackIn(m, b.expect(c, span(0, 5)...))
	b.place.Delete(b.place.Streams[0])
	return c
}

// backAtOnce: there is a stream of that name again, with messages of its own,
// before the consumer may have looked.
func backAtOnce(b *bed, m streamer.ConsumerMode) {
	c := b.vanishing(m)
	b.place.Create(b.place.Streams[0])
	b.sendN(5, 12, 1)
	b.ackIn(m, b.expect(c, span(5, 12)...))
	b.sendN(12, 15, 1)
	b.ackIn(m, b.expect(c, span(12, 15)...))
	b.close(c)
}

// backWhileWaiting: as long as the stream is away Next waits as if nothing was
// sent, and neither fails nor spins.
func backWhileWaiting(b *bed, m streamer.ConsumerMode) {
	c := b.vanishing(m)
	before := b.retries()
	ctx, cancel := context.WithTimeout(b.ctx, spinTime)
	defer cancel()
	_, err := b.callNext(ctx, c)
	b.unwrapped("Next while the stream is away", err, context.DeadlineExceeded)
	if tries := b.retries() - before; tries > spinMost {
		b.Errorf("%d attempts within %v while the stream is away", tries, spinTime)
	}
	var first *streamer.Message
	join := b.background("Next until the stream is back", func() (err error) {
		first, err = b.tryNext(c)
		return err
	})
	b.place.Create(b.place.Streams[0])
	b.sendN(5, 12, 1)
	join()
	if number(first) != 5 {
		b.Fatalf("the first message after the stream came back is %q, want %q", first.Value, value(5))
	}
	b.ackIn(m, append(b.expect(c, span(6, 12)...), first))
	b.close(c)
}
