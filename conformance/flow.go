package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
)

func flowCases() []testCase {
	cases := []testCase{
		{name: "buffer-bytes-bound-what-is-ahead", run: bufferBytesBound},
		{name: "prefetch-bounds-what-is-ahead", run: prefetchBound},
		{name: "the-producer's-buffer-blocks-send/count", needs: []Part{Connection}, run: func(b *bed) {
			producerBound(b, streamer.ProducerOptions{MaxBuffered: 10})
		}},
		{name: "the-producer's-buffer-blocks-send/bytes", needs: []Part{Connection}, run: func(b *bed) {
			producerBound(b, streamer.ProducerOptions{MaxBufferedBytes: 10 * 1000})
		}},
		{name: "an-unread-member-holds-up-no-other", run: unreadMember},
	}
	for _, m := range groupModes() {
		cases = append(cases,
			testCase{name: "the-window-stops-a-shard/" + m.name, needs: m.needs, run: func(b *bed) { windowStops(b, b.in(m.mode)) }},
			testCase{name: "a-full-shard-stops-no-other/" + m.name, needs: m.needs, run: func(b *bed) { fullShard(b, b.in(m.mode)) }},
			testCase{name: "a-stall-is-reported/" + m.name, needs: m.needs, idle: true, run: func(b *bed) { stallReported(b, b.in(m.mode)) }})
	}
	return append(cases, smallWindowCases()...)
}

// groupModes are those in which messages are acknowledged.
func groupModes() []mode {
	return []mode{{"resumable", streamer.Resumable, []Part{Resuming}}, {"load-balanced", streamer.LoadBalanced, nil}}
}

// ahead is how much was fetched before the latest fetch. When that began, there
// was room for it.
func (b *bed) ahead() (messages, bytes int) {
	all := told(b.seen, &b.seen.fetched)
	for _, e := range all[:len(all)-1] {
		messages += e.Messages
		bytes += e.Bytes
	}
	return messages, bytes
}

// bufferBytesBound reads slowly and looks after each message at how far the
// fetching had run ahead when it last continued.
func bufferBytesBound(b *bed) {
	const buffer, size = 50_000, 2000
	b.open(Plan{})
	o := b.realtime()
	o.BufferBytes = buffer
	c := b.consumer(o)
	p := b.producer()
	n := max(b.Messages, 3000)
	for range n {
		p.Send(b.ctx, streamer.Record{Value: bytes.Repeat([]byte("v"), size)})
	}
	b.within("Flush", func() error { return p.Flush(b.ctx) })
	for i := range n {
		b.next(c, fmt.Sprintf("message %d of %d", i+1, n))
		_, fetched := b.ahead()
		if ahead := fetched - (i+1)*size; ahead > buffer+b.Overshoot*size {
			b.Fatalf("fetching went on with %d bytes ahead of message %d, the buffer is %d", ahead, i, buffer)
		}
	}
}

func prefetchBound(b *bed) {
	const prefetch = 30
	b.open(Plan{})
	o := b.realtime()
	o.Prefetch = prefetch
	c := b.consumer(o)
	n := max(b.Messages, 1000)
	b.sendN(0, n, 1)
	for i := range n {
		b.next(c, fmt.Sprintf("message %d of %d", i+1, n))
		fetched, _ := b.ahead()
		if ahead := fetched - (i + 1); ahead > prefetch+b.Overshoot {
			b.Fatalf("fetching went on with %d messages ahead of message %d, Prefetch is %d", ahead, i, prefetch)
		}
	}
}

// producerBound: without a connection nothing is resolved, so Send blocks when
// the buffer is full, and its ctx frees it.
func producerBound(b *bed, o streamer.ProducerOptions) {
	const room, size = 10, 1000
	b.open(Plan{})
	p := b.producerOn(b.streamer(), o)
	b.place.Cut()
	record := streamer.Record{Value: bytes.Repeat([]byte("v"), size)}
	ctx, cancel := context.WithTimeout(b.ctx, moment)
	defer cancel()
	var receipts []*streamer.Receipt
	for ctx.Err() == nil && len(receipts) <= 10*room {
		receipts = append(receipts, p.Send(ctx, record))
	}
	if len(receipts) > room+1 {
		b.Fatalf("%d records were taken into a buffer for %d", len(receipts)-1, room)
	}
	_, err := receipts[len(receipts)-1].Wait(b.ctx)
	b.unwrapped("a Send that found no room", err, context.DeadlineExceeded)
	b.place.Mend()
	for i, r := range receipts[:len(receipts)-1] {
		ctx, cancel := b.limit()
		if _, err := r.Wait(ctx); err != nil {
			b.Errorf("record %d that found room: %v", i, err)
		}
		cancel()
	}
}

