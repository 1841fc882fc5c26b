package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
)

// smallWindowCases: a window of a few messages meets groups, Streams and
// entries that are no messages. None of these may fill it.
func smallWindowCases() []testCase {
	cases := []testCase{{name: "a-slow-member-stops-no-other-behind-a-small-window", run: slowMemberSmallWindow}}
	for _, m := range groupModes() {
		cases = append(cases,
			testCase{
				name: "what-cannot-be-decoded-fills-no-window/" + m.name, needs: append([]Part{Poisoning}, m.needs...),
				run: func(b *bed) { poisonFillsNoWindow(b, b.in(m.mode)) },
			},
			testCase{
				name: "streams-behind-a-small-window-keep-order/" + m.name, needs: m.needs,
				run: func(b *bed) { streamsSmallWindow(b, b.in(m.mode)) },
			})
	}
	return cases
}

// slowMemberSmallWindow: one member is slower than the others, which fill the
// window again and again. The message that it has yet to take is in the window.
func slowMemberSmallWindow(b *bed) {
	const shards, n, window, pause = 3, 300, 7, 5 * time.Millisecond
	b.open(Plan{Shards: shards})
	o := b.balanced()
	o.MaxInFlight = window
	members := []streamer.Consumer{b.consumer(o), b.consumer(o), b.consumer(o)}
	b.settle(members...)
	b.sendN(0, n, shards)
	copies := b.gather(n, func(taker int, m *streamer.Message) error {
		if taker == 0 {
			time.Sleep(pause)
		}
		m.Ack()
		return nil
	}, members...)
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages were delivered twice", d)
	}
}

// poisonFillsNoWindow: what is skipped is not in flight.
func poisonFillsNoWindow(b *bed, o streamer.ConsumerOptions) {
	const window = 5
	b.open(Plan{})
	o.MaxInFlight = window
	c := b.consumer(o)
	b.sendN(0, 1, 1)
	first := b.expect(c, 0)
	for range 2 * window {
		b.poison()
	}
	b.sendN(1, 2*window, 1)
	held := slices.Concat(first, b.expect(c, span(1, window)...))
	b.ack(held...)
	b.expect(c, span(window, 2*window)...)
}

// streamsSmallWindow ends one Stream after the other while it offers a message
// and later ones wait for room.
func streamsSmallWindow(b *bed, o streamer.ConsumerOptions) {
	const shards, n, window, each = 2, 60, 2, 3
	b.open(Plan{Shards: shards})
	o.MaxInFlight = window
	c := b.consumer(o)
	b.sendN(0, n, shards)
	order, got := shardOrder{}, make(map[int]int)
	for len(got) < n {
		ctx, stop := context.WithCancel(b.ctx)
		ch := c.Stream(ctx)
		for range min(each, n-len(got)) {
			m := b.receive(ch, fmt.Sprintf("message %d of %d", len(got)+1, n))
			if err := order.check(m); err != nil {
				b.Error(err)
			}
			got[number(m)]++
			m.Ack()
		}
		stop()
		b.drainStream(ch, func(m *streamer.Message) { // the choice between its two ends is the runtime's
			got[number(m)]++
			m.Ack()
		})
	}
	if d := duplicates(got); d > 0 {
		b.Errorf("%d messages were delivered twice", d)
	}
}

// drainStream takes what a Stream whose ctx has ended still gives.
func (b *bed) drainStream(ch <-chan *streamer.Message, take func(m *streamer.Message)) {
	b.Helper()
	b.within("the end of a Stream whose ctx has ended", func() error {
		for m := range ch {
			take(m)
		}
		return nil
	})
}
