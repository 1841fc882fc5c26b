package conformance

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"

	"github.com/gostreamer/streamer"
)

func failureCases() []testCase {
	return []testCase{
		{name: "a-bad-record-fails-alone", run: badRecordAlone},
		{name: "flush-reports-it-once", run: flushReports},
		{name: "close-reports-what-nothing-told", run: closeReports},
		{name: "close-reports-nothing-twice/wait", run: func(b *bed) { closeQuiet(b, waited, streamer.Streamer.Close) }},
		{name: "close-reports-nothing-twice/on-done", run: func(b *bed) { closeQuiet(b, calledBack, streamer.Streamer.Close) }},
		{name: "shutdown-reports-nothing-twice/wait", run: func(b *bed) { closeQuiet(b, waited, shutsDown(b)) }},
		{name: "shutdown-reports-nothing-twice/on-done", run: func(b *bed) { closeQuiet(b, calledBack, shutsDown(b)) }},
		{name: "shutdown-reports-what-nothing-told", run: shutdownReports},
		{name: "too-large-fails-alone", run: tooLarge},
		{name: "close-without-a-connection-says-unknown", needs: []Part{Connection}, run: closeUnknown},
		{name: "close-stores-what-was-sent", run: closeStores},
		{name: "flush-under-a-busy-sender", run: flushUnderSender},
		{name: "what-is-not-sent-says-so", run: notSent},
		{name: "a-receipt-answers-every-way", run: receiptWays},
	}
}

// withBad makes n records of which every one that bad selects cannot be stored.
func (b *bed) withBad(n int, bad func(i int) bool) []streamer.Record {
	b.Helper()
	if b.Bad == nil {
		b.Fatalf("harness %q has no bad record", b.Harness.Name)
	}
	rs := make([]streamer.Record, n)
	for i := range rs {
		rs[i] = streamer.Record{Value: value(i)}
		if bad(i) {
			rs[i] = b.Bad(rs[i])
		}
	}
	return rs
}

func every10th(i int) bool { return i%10 == 3 }

// goodOf are the numbers below n that are not bad.
func goodOf(n int) []int {
	var good []int
	for i := range n {
		if !every10th(i) {
			good = append(good, i)
		}
	}
	return good
}

func badRecordAlone(b *bed) {
	const n = 200
	b.open(Plan{})
	c := b.consumer(b.realtime())
	p := b.producer()
	var receipts []*streamer.Receipt
	for _, r := range b.withBad(n, every10th) {
		receipts = append(receipts, p.Send(b.ctx, r))
	}
	for i, r := range receipts {
		ctx, cancel := b.limit()
		m, err := r.Wait(ctx)
		cancel()
		switch {
		case every10th(i) && err == nil:
			b.Errorf("bad record %d was stored at %+v", i, m)
		case every10th(i) && errors.Is(err, context.DeadlineExceeded):
			b.Errorf("bad record %d is not resolved", i)
		case !every10th(i) && err != nil:
			b.Errorf("good record %d failed: %v", i, err)
		}
	}
	b.expect(c, goodOf(n)...)
}

func flushReports(b *bed) {
	const n = 40
	b.open(Plan{})
	p := b.producer()
	for _, r := range b.withBad(n, every10th) {
		p.Send(b.ctx, r)
	}
	ctx, cancel := b.limit()
	defer cancel()
	if err := p.Flush(ctx); err == nil || ctx.Err() != nil {
		b.Fatalf("Flush after 4 failures returned %v", err)
	}
	b.must("the second Flush", p.Flush(ctx))
	b.send(p, streamer.Record{Value: value(n)})
	b.must("Flush after a good record", p.Flush(ctx))
	b.must("Close after a Flush that reported", b.returns("Producer.Close", p.Close))
}

// sentinels are the kinds an error may have.
func sentinels() []error {
	return []error{
		streamer.ErrClosed, streamer.ErrUnsupported, streamer.ErrNotFound, streamer.ErrExists, streamer.ErrDenied, streamer.ErrTooLarge,
		streamer.ErrInvalid, streamer.ErrBusy, streamer.ErrFenced, streamer.ErrUnknown, streamer.ErrThrottled, streamer.ErrPositionGone,
	}
}