// windowStops: at least MaxInFlight messages are handed out without an
// acknowledgement, and not many more than a fetch beyond it. One
// acknowledgement of all makes it continue.
func windowStops(b *bed, o streamer.ConsumerOptions) {
	const window = 20
	b.open(Plan{})
	o.MaxInFlight, o.Prefetch = window, window
	c := b.consumer(o)
	n := 20 * window
	b.sendN(0, n, 1)
	held := b.take(c, window)
	for {
		ctx, cancel := context.WithTimeout(b.ctx, moment)
		m, err := b.callNext(ctx, c)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		b.must("Next", err)
		if held = append(held, m); len(held) > 4*window {
			b.Fatalf("%d messages are in flight, MaxInFlight is %d", len(held), window)
		}
	}
	for got := len(held); got < n; got++ {
		b.ack(held...)
		held = append(held[:0], b.next(c, "a message after the window opened"))
	}
}

// callNext is Next that must return, even if it ignores ctx.
func (b *bed) callNext(ctx context.Context, c streamer.Consumer) (m *streamer.Message, err error) {
	b.Helper()
	err = b.returns("Next", func() error { m, err = c.Next(ctx); return err })
	return m, err
}

// fullShard never acknowledges shard 0. Shard 1 continues to its end if the
// source can pause a shard, and stops if it cannot.
func fullShard(b *bed, o streamer.ConsumerOptions) {
	const window, shards, each = 20, 2, 400
	b.open(Plan{Shards: shards})
	o.MaxInFlight, o.Prefetch = window, window
	c := b.consumer(o)
	b.sendN(0, shards*each, shards)
	for got := 0; got < each; {
		ctx, cancel := b.limit()
		if !b.Pauses {
			cancel()
			ctx, cancel = context.WithTimeout(b.ctx, moment)
		}
		m, err := b.callNext(ctx, c)
		cancel()
		switch {
		case err != nil && b.Pauses:
			b.Fatalf("waiting for message %d of %d in a shard beside a full one: %v", got+1, each, err)
		case err != nil:
			return
		case m.Shard == 1:
			b.ack(m)
			got++
		}
	}
	if !b.Pauses {
		b.Error("the other shard went on: say so in the harness (Pauses)")
	}
}

// stallTime is generous about the 10 s after which a full window is reported.
const stallTime = 30 * time.Second

func stallReported(b *bed, o streamer.ConsumerOptions) {
	const window = 10
	b.open(Plan{})
	o.MaxInFlight, o.Prefetch = window, window
	c := b.consumer(o)
	metas := b.sendN(0, 10*window, 1)
	held := b.expect(c, span(0, window)...)
	b.awaitFor(stallTime, "Hooks.Stalled", func() bool { return len(told(b.seen, &b.seen.stalls)) > 0 })
	e := told(b.seen, &b.seen.stalls)[0]
	if e.Stream != b.place.Streams[0] || e.Shard != 0 || e.Group != b.group || e.InFlight < window || e.Oldest != metas[0].Seq {
		b.Errorf("Stalled says %+v; %d messages from %v on are not acknowledged", e, window, metas[0].Seq)
	}
	b.ack(held...)
	b.next(c, "the message after the stall")
}

// unreadMember: a member that takes nothing, with its buffer full, keeps
// neither another from joining nor that one from its share.
func unreadMember(b *bed) {
	const shards = 4
	b.open(Plan{Shards: shards})
	o := b.balanced()
	o.Prefetch, o.BufferBytes = 10, 1000
	unread := b.consumer(o)
	n := b.Messages
	b.sendN(0, n, shards)
	reader := b.consumerOn(b.connect(), o)
	b.settle(unread, reader)
	have := make(map[int]bool)
	take := func(want int) {
		for len(have) < want {
			m := b.next(reader, fmt.Sprintf("message %d of %d", len(have)+1, n))
			have[number(m)] = true
			m.Ack()
		}
	}
	take(n / 4)
	b.close(unread)
	take(n)
}
