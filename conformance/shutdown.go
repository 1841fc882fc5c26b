package conformance

import (
	"errors"

	"github.com/gostreamer/streamer"
)

// shutdown: a program that acknowledges its input when its output is stored is shut down in full flight, three times. Its output has
// every message once.
func shutdown(b *bed) {
	const lives = 4
	place := b.open(Plan{Streams: 2})
	out := b.realtime()
	out.Streams = place.Streams[1:]
	written := b.consumerOn(b.connect(), out)
	n := b.Messages / 2
	b.sendN(0, n, 1)
	in := newIntake()
	for life := 1; life <= lives; life++ {
		s := b.connect()
		join := b.background("a program that is shut down", func() error { return b.relay(s) })
		in.until(b, n*life/lives, written)
		b.within("Shutdown", func() error { return s.Shutdown(b.ctx) })
		join()
	}
	if d := duplicates(in.numbers); d > 0 {
		b.Errorf("%d messages were written twice", d)
	}
	b.wantSet("what is written after the last life", b.restOf(written, 1, place.Streams[1]), nil)
}

// relay copies the first stream to the second one until it is shut down, which may be at any moment.
func (b *bed) relay(s streamer.Streamer) error {
	o := b.resumable()
	o.Streams = b.place.Streams[:1]
	c, err := b.tryConsumer(s, o)
	if err != nil {
		return closedIsFine(err)
	}
	p, err := s.Producer(b.ctx, streamer.ProducerOptions{Stream: b.place.Streams[1]})
	if err != nil {
		return closedIsFine(err)
	}
	for {
		m, err := c.Next(b.ctx)
		if err != nil {
			return closedIsFine(err)
		}
		p.Send(b.ctx, streamer.Record{Value: m.Value}).OnDone(func(_ streamer.Meta, err error) {
			if err == nil {
				m.Ack()
			}
		})
	}
}

func closedIsFine(err error) error {
	if errors.Is(err, streamer.ErrClosed) {
		return nil
	}
	return err
}
