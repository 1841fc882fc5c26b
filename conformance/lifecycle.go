package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gostreamer/streamer"
)

func lifecycleCases() []testCase {
	cases := []testCase{
		{name: "an-ended-ctx-wins-over-a-message", run: endedCtxWins},
		{name: "only-the-cancelled-call-returns", run: onlyCancelledReturns},
		{name: "calls-with-an-ended-ctx", run: callsWithEndedCtx},
		{name: "a-channel-loses-nothing", run: channelLosesNothing},
		{name: "close-from-everywhere", run: closeFromEverywhere},
		{name: "close-with-a-full-buffer", run: closeWithFullBuffer},
		{name: "close-unread", run: closeUnread},
		{name: "after-close", run: afterClose},
		{name: "without-a-connection-a-ctx-ends-every-call", needs: []Part{Resuming, Connection}, run: ctxEndsWhileCut},
		{name: "without-a-connection-close-gives-up", needs: []Part{Resuming, Connection}, run: closeWhileCut},
		{name: "shutdown-loses-and-repeats-nothing", needs: []Part{Resuming}, run: shutdown},
	}
	for _, w := range ways() {
		cases = append(cases,
			testCase{name: "a-cancelled-ctx-ends/" + w.name, run: func(b *bed) { cancelEnds(b, w) }},
			testCase{name: "close-ends/" + w.name, run: func(b *bed) { closeEnds(b, w) }})
	}
	return cases
}

// way is one way to take a message: it blocks for one, or gives the reason why
// none comes.
type way struct {
	name string
	take func(ctx context.Context, c streamer.Consumer) (*streamer.Message, error)
}

func ways() []way {
	return []way{
		{"next", func(ctx context.Context, c streamer.Consumer) (*streamer.Message, error) { return c.Next(ctx) }},
		{"next-batch", takeBatch},
		{"messages", takeMessages},
		{"stream", takeStream},
	}
}

func takeBatch(ctx context.Context, c streamer.Consumer) (*streamer.Message, error) {
	ms, err := c.NextBatch(ctx, 1)
	if err != nil {
		return nil, err
	}
	return ms[0], nil
}

func takeMessages(ctx context.Context, c streamer.Consumer) (*streamer.Message, error) {
	for m, err := range c.Messages(ctx) {
		return m, err
	}
	return nil, c.Err()
}

func takeStream(ctx context.Context, c streamer.Consumer) (*streamer.Message, error) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	if m, ok := <-c.Stream(ctx); ok {
		return m, nil
	}
	return nil, c.Err()
}

// call starts one way of taking a message and gives its outcome.
func (b *bed) call(ctx context.Context, w way, c streamer.Consumer) <-chan error {
	outcome := make(chan error, 1)
	go func() {
		_, err := w.take(ctx, c)
		outcome <- err
	}()
	return outcome
}

// cancelEnds: the call is blocked, or about to be, when its ctx is cancelled.
// The consumer stays usable, in every way.
func cancelEnds(b *bed, w way) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	for i := range 10 {
		ctx, cancel := context.WithCancel(b.ctx)
		outcome := b.call(ctx, w, c)
		cancel()
		err := b.returns(w.name+" after its ctx ended", func() error { return <-outcome })
		b.unwrapped(w.name, err, context.Canceled)
		ctx, cancel = context.WithTimeout(b.ctx, 1)
		b.unwrapped(w.name, b.returns(w.name, func() error { return <-b.call(ctx, w, c) }), context.DeadlineExceeded)
		cancel()
		b.sendN(i, i+1, 1)
		b.expect(c, i)
	}
}

func closeEnds(b *bed, w way) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	outcome := b.call(b.ctx, w, c)
	b.close(c)
	err := b.returns(w.name+" after Close", func() error { return <-outcome })
	b.is(w.name+" after Close", err, streamer.ErrClosed)
	err = b.returns(w.name+" of a closed consumer", func() error { return <-b.call(b.ctx, w, c) })
	b.is(w.name+" of a closed consumer", err, streamer.ErrClosed)
}

// endedCtxWins: the message that was waiting is still there afterwards.
func endedCtxWins(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	b.sendN(0, 20, 1)
	b.expect(c, 0) // so the others are buffered, or soon will be
	ended, end := context.WithCancel(b.ctx)
	end()
	for i := 1; i < 20; i++ {
		for _, w := range ways() {
			err := b.returns(w.name+" with an ended ctx", func() error { return <-b.call(ended, w, c) })
			b.unwrapped(w.name+" with an ended ctx", err, context.Canceled)
		}
		b.expect(c, i)
	}
}

// onlyCancelledReturns: of two blocked calls the second can be cancelled, and
// the first still gets the next message.
func onlyCancelledReturns(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	first := b.call(b.ctx, ways()[0], c)
	ctx, cancel := context.WithCancel(b.ctx)
	second := b.call(ctx, ways()[0], c)
	cancel()
	b.unwrapped("the second Next", b.returns("the second Next", func() error { return <-second }), context.Canceled)
	b.sendN(0, 1, 1)
	b.within("the first Next", func() error { return <-first })
}