// tooLarge: a record that is one byte too large fails alone; the largest one
// that is not is stored.
func tooLarge(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	p := b.producer()
	big := bytes.Repeat([]byte("b"), b.Largest+1)
	for i, v := range [][]byte{value(0), big, value(1)} {
		ctx, cancel := b.limit()
		_, err := p.Send(ctx, streamer.Record{Value: v}).Wait(ctx)
		cancel()
		if i == 1 {
			b.is("a record of one byte too many", err, streamer.ErrTooLarge)
		} else {
			b.must("a record beside one that is too large", err)
		}
	}
	b.expect(c, 0, 1)
	if b.Largest > 4<<20 {
		return
	}
	b.send(p, streamer.Record{Value: big[1:]})
	if m := b.next(c, "the largest record"); len(m.Value) != b.Largest {
		b.Errorf("the largest record came with %d of %d bytes", len(m.Value), b.Largest)
	}
}

// closeUnknown: it is unknown, for records that could not be sent before
// CloseTimeout, what became of it.
func closeUnknown(b *bed) {
	b.open(Plan{})
	s := b.connect(func(o *streamer.StreamerOptions) { o.CloseTimeout = moment })
	p := b.producerOn(s, streamer.ProducerOptions{})
	b.place.Cut()
	receipt := p.Send(b.ctx, streamer.Record{Value: value(0)})
	b.is("Close without a connection", b.returns("Producer.Close", p.Close), streamer.ErrUnknown)
	_, err := receipt.Wait(b.ctx)
	b.is("the record's receipt", err, streamer.ErrUnknown)
	b.place.Mend()
}

// closeStores: receipts may be dropped; Close stores everything all the same.
func closeStores(b *bed) {
	const shards = 2
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	p := b.producer()
	for _, r := range numbered(0, b.Messages, shards) {
		p.Send(b.ctx, r)
	}
	b.close(p)
	copies := b.gather(b.Messages, nil, c)
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d records were stored twice", d)
	}
}

// flushUnderSender: Flush returns though another goroutine never stops sending,
// and what was sent before it is resolved then.
func flushUnderSender(b *bed) {
	b.open(Plan{})
	p := b.producer()
	var stop atomic.Bool
	join := b.background("the busy sender", func() error {
		for i := 0; !stop.Load(); i++ {
			if r := p.Send(b.ctx, streamer.Record{Value: value(i)}); i%64 == 0 {
				if _, err := r.Wait(b.ctx); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for range 20 {
		r := p.Send(b.ctx, streamer.Record{Value: []byte("before the flush")})
		b.within("Flush under a busy sender", func() error { return p.Flush(b.ctx) })
		select {
		case <-r.Done():
		default:
			b.Error("Flush returned before a record was resolved that was sent before it")
		}
	}
	stop.Store(true)
	join()
}

func notSent(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	p := b.producer()
	ended, end := context.WithCancel(b.ctx)
	end()
	_, err := p.Send(ended, streamer.Record{Value: value(0)}).Wait(b.ctx)
	b.unwrapped("Send with an ended ctx", err, context.Canceled)
	b.send(p, streamer.Record{Value: value(1)})
	b.close(p)
	_, err = p.Send(b.ctx, streamer.Record{Value: value(2)}).Wait(b.ctx)
	b.is("Send after Close", err, streamer.ErrClosed)
	b.sendN(3, 4, 1)
	b.expect(c, 1, 3)
}

// receiptWays: Wait, Done and OnDone tell the same, before and after the record
// is resolved.
func receiptWays(b *bed) {
	b.open(Plan{})
	p := b.producer()
	r := p.Send(b.ctx, streamer.Record{Value: value(0)})
	told := make(chan streamer.Meta, 2)
	tell := func(m streamer.Meta, err error) {
		if err == nil {
			told <- m
		}
	}
	r.OnDone(tell)
	ctx, cancel := b.limit()
	defer cancel()
	want, err := r.Wait(ctx)
	b.must("Wait", err)
	<-r.Done()
	r.OnDone(tell)
	for range 2 {
		select {
		case m := <-told:
			if !sameMeta(m, want) {
				b.Errorf("OnDone says %+v, Wait %+v", m, want)
			}
		case <-ctx.Done():
			b.Fatal("waiting for OnDone")
		}
	}
}
