package engine

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/produce"
)

// rig is a Streamer on a fakeBackend inside a synctest bubble.
type rig struct {
	*fakeBackend
	t *testing.T
	s streamer.Streamer
}

// inBubble runs f with a rig and closes the Streamer at the end. The engine
// must have kept the SPI's contract.
func inBubble(t *testing.T, can abilities, o streamer.StreamerOptions, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newFake(can)
		if o.Logger == nil {
			o.Logger = slog.New(slog.DiscardHandler)
		}
		var backend driver.Backend = b
		if can.fixed {
			backend = fixedFake{b}
		}
		s, err := New(backend, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = s.Close()
			synctest.Wait()
			for _, breach := range b.breaches {
				t.Errorf("the SPI's contract is broken: %s", breach)
			}
		}()
		f(t, &rig{b, t, s})
	})
}

// consumer opens a consumer of stream "s" that reads from the beginning unless
// o says otherwise.
func (r *rig) consumer(o streamer.ConsumerOptions) *consumer {
	r.t.Helper()
	c, err := r.tryConsumer(o)
	if err != nil {
		r.t.Fatalf("Consumer: %v", err)
	}
	synctest.Wait()
	return c
}

func (r *rig) tryConsumer(o streamer.ConsumerOptions) (*consumer, error) {
	if len(o.Streams) == 0 {
		o.Streams = []string{"s"}
	}
	if o.AutoReset == 0 {
		o.AutoReset = streamer.Earliest
	}
	if o.Group == "" && o.Mode > streamer.RealTime {
		o.Group = "g"
	}
	c, err := r.s.Consumer(r.t.Context(), o)
	if err != nil {
		return nil, err
	}
	return c.(*consumer), nil
}

func (r *rig) producer(o streamer.ProducerOptions) *produce.Producer {
	r.t.Helper()
	if o.Stream == "" {
		o.Stream = "s"
	}
	p, err := r.s.Producer(r.t.Context(), o)
	if err != nil {
		r.t.Fatalf("Producer: %v", err)
	}
	return p.(*produce.Producer)
}

// take takes n messages, which must be there or come within a minute of the
// bubble's time.
func (r *rig) take(c streamer.Consumer, n int) []*streamer.Message {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var list []*streamer.Message
	for range n {
		m, err := c.Next(ctx)
		if err != nil {
			r.t.Fatalf("Next after %v: %v", valuesOf(list), err)
		}
		list = append(list, m)
	}
	return list
}

// expect takes as many messages as values are given and compares.
func (r *rig) expect(c streamer.Consumer, values ...string) []*streamer.Message {
	r.t.Helper()
	list := r.take(c, len(values))
	if got := valuesOf(list); !slices.Equal(got, values) {
		r.t.Fatalf("delivered %v, want %v", got, values)
	}
	return list
}

// nothing checks that no message is delivered within d of the bubble's time.
func (r *rig) nothing(c streamer.Consumer, d time.Duration) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if m, err := c.Next(ctx); err != context.DeadlineExceeded {
		r.t.Fatalf("Next = %v, %v; want nothing", valuesOf([]*streamer.Message{m}), err)
	}
}

// calls checks what was called since the last time, apart from the operations
// in but.
func (r *rig) called(but []string, want ...string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.history(but...); !slices.Equal(got, want) {
		r.t.Fatalf("calls\n got %q\nwant %q", got, want)
	}
}

// calledEither is called where the first two calls race: either may come first.
func (r *rig) calledEither(want ...string) {
	r.t.Helper()
	synctest.Wait()
	got := r.history()
	swapped := slices.Concat([]string{want[1], want[0]}, want[2:])
	if !slices.Equal(got, want) && !slices.Equal(got, swapped) {
		r.t.Fatalf("calls\n got %q\nwant %q, the first two in either order", got, want)
	}
}

func valuesOf(list []*streamer.Message) []string {
	var values []string
	for _, m := range list {
		if m == nil {
			values = append(values, "<nil>")
			continue
		}
		values = append(values, string(m.Value))
	}
	return values
}

// upTo is "shard/from" … "shard/to", the values of these messages.
func upTo(shard streamer.ShardID, from, to int) []string {
	var values []string
	for i := from; i <= to; i++ {
		values = append(values, fmt.Sprintf("%d/%d", shard, i))
	}
	return values
}

func ackAll(list []*streamer.Message) {
	for _, m := range list {
		m.Ack()
	}
}

// background runs f on its own goroutine; wait returns what f returned.
func background[T any](f func() T) (wait func() T) {
	c := make(chan T, 1)
	go func() { c <- f() }()
	return func() T { return <-c }
}

// sleep lets d of the bubble's time pass, and all that is due by then happen.
func (r *rig) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// seen collects the events of a hook.
type seen[E any] struct {
	mu   sync.Mutex
	list []E
}

func (s *seen[E]) add(e E) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, e)
}

// all are the events so far.
func (s *seen[E]) all() []E {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}
