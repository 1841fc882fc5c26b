package conformance

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
)

func badStreamCases() []testCase {
	poison := []Part{Poisoning}
	cases := []testCase{
		{name: "missing", needs: []Part{Absence}, run: missingStream},
		{name: "wrong-type/consumer", needs: []Part{WrongType}, run: wrongTypeConsumer},
		{name: "wrong-type/producer", needs: []Part{WrongType}, run: wrongTypeProducer},
		{name: "denied/at-open", needs: []Part{Denial}, run: deniedAtOpen},
		{name: "denied/while-sending", needs: []Part{Denial}, run: deniedSending},
		{name: "deleted/under-a-producer", needs: []Part{Deletion}, run: deletedUnderProducer},
		{name: "the-group-vanishes", needs: []Part{Resuming, GroupLoss}, run: groupVanishes},
		{name: "undecodable/is-committed-over", needs: append(poison, Resuming), run: poisonCommitted},
		{name: "undecodable/waits-for-what-is-before-it", needs: append(poison, Resuming), run: poisonAfterGap},
	}
	for _, m := range modes() {
		cases = append(cases,
			testCase{name: "deleted/under-a-consumer/" + m.name, needs: append([]Part{Deletion}, m.needs...), run: func(b *bed) { deletedUnderConsumer(b, m.mode) }},
			testCase{name: "recreated/under-a-consumer/" + m.name, needs: append([]Part{Deletion}, m.needs...), run: func(b *bed) { recreatedUnderConsumer(b, m.mode) }},
			testCase{name: "back/at-once/" + m.name, needs: append([]Part{Deletion}, m.needs...), run: func(b *bed) { backAtOnce(b, m.mode) }},
			testCase{name: "back/while-Next-waits/" + m.name, needs: append([]Part{Deletion}, m.needs...), run: func(b *bed) { backWhileWaiting(b, m.mode) }},
			testCase{name: "undecodable/is-passed-over/" + m.name, needs: append(poison[:1:1], m.needs...), run: func(b *bed) { poisonPassed(b, m.mode) }})
	}
	return cases
}

// typed fails when err is not one of the module's errors with a kind.
func (b *bed) typed(what string, err error) {
	b.Helper()
	var e *streamer.Error
	if !errors.As(err, &e) || e.Kind == nil {
		b.Errorf("%s: error is %#v, want a *streamer.Error with a Kind", what, err)
	}
}

// opening connects somewhere odd; the error may come from there already.
func (b *bed) opening(connect func(context.Context, streamer.StreamerOptions) (streamer.Streamer, string, error)) (streamer.Streamer, string, error) {
	b.Helper()
	ctx, cancel := b.limit()
	defer cancel()
	s, stream, err := connect(ctx, b.options())
	if err == nil {
		b.Cleanup(func() { b.finish("Streamer.Close", s.Close) })
	}
	return s, stream, err
}

func missingStream(b *bed) {
	b.open(Plan{})
	s, stream, err := b.opening(b.place.Missing)
	for _, m := range modes() {
		if err != nil || (len(m.needs) > 0 && b.lacks(m.needs[0])) {
			continue
		}
		o := b.in(m.mode)
		o.Streams = []string{stream}
		_, err := b.tryConsumer(s, o)
		b.is("a consumer of a missing stream, "+m.name, err, streamer.ErrNotFound)
		b.typed("a consumer of a missing stream", err)
		if err != nil && !strings.Contains(err.Error(), "create=always") {
			b.Errorf("a consumer of a missing stream: %q does not say what to do: create=always", err)
		}
	}
	if err != nil {
		b.is("connecting to a missing stream", err, streamer.ErrNotFound)
	}
}

// firstError opens a consumer and takes messages until there is an error, which
// may come at open.
func (b *bed) firstError(s streamer.Streamer, o streamer.ConsumerOptions) error {
	b.Helper()
	c, err := b.tryConsumer(s, o)
	for err == nil {
		_, err = b.tryNext(c)
	}
	return err
}

func wrongTypeConsumer(b *bed) {
	b.open(Plan{})
	s, stream, err := b.opening(b.place.WrongType)
	if err == nil {
		o := b.realtime()
		o.Streams = []string{stream}
		err = b.firstError(s, o)
	}
	b.typed("a consumer of a stream of the wrong type", err)
}

func wrongTypeProducer(b *bed) {
	b.open(Plan{})
	s, stream, err := b.opening(b.place.WrongType)
	if err == nil {
		err = b.sendOne(s, stream)
	}
	b.typed("a producer to a stream of the wrong type", err)
}

// sendOne opens a producer and sends a record; the error may come at open.
func (b *bed) sendOne(s streamer.Streamer, stream string) error {
	ctx, cancel := b.limit()
	defer cancel()
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: stream})
	if err != nil {
		return err
	}
	_, err = p.Send(ctx, streamer.Record{Value: value(0)}).Wait(ctx)
	return err
}

func deniedAtOpen(b *bed) {
	b.open(Plan{})
	s := b.streamer()
	b.place.Deny(true)
	b.is("a consumer that is denied", b.firstError(s, b.realtime()), streamer.ErrDenied)
	b.is("a producer that is denied", b.sendOne(s, b.place.Streams[0]), streamer.ErrDenied)
	b.place.Deny(false)
	c := b.consumer(b.realtime())
	b.sendN(0, 1, 1)
	b.expect(c, 0)
}

