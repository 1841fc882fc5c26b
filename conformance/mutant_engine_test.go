package conformance_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
)

// remade is a memory backend whose sources and sinks are broken, behind the
// door of a place.
type remade struct {
	driver.Backend
	streamer.Admin
	driver.Pinger
	source func(c *driver.SourceConfig)
	sink   func(s driver.Sink) driver.Sink
}

func (r *remade) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	if r.source != nil {
		r.source(&c)
	}
	return r.Backend.OpenSource(ctx, c)
}

func (r *remade) OpenSink(ctx context.Context, c driver.SinkConfig) (driver.Sink, error) {
	s, err := r.Backend.OpenSink(ctx, c)
	if err != nil || r.sink == nil {
		return s, err
	}
	return r.sink(s), nil
}

// remake puts a broken backend behind both doors of a place.
func remake(r remade) func(p *conformance.Place) {
	behind := func(connect door) door {
		return func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
			s, err := connect(ctx, o)
			if err != nil {
				return nil, err
			}
			b, _ := engine.BackendOf(s)
			broken := r
			broken.Backend, broken.Admin, broken.Pinger = b, b.(streamer.Admin), b.(driver.Pinger)
			return engine.New(&broken, o)
		}
	}
	return func(p *conformance.Place) { p.Connect, p.Always = behind(p.Connect), behind(p.Always) }
}

// revokedDoesNotWait takes shards away from under the program: what it works on
// is not waited for and not committed.
var revokedDoesNotWait = remake(remade{source: func(c *driver.SourceConfig) {
	revoked := c.Revoked
	c.Revoked = func(gone []streamer.StreamShard, _ bool) { revoked(gone, true) }
}})

// retrySwaps writes the first two records of a batch that failed in the other
// order when it is written again.
var retrySwaps = remake(remade{sink: func(s driver.Sink) driver.Sink {
	return &swapper{Sink: s, Writer: s.(driver.Writer), swapped: make(map[*driver.Pending]bool)}
}})

type swapper struct {
	driver.Sink
	driver.Writer
	failed  bool
	swapped map[*driver.Pending]bool
}

func (s *swapper) Write(ctx context.Context, p []*driver.Pending) error {
	if s.failed && len(p) > 1 && bytes.Equal(p[0].Record.Key, p[1].Record.Key) && !s.swapped[p[1]] {
		s.swapped[p[0]] = true // once, however often the batch fails
		p[0], p[1] = p[1], p[0]
	}
	err := s.Writer.Write(ctx, p)
	s.failed = err != nil
	return err
}

// streamOutlivesMove has a Stream offer, after a move, what it was offering
// before.
func streamOutlivesMove(*world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Mode != streamer.RealTime {
			return c
		}
		return &offerer{Consumer: c}
	})
}

// offerer takes a message further than its consumer knows: into its own hand.
type offerer struct {
	streamer.Consumer
	holds atomic.Bool // a message is in the hand
	mu    sync.Mutex
	stash []*streamer.Message // in the hand when a Stream ended
}

// Rewind gives the hand a moment to close.
func (o *offerer) Rewind(ctx context.Context, to streamer.Position) error {
	for until := time.Now().Add(100 * time.Millisecond); !o.holds.Load() && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	return o.Consumer.Rewind(ctx, to)
}

func (o *offerer) Stream(ctx context.Context) <-chan *streamer.Message {
	in, out := o.Consumer.Stream(ctx), make(chan *streamer.Message)
	go func() {
		defer close(out)
		for m := range in {
			o.holds.Store(true)
			select {
			case out <- m:
				o.holds.Store(false)
			case <-ctx.Done():
				o.mu.Lock()
				o.stash = append(o.stash, m)
				o.mu.Unlock()
			}
		}
	}()
	return out
}

func (o *offerer) Next(ctx context.Context) (*streamer.Message, error) {
	if m := o.stashed(); m != nil && ctx.Err() == nil {
		return m, nil
	}
	return o.Consumer.Next(ctx)
}

func (o *offerer) stashed() *streamer.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.stash) == 0 {
		return nil
	}
	m := o.stash[0]
	o.stash = o.stash[1:]
	return m
}

// givenBackIsLost: with AckOnDelivery a member that was slow loses the next
// message that it had fetched.
func givenBackIsLost(*world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Ack != streamer.AckOnDelivery || o.Mode != streamer.LoadBalanced {
			return c
		}
		var mu sync.Mutex
		var last time.Time
		return &reader{c, func(ctx context.Context) (*streamer.Message, error) {
			mu.Lock()
			defer mu.Unlock()
			slow := !last.IsZero() && time.Since(last) > 300*time.Millisecond
			m, err := c.Next(ctx)
			if err == nil && slow {
				m, err = c.Next(ctx)
			}
			last = time.Now()
			return m, err
		}}
	})
}

// windowStaysFull: in a group a small window does not reopen.
func windowStaysFull(*world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Mode != streamer.LoadBalanced || o.MaxInFlight != 7 {
			return c
		}
		taken := make(chan struct{}, 7)
		return &reader{c, func(ctx context.Context) (*streamer.Message, error) {
			select {
			case taken <- struct{}{}:
				return c.Next(ctx)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}}
	})
}
