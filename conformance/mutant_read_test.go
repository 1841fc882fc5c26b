package conformance_test

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
)

// reader is a consumer whose Next is broken.
type reader struct {
	streamer.Consumer
	next func(ctx context.Context) (*streamer.Message, error)
}

func (r *reader) Next(ctx context.Context) (*streamer.Message, error) { return r.next(ctx) }

// reading makes a program whose consumers are broken by wrap.
func reading(wrap func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer) program {
	return program{consumer: func(s streamer.Streamer, ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error) {
		c, err := s.Consumer(ctx, o)
		if err != nil {
			return nil, err
		}
		return wrap(c, o), nil
	}}
}

// opening makes a program whose consumers get other options than they asked
// for.
func opening(change func(s streamer.Streamer, ctx context.Context, o *streamer.ConsumerOptions)) program {
	return program{consumer: func(s streamer.Streamer, ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error) {
		change(s, ctx, &o)
		return s.Consumer(ctx, o)
	}}
}

// latestInThePast begins with what was sent in the last minute, where there is
// something.
func latestInThePast(*world) program {
	return opening(func(s streamer.Streamer, ctx context.Context, o *streamer.ConsumerOptions) {
		if o.Mode != streamer.RealTime || o.Start != streamer.Committed() || o.AutoReset > streamer.Latest {
			return
		}
		for _, stream := range o.Streams {
			info, _ := s.Admin().Describe(ctx, stream)
			for _, shard := range info.Shards {
				if shard.First != shard.Next {
					o.Start = streamer.AtTime(time.Now().Add(-time.Minute))
				}
			}
		}
	})
}

// consumersShare lets a RealTime consumer read from another one that is open in
// the place.
func consumersShare(w *world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Mode != streamer.RealTime || o.Start != streamer.Committed() || o.Shards != nil || len(o.Streams) != len(w.Streams) {
			return c
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if first, ok := w.shared["realtime"].(streamer.Consumer); ok {
			return &reader{c, first.Next}
		}
		w.shared["realtime"] = c
		return &closer{c, c.Next, func() error {
			w.mu.Lock()
			delete(w.shared, "realtime")
			w.mu.Unlock()
			return c.Close()
		}}
	})
}

// twiceAfterCut hands out the last message again when the connection was lost.
func twiceAfterCut(w *world) program {
	w.mu.Lock()
	cut, counted := w.Cut, w.shared["cuts"] != nil
	if !counted {
		w.shared["cuts"] = 0
		w.Cut = func() {
			w.mu.Lock()
			w.shared["cuts"] = w.shared["cuts"].(int) + 1
			w.mu.Unlock()
			cut()
		}
	}
	w.mu.Unlock()
	cuts := func() int { w.mu.Lock(); defer w.mu.Unlock(); return w.shared["cuts"].(int) }
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Mode != streamer.RealTime {
			return c
		}
		var mu sync.Mutex
		seen := cuts()
		var last *streamer.Message
		return &reader{c, func(ctx context.Context) (*streamer.Message, error) {
			mu.Lock()
			again := last
			n := cuts()
			lost := n > seen
			seen = n
			mu.Unlock()
			if lost && again != nil {
				return again, nil
			}
			m, err := c.Next(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				last = m
			}
			return m, err
		}}
	})
}

// newShardLate loses the first message of a shard that was not there when the
// consumer opened.
func newShardLate(w *world) program {
	return reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer {
		known := make(map[streamer.ShardID]bool)
		for i := range w.plan.Shards {
			known[streamer.ShardID(i)] = true
		}
		var mu sync.Mutex
		return &reader{c, func(ctx context.Context) (*streamer.Message, error) {
			for {
				m, err := c.Next(ctx)
				if err != nil {
					return nil, err
				}
				mu.Lock()
				had := known[m.Shard]
				known[m.Shard] = true
				mu.Unlock()
				if had {
					return m, nil
				}
				m.Ack()
			}
		}}
	})
}

