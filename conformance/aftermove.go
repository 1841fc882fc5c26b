package conformance

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"golang.org/x/sync/errgroup"
)

func afterMoveCases() []testCase {
	resuming := []Part{Moving, Resuming}
	cases := []testCase{
		{name: "the-channel-holds-nothing-stale", needs: []Part{Moving}, run: staleChannel},
		{name: "moves-under-many-callers", needs: []Part{Moving}, run: movesUnderCallers},
		{name: "moves-are-serialised", needs: []Part{Moving}, run: movesSerialised},
		{name: "earlier-acks-do-nothing", needs: resuming, run: earlierAcks},
		{name: "the-new-position-is-committed", needs: resuming, run: newPositionCommitted},
		{name: "no-old-commit-lands-after", needs: resuming, run: noOldCommit},
		{name: "the-new-position-survives-sigkill", needs: append(resuming, Killing), run: newPositionKilled},
	}
	for _, m := range modes() {
		cases = append(cases, testCase{
			name: "nothing-buffered-from-before/" + m.name, needs: append([]Part{Moving}, m.needs...),
			run: func(b *bed) { nothingFromBefore(b, m.mode) },
		})
	}
	return cases
}

// nothingFromBefore moves back and forth with a full buffer.
func nothingFromBefore(b *bed, m streamer.ConsumerMode) {
	b.open(Plan{})
	c := b.consumer(b.in(m))
	n := b.Messages
	metas := b.sendN(0, n, 1)
	b.expect(c, 0)
	for i := range 40 {
		at := (i * 7919) % n
		b.rewind(c, streamer.At(metas[at].Seq))
		b.expect(c, span(at, min(at+3, n))...)
	}
	b.rewind(c, streamer.End())
	b.sendN(n, n+1, 1)
	b.expect(c, n)
}

// staleChannel: the goroutine behind Stream holds a message ready; a move takes
// it out of its hand.
func staleChannel(b *bed) {
	const n = 50
	b.open(Plan{})
	c := b.consumer(b.realtime())
	ch := c.Stream(b.ctx)
	metas := b.sendN(0, n, 1)
	for i := range 20 {
		b.receive(ch, fmt.Sprintf("round %d", i))
		at := n - 2 - i
		b.rewind(c, streamer.At(metas[at].Seq))
		if m := b.receive(ch, "the first after the move"); number(m) != at {
			b.Fatalf("after Rewind to message %d the channel gave message %d", at, number(m))
		}
	}
}

// receive takes one message from a channel of Stream.
func (b *bed) receive(ch <-chan *streamer.Message, what string) *streamer.Message {
	b.Helper()
	ctx, cancel := b.limit()
	defer cancel()
	select {
	case m, ok := <-ch:
		if !ok {
			b.Fatalf("%s: the channel is closed", what)
		}
		return m
	case <-ctx.Done():
		b.Fatalf("waited %v for %s", b.Hang, what)
		return nil
	}
}

// movesUnderCallers: many goroutines take messages while the consumer moves
// forward. A call that began after a move returned gives nothing from before
// it.
func movesUnderCallers(b *bed) {
	const callers = 6
	b.open(Plan{})
	c := b.consumer(b.realtime())
	n := b.Messages
	metas := b.sendN(0, n, 1)
	var floor atomic.Int64
	var calls errgroup.Group
	for range callers {
		calls.Go(func() error {
			for {
				least := floor.Load()
				m, err := b.tryNext(c)
				if err != nil {
					return err
				}
				if int64(number(m)) < least {
					return fmt.Errorf("a call after the move to message %d got message %d", least, number(m))
				}
				if number(m) >= n {
					return nil
				}
			}
		})
	}
	for at := n / 20; at < n; at += n / 20 {
		b.rewind(c, streamer.At(metas[at].Seq))
		floor.Store(int64(at))
	}
	b.sendN(n, n+callers, 1)
	b.joins("the callers", calls.Wait)
}

func movesSerialised(b *bed) {
	const movers, moves, n = 4, 10, 100
	b.open(Plan{})
	c := b.consumer(b.realtime())
	metas := b.sendN(0, n, 1)
	var moving errgroup.Group
	for i := range movers {
		moving.Go(func() error {
			for j := range moves {
				ctx, cancel := b.limit()
				err := c.Rewind(ctx, streamer.At(metas[(i*moves+j)%n].Seq))
				cancel()
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	b.joins("moves from several goroutines", moving.Wait)
	b.rewind(c, streamer.At(metas[n/2].Seq))
	b.expect(c, span(n/2, n)...)
}

func earlierAcks(b *bed) {
	b.open(Plan{})
	b.sendN(0, 20, 1)
	c := b.consumer(b.resumable())
	held := b.expect(c, span(0, 10)...)
	b.rewind(c, streamer.Beginning())
	for _, m := range held {
		if m.Ack() {
			b.Errorf("Ack of %q, which was delivered before the move, says that it counted", m.Value)
		}
	}
	b.commit(c)
	b.close(c)
	b.expect(b.consumer(b.resumable()), span(0, 20)...)
}

func newPositionCommitted(b *bed) {
	b.open(Plan{})
	metas := b.sendN(0, 20, 1)
	for _, at := range []int{15, 3, 19} {
		c := b.consumer(b.resumable())
		b.rewind(c, streamer.At(metas[at].Seq))
		b.close(c)
		c = b.consumer(b.resumable())
		b.expect(c, at)
		b.close(c)
	}
}

// noOldCommit: acknowledgements and commits never stop while the consumer
// moves; where it moved to is where it starts again.
func noOldCommit(b *bed) {
	const rounds, n = 15, 200
	b.open(Plan{})
	metas := b.sendN(0, n, 1)
	for i := range rounds {
		at := (i*67 + 11) % n
		c := b.consumer(b.resumable())
		var stop atomic.Bool
		var busy sync.WaitGroup
		held := b.take(c, 3)
		acked := make(chan struct{})
		busy.Go(func() {
			for i := 0; !stop.Load(); i++ {
				held[i%3].Ack()
				if i == 0 {
					close(acked)
				}
				if c.Commit(b.ctx) != nil {
					return
				}
			}
		})
		<-acked
		b.rewind(c, streamer.At(metas[at].Seq))
		stop.Store(true)
		b.within("Commit beside Rewind", func() error { busy.Wait(); return nil })
		b.close(c)
		c = b.consumer(b.resumable())
		b.expect(c, at)
		b.rewind(c, streamer.Beginning())
		b.close(c)
	}
}

func newPositionKilled(b *bed) {
	b.open(Plan{})
	b.sendN(0, 20, 1)
	child := b.spawn(errand{Mode: streamer.Resumable, Group: b.group, Take: 12, Ack: 12, RewindTo: 7})
	child.kill()
	b.expect(b.reopen(b.resumable()), span(6, 20)...)
}
