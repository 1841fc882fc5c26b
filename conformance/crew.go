package conformance

import (
	"context"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// crew is a group whose members come and go while messages are sent. Each
// acknowledges a message before it takes the next.
type crew struct {
	b       *bed
	options streamer.ConsumerOptions

	mu     sync.Mutex
	copies map[int]int
	err    error
}

// worker is one member and the goroutine that takes its messages, which leave
// joins.
type worker struct {
	consumer streamer.Consumer
	stop     context.CancelFunc
	ended    chan struct{}
}

func (c *crew) enlist(s streamer.Streamer) *worker {
	c.b.Helper()
	ctx, stop := context.WithCancel(c.b.ctx)
	w := &worker{c.b.consumerOn(s, c.options), stop, make(chan struct{})}
	go func() {
		defer close(w.ended)
		for c.handle(w.consumer.Next(ctx)) {
		}
	}()
	return w
}

// handle takes the outcome of Next and says whether to continue.
func (c *crew) handle(m *streamer.Message, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.copies[number(m)]++
		m.Ack()
	case err != context.Canceled && c.err == nil:
		c.err = err
	}
	return err == nil
}

// leave lets the worker end its message and closes the member.
func (c *crew) leave(w *worker) {
	c.b.Helper()
	w.stop()
	c.b.within("Next of a member that leaves", func() error { <-w.ended; return nil })
	c.b.close(w.consumer)
}

// reach waits until n different messages have arrived.
func (c *crew) reach(n int) {
	c.b.Helper()
	last, moved := -1, time.Now()
	for have := 0; have < n; time.Sleep(time.Millisecond) {
		var err error
		if have, err = c.count(); err != nil {
			c.b.Fatalf("a member: %v", err)
		}
		if have > last {
			last, moved = have, time.Now()
		}
		if time.Since(moved) > c.b.Hang {
			c.b.Fatalf("waited %v for another of %d messages after %d", c.b.Hang, n, have)
		}
	}
}

func (c *crew) count() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.copies), c.err
}

// membersComeAndGo: who joins and leaves while messages flow costs none of them
// and repeats none, since all is acknowledged in time.
func membersComeAndGo(b *bed) {
	const shards, cycles = 4, 4
	b.open(Plan{Shards: shards})
	c := &crew{b: b, options: b.balanced(), copies: make(map[int]int)}
	oldest := c.enlist(b.streamer())
	other := b.connect()
	n, p := b.Messages, b.producer()
	join := b.background("sending", func() error {
		_, err := b.trySend(p, numbered(0, n, shards)...)
		return err
	})
	for i := range cycles {
		c.reach(n * i / cycles)
		next := c.enlist(other)
		c.reach(n*i/cycles + n/(2*cycles))
		c.leave(oldest)
		oldest = next
	}
	c.reach(n)
	join()
	c.leave(oldest)
	if d := duplicates(c.copies); d > 0 {
		b.Errorf("%d of %d messages were redelivered though all were acknowledged", d, n)
	}
}