// messageWins hands out a message that is there although ctx has ended.
func messageWins(*world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Mode != streamer.RealTime {
			return c
		}
		return &reader{c, func(ctx context.Context) (*streamer.Message, error) {
			if ctx.Err() == nil {
				return c.Next(ctx)
			}
			soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Millisecond)
			defer cancel()
			if m, err := c.Next(soon); err == nil {
				return m, nil
			}
			return nil, ctx.Err()
		}}
	})
}

// deletedNameless has no kind for the error of a deleted stream.
func deletedNameless(*world) program {
	return reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer {
		return &reader{c, func(ctx context.Context) (*streamer.Message, error) {
			m, err := c.Next(ctx)
			if isNotFound(err) {
				return nil, errNameless
			}
			return m, err
		}}
	})
}

// ranger is a consumer whose Messages is broken.
type ranger struct{ streamer.Consumer }

// breakAcknowledges: leaving the loop is as good as doing the work.
func breakAcknowledges(*world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Ack != streamer.AckOnReturn {
			return c
		}
		return ranger{c}
	})
}

func (r ranger) Messages(ctx context.Context) iter.Seq2[*streamer.Message, error] {
	return func(yield func(*streamer.Message, error) bool) {
		for m, err := range r.Consumer.Messages(ctx) {
			goOn := yield(m, err)
			if m != nil {
				m.Ack()
			}
			if !goOn {
				return
			}
		}
	}
}

// nextAcknowledges: a program that asks for a message has done the one before.
func nextAcknowledges(*world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Ack != streamer.AckOnReturn {
			return c
		}
		var last *streamer.Message
		return &reader{c, func(ctx context.Context) (*streamer.Message, error) {
			if last != nil {
				last.Ack()
			}
			m, err := c.Next(ctx)
			last = m
			return m, err
		}}
	})
}

// hoarder is a member of a group that takes what it can get and keeps it for
// itself.
type hoarder struct {
	streamer.Consumer
	mu   sync.Mutex
	held []*streamer.Message
}

func memberHoards(*world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Mode != streamer.LoadBalanced || o.Ack != streamer.AckManual {
			return c
		}
		return &hoarder{Consumer: c}
	})
}

func (h *hoarder) Next(ctx context.Context) (*streamer.Message, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(h.held) == 0 {
		var err error
		if h.held, err = h.NextBatch(ctx, 100); err != nil {
			return nil, err
		}
	}
	m := h.held[0]
	h.held = h.held[1:]
	return m, nil
}

func (h *hoarder) Seek(ctx context.Context, t time.Time) error {
	return h.drop(h.Consumer.Seek(ctx, t))
}

func (h *hoarder) Rewind(ctx context.Context, to streamer.Position) error {
	return h.drop(h.Consumer.Rewind(ctx, to))
}

// drop releases what is held when a move succeeded.
func (h *hoarder) drop(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.held = nil
	}
	return err
}

// doesNotWait gives up the stream that vanished, whatever create says.
func doesNotWait(p *conformance.Place) { p.Always = p.Connect }

// comesBackLate loses the first message of a stream that was deleted and is
// back.
func comesBackLate(w *world) program {
	w.mu.Lock()
	if remove := w.Delete; w.shared["deleted"] == nil {
		w.shared["deleted"] = 0
		w.Delete = func(stream string) {
			remove(stream)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.shared["deleted"] = w.shared["deleted"].(int) + 1
		}
	}
	w.mu.Unlock()
	deleted := func() int { w.mu.Lock(); defer w.mu.Unlock(); return w.shared["deleted"].(int) }
	return reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer {
		var seen atomic.Int64
		seen.Store(int64(deleted()))
		return &reader{c, func(ctx context.Context) (*streamer.Message, error) {
			m, err := c.Next(ctx)
			if n := int64(deleted()); err == nil && seen.Swap(n) != n {
				return c.Next(ctx)
			}
			return m, err
		}}
	})
}