// callsWithEndedCtx: every call that takes a ctx returns, with its error or
// with what it could do without waiting.
func callsWithEndedCtx(b *bed) {
	b.open(Plan{})
	c, p, s := b.consumer(b.balanced()), b.producer(), b.streamer()
	ended, end := context.WithCancel(b.ctx)
	end()
	for what, call := range map[string]func() error{
		"Commit": func() error { return c.Commit(ended) },
		"Rewind": func() error { return c.Rewind(ended, streamer.End()) },
		"Lag":    func() error { _, err := c.Lag(ended); return err },
		"Flush":  func() error { return p.Flush(ended) },
		"Ping":   func() error { return s.Ping(ended) },
		"Consumer": func() error {
			_, err := s.Consumer(ended, streamer.ConsumerOptions{Streams: b.place.Streams})
			return err
		},
		"Producer": func() error {
			_, err := s.Producer(ended, streamer.ProducerOptions{Stream: b.place.Streams[0]})
			return err
		},
		"Describe": func() error { _, err := s.Admin().Describe(ended, b.place.Streams[0]); return err },
	} {
		err := b.returns(what+" with an ended ctx", call)
		if errors.Is(err, context.Canceled) {
			b.unwrapped(what, err, context.Canceled)
		}
	}
}

// channelLosesNothing: a message that no consumer received before ctx ended
// stays in the consumer, and comes next.
func channelLosesNothing(b *bed) {
	const n = 60
	b.open(Plan{})
	c := b.consumer(b.realtime())
	b.sendN(0, n, 1)
	for got := 0; got < n; {
		ctx, cancel := context.WithCancel(b.ctx)
		ch := c.Stream(ctx)
		all := []*streamer.Message{b.receive(ch, fmt.Sprintf("message %d", got))}
		cancel()
		for m := range ch {
			all = append(all, m)
		}
		if got+len(all) < n {
			all = append(all, b.next(c, "the message after the channel's"))
		}
		same(b, "messages of a channel and of Next after it", numbers(all), span(got, got+len(all)))
		got += len(all)
	}
}

// closeFromEverywhere: blocked calls of every kind, and several goroutines that
// close at once; all return, and Close says the same to each.
func closeFromEverywhere(b *bed) {
	b.open(Plan{Shards: 2})
	c, p, s := b.consumer(b.balanced()), b.producer(), b.streamer()
	var blocked []<-chan error
	for range 3 {
		for _, w := range ways() {
			blocked = append(blocked, b.call(b.ctx, w, c))
		}
	}
	var closing sync.WaitGroup
	errs := make(chan error, 9)
	for range 3 {
		for _, close := range []func() error{c.Close, p.Close, s.Close} {
			closing.Go(func() { errs <- close() })
		}
	}
	b.within("Close from several goroutines", func() error { closing.Wait(); return nil })
	close(errs)
	for err := range errs {
		b.must("Close", err)
	}
	for i, outcome := range blocked {
		err := b.returns(fmt.Sprintf("blocked call %d", i), func() error { return <-outcome })
		b.is("a call that Close interrupts", err, streamer.ErrClosed)
	}
}

func closeWithFullBuffer(b *bed) {
	b.open(Plan{Shards: 2})
	for _, m := range []streamer.ConsumerMode{streamer.RealTime, streamer.LoadBalanced} {
		o := b.in(m)
		o.Prefetch, o.BufferBytes = 20, 1000
		c := b.consumer(o)
		b.sendN(0, b.Messages, 2)
		b.next(c, "one message of many")
		b.close(c)
		b.close(c)
	}
}

func closeUnread(b *bed) {
	b.open(Plan{Streams: 2, Shards: 2})
	s := b.connect()
	for range 3 {
		b.consumerOn(s, b.realtime())
		b.consumerOn(s, b.balanced())
		b.producerOn(s, streamer.ProducerOptions{}).Send(b.ctx, streamer.Record{Value: value(0)})
	}
	b.close(s)
	b.close(s)
}

func afterClose(b *bed) {
	b.open(Plan{})
	s := b.connect()
	c, p := b.consumerOn(s, b.balanced()), b.producerOn(s, streamer.ProducerOptions{})
	b.close(s)
	_, err := s.Consumer(b.ctx, streamer.ConsumerOptions{Streams: b.place.Streams})
	b.is("Consumer", err, streamer.ErrClosed)
	_, err = s.Producer(b.ctx, streamer.ProducerOptions{Stream: b.place.Streams[0]})
	b.is("Producer", err, streamer.ErrClosed)
	_, err = c.Next(b.ctx)
	b.is("Next", err, streamer.ErrClosed)
	b.is("Commit", c.Commit(b.ctx), streamer.ErrClosed)
	_, err = p.Send(b.ctx, streamer.Record{Value: value(0)}).Wait(b.ctx)
	b.is("Send", err, streamer.ErrClosed)
	b.is("Ping", s.Ping(b.ctx), streamer.ErrClosed)
	b.must("Shutdown", s.Shutdown(b.ctx))
	b.must("Close", c.Close())
	b.must("Close", p.Close())
}