// deniedSending: the records that were denied say so, and nothing is left that
// hangs.
func deniedSending(b *bed) {
	b.open(Plan{})
	p := b.producer()
	b.send(p, numbered(0, 5, 1)...)
	b.place.Deny(true)
	_, err := b.trySend(p, streamer.Record{Value: value(5)})
	b.is("a record that is denied", err, streamer.ErrDenied)
	b.place.Deny(false)
	b.send(p, numbered(6, 10, 1)...)
}

// spinTime is how long a case watches for a busy loop, spinMost how many
// attempts to mend something it grants meanwhile.
const (
	spinTime = 500 * time.Millisecond
	spinMost = 100
)

// deletedUnderConsumer: Next either gives a typed error, every time, or waits
// for the stream to come back and then continues. It neither spins nor hangs:
// its ctx ends it.
func deletedUnderConsumer(b *bed, m streamer.ConsumerMode) {
	b.open(Plan{})
	c := b.consumer(b.in(m))
	b.sendN(0, 5, 1)
	b.ackIn(m, b.expect(c, span(0, 5)...))
	b.place.Delete(b.place.Streams[0])
	before := b.retries()
	ctx, cancel := context.WithTimeout(b.ctx, spinTime)
	defer cancel()
	_, err := b.callNext(ctx, c)
	if tries := b.retries() - before; tries > spinMost {
		b.Errorf("%d attempts within %v after the stream was deleted", tries, spinTime)
	}
	if err == nil {
		b.Fatal("Next gave a message of a stream that was deleted")
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		b.typed("Next after the stream was deleted", err)
		_, again := b.tryNext(c)
		b.typed("Next once more", again)
	}
	b.within("Close after the stream was deleted", func() error { c.Close(); return nil })
	b.place.Create(b.place.Streams[0])
	c = b.consumer(b.realtime())
	b.sendN(5, 8, 1)
	b.expect(c, 5, 6, 7)
}

// recreatedUnderConsumer: the stream comes back at once, with messages of its
// own. Next gives these, or a typed error; it does not hang.
func recreatedUnderConsumer(b *bed, m streamer.ConsumerMode) {
	b.open(Plan{})
	c := b.consumer(b.in(m))
	b.sendN(0, 5, 1)
	b.ackIn(m, b.expect(c, span(0, 5)...))
	b.place.Delete(b.place.Streams[0])
	b.place.Create(b.place.Streams[0])
	ctx, cancel := b.limit()
	defer cancel()
	sent := make(chan struct{})
	p := b.producer()
	join := b.background("sending to the new stream", func() error { return b.sendUntil(p, 5, sent) })
	got, err := b.callNext(ctx, c)
	close(sent)
	join()
	if err == nil && number(got) < 5 {
		b.Errorf("Next gave message %d of the stream that was deleted", number(got))
	}
	if err != nil {
		b.typed("Next after the stream was recreated", err)
	}
	b.within("Close", func() error { c.Close(); return nil })
}

// sendUntil sends numbered messages, one after another, until it is stopped.
func (b *bed) sendUntil(p streamer.Producer, from int, stop <-chan struct{}) error {
	for i := from; ; i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		if _, err := b.trySend(p, streamer.Record{Value: value(i)}); err != nil {
			return err
		}
	}
}

// ackIn acknowledges where that counts.
func (b *bed) ackIn(m streamer.ConsumerMode, ms []*streamer.Message) {
	b.Helper()
	if m != streamer.RealTime {
		b.ack(ms...)
	}
}

// deletedUnderProducer: each record is stored, where sending creates a stream,
// or fails with one typed error; when the stream is there again records are
// stored.
func deletedUnderProducer(b *bed) {
	b.open(Plan{})
	p := b.producer()
	b.send(p, numbered(0, 5, 1)...)
	b.place.Delete(b.place.Streams[0])
	if _, err := b.trySend(p, streamer.Record{Value: value(5)}); err != nil {
		b.typed("a record to a deleted stream", err)
	}
	b.within("Close", func() error { p.Close(); return nil })
	b.stop()
	b.place.Delete(b.place.Streams[0])
	b.place.Create(b.place.Streams[0])
	c := b.consumer(b.realtime())
	b.sendN(6, 9, 1)
	b.expect(c, 6, 7, 8)
}

// groupVanishes: nothing that was acknowledged is redelivered, nothing else is
// lost.
func groupVanishes(b *bed) {
	b.open(Plan{})
	o := b.resumable()
	c := b.consumer(o)
	b.sendN(0, 20, 1)
	b.ack(b.expect(c, span(0, 10)...)...)
	b.commit(c)
	b.place.DropGroup(b.place.Streams[0], o.Group)
	b.sendN(20, 30, 1)
	b.ack(b.expect(c, span(10, 25)...)...)
	b.commit(c)
	b.close(c)
	o.AutoReset = streamer.ResetError
	b.expect(b.consumer(o), span(25, 30)...)
}
