package conformance_test

import (
	"context"
	"errors"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
)

var errNameless = errors.New("something is wrong")

func isNotFound(err error) bool { return errors.Is(err, streamer.ErrNotFound) }

// closer is a consumer whose Close is broken.
type closer struct {
	streamer.Consumer
	next  func(ctx context.Context) (*streamer.Message, error)
	close func() error
}

func (c *closer) Next(ctx context.Context) (*streamer.Message, error) { return c.next(ctx) }
func (c *closer) Close() error                                        { return c.close() }

// firstPositionForgotten: a Resumable consumer at Latest that got nothing
// leaves no position behind.
func firstPositionForgotten(*world) program {
	return program{consumer: func(s streamer.Streamer, ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error) {
		c, err := s.Consumer(ctx, o)
		if err != nil || o.Mode != streamer.Resumable || o.AutoReset != streamer.Latest {
			return c, err
		}
		got := false
		next := func(ctx context.Context) (*streamer.Message, error) {
			m, err := c.Next(ctx)
			got = got || err == nil
			return m, err
		}
		return &closer{c, next, sync.OnceValue(func() error {
			err := c.Close()
			if !got {
				_ = s.Admin().DeleteGroup(context.Background(), o.Streams[0], o.Group)
			}
			return err
		})}, nil
	}}
}

// leaverTakesAlong: a member that closes while the group has others
// acknowledges what it holds.
func leaverTakesAlong(w *world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Mode != streamer.LoadBalanced {
			return c
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		members, _ := w.shared[o.Group].(int)
		w.shared[o.Group] = members + 1
		var mu sync.Mutex
		var held []*streamer.Message
		next := func(ctx context.Context) (*streamer.Message, error) {
			m, err := c.Next(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				held = append(held, m)
			}
			return m, err
		}
		return &closer{c, next, sync.OnceValue(func() error {
			w.mu.Lock()
			members := w.shared[o.Group].(int)
			w.shared[o.Group] = members - 1
			w.mu.Unlock()
			mu.Lock()
			defer mu.Unlock()
			for _, m := range held {
				if members > 1 {
					m.Ack()
				}
			}
			return c.Close()
		})}
	})
}

// secondCloseFails: a second Close is an error.
func secondCloseFails(*world) program {
	return reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer {
		var mu sync.Mutex
		closed := false
		return &closer{c, c.Next, func() error {
			mu.Lock()
			again := closed
			closed = true
			mu.Unlock()
			if err := c.Close(); err != nil || !again {
				return err
			}
			return streamer.ErrClosed
		}}
	})
}

// secondOwner lets a second owner of a Resumable group read from the first one.
func secondOwner(w *world) program {
	return program{consumer: func(s streamer.Streamer, ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error) {
		c, err := s.Consumer(ctx, o)
		w.mu.Lock()
		defer w.mu.Unlock()
		if errors.Is(err, streamer.ErrBusy) {
			return w.shared[o.Group].(streamer.Consumer), nil
		}
		if err == nil && o.Mode == streamer.Resumable {
			w.shared[o.Group] = c
		}
		return c, err
	}}
}

// resetErrorIgnored takes ResetError for Latest.
func resetErrorIgnored(*world) program {
	return opening(func(_ streamer.Streamer, _ context.Context, o *streamer.ConsumerOptions) {
		if o.AutoReset == streamer.ResetError {
			o.AutoReset = streamer.Latest
		}
	})
}

// startWins: Start moves a group that has a position.
func startWins(*world) program {
	return opening(func(s streamer.Streamer, ctx context.Context, o *streamer.ConsumerOptions) {
		if o.Start != streamer.Committed() && o.Mode != streamer.RealTime {
			_ = s.Admin().ResetGroup(ctx, o.Streams[0], o.Group, o.Start)
		}
	})
}

// bufferUnbounded does not count the bytes that are fetched ahead.
func bufferUnbounded(*world) program {
	return opening(func(_ streamer.Streamer, _ context.Context, o *streamer.ConsumerOptions) { o.BufferBytes = -1 })
}

// lagLies counts one message too many.
func lagLies(*world) program {
	return reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer { return lagger{c} })
}

type lagger struct{ streamer.Consumer }

func (l lagger) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	lag, err := l.Consumer.Lag(ctx)
	for i := range lag {
		lag[i].Messages++
	}
	return lag, err
}

// describeLies hides the latest message of each shard.
func describeLies(*world) program {
	return program{admin: func(a streamer.Admin) streamer.Admin { return describer{a} }}
}

type describer struct{ streamer.Admin }

func (d describer) Describe(ctx context.Context, stream string) (streamer.StreamInfo, error) {
	info, err := d.Admin.Describe(ctx, stream)
	for i, s := range info.Shards {
		if s.First != s.Next {
			info.Shards[i].Next = streamer.SeqUint(s.Next.Uint() - 1)
		}
	}
	return info, err
}

// skippedUnreported keeps quiet about entries that cannot be decoded.
func skippedUnreported(p *conformance.Place) {
	connect := p.Connect
	p.Connect = func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
		o.Hooks.Skipped = nil
		return connect(ctx, o)
	}
}
