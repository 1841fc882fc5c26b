package conformance

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
)

// shutdown: a program that acknowledges its input when its output is stored is
// shut down in full flight, three times. Its output has every message once.
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

// relay copies the first stream to the second one until it is shut down, which
// may be at any moment.
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

// ctxEndsWhileCut: what waits for an answer that cannot come ends with its ctx,
// and works again when the connection does.
func ctxEndsWhileCut(b *bed) {
	b.open(Plan{})
	b.sendN(0, 10, 1)
	c, p := b.consumer(b.resumable()), b.producer()
	b.ack(b.expect(c, 0, 1, 2)...)
	b.place.Cut()
	receipt := p.Send(b.ctx, streamer.Record{Value: value(10)})
	for what, call := range map[string]func(ctx context.Context) error{
		"Commit": c.Commit,
		"Flush":  p.Flush,
		"Wait":   func(ctx context.Context) error { _, err := receipt.Wait(ctx); return err },
		"Rewind": func(ctx context.Context) error { return c.Rewind(ctx, streamer.Beginning()) },
	} {
		ctx, cancel := context.WithTimeout(b.ctx, moment)
		err := b.returns(what+" without a connection", func() error { return call(ctx) })
		b.unwrapped(what+" without a connection", err, context.DeadlineExceeded)
		cancel()
	}
	b.place.Mend()
	b.within("Flush", func() error { return p.Flush(b.ctx) })
	b.rewind(c, streamer.Beginning())
	b.expect(c, span(0, 11)...)
}

// closeWhileCut: Close gives up at CloseTimeout, and what was not committed
// is redelivered.
func closeWhileCut(b *bed) {
	b.open(Plan{})
	b.sendN(0, 10, 1)
	s := b.connect(func(o *streamer.StreamerOptions) { o.CloseTimeout = moment })
	c, p := b.consumerOn(s, b.resumable()), b.producerOn(s, streamer.ProducerOptions{})
	b.ack(b.expect(c, 0, 1, 2)...)
	b.place.Cut()
	p.Send(b.ctx, streamer.Record{Value: value(10)})
	if err := b.returns("Consumer.Close", c.Close); err == nil {
		b.Error("Consumer.Close without a connection does not say that it could not commit")
	}
	_ = b.returns("Producer.Close", p.Close)
	_ = b.returns("Streamer.Close", s.Close)
	b.place.Mend()
	b.expect(b.reopen(b.resumable()), 0)
}
