package conformance_test

import (
	"context"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// mover is a consumer whose moves are broken.
type mover struct {
	streamer.Consumer
	seek   func(ctx context.Context, t time.Time) error
	rewind func(ctx context.Context, to streamer.Position) error
}

func (m *mover) Seek(ctx context.Context, t time.Time) error { return m.seek(ctx, t) }
func (m *mover) Rewind(ctx context.Context, to streamer.Position) error {
	return m.rewind(ctx, to)
}

// seekLater skips the message of the very time.
func seekLater(*world) program {
	return reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer {
		return &mover{c, func(ctx context.Context, t time.Time) error { return c.Seek(ctx, t.Add(1)) }, c.Rewind}
	})
}

// afterWraps counts one on from a number that has no next.
func afterWraps(*world) program {
	return reading(func(c streamer.Consumer, _ streamer.ConsumerOptions) streamer.Consumer {
		return &mover{c, c.Seek, func(ctx context.Context, to streamer.Position) error {
			if to.Kind() == streamer.AfterSeq && to.Seq().Uint()+1 == 0 {
				to = streamer.Beginning()
			}
			return c.Rewind(ctx, to)
		}}
	})
}

// ackSpy is a consumer that knows which of its messages were acknowledged, and
// does something about it before it commits, moves or closes.
type ackSpy struct {
	streamer.Consumer
	before func(handed []*spied, moving bool) // called with what was handed out since the last move

	mu     sync.Mutex
	handed []*spied
}

// spied is a message, and the copy of it that the program got.
type spied struct {
	real, copy *streamer.Message
	mu         sync.Mutex
	acked      bool
	over       bool // the consumer has moved on: acknowledging does nothing
}

func (s *spied) ack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.acked = s.real.Ack()
	}
}

func (c *ackSpy) Next(ctx context.Context) (*streamer.Message, error) {
	m, err := c.Consumer.Next(ctx)
	if err != nil {
		return nil, err
	}
	s := &spied{real: m}
	s.copy = streamer.NewMessage(m.Meta, m.Key, m.Value, m.Headers, s.ack)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handed = append(c.handed, s)
	return s.copy, nil
}

func (c *ackSpy) look(moving bool) {
	c.mu.Lock()
	handed := c.handed
	if moving {
		c.handed = nil
	}
	c.mu.Unlock()
	c.before(handed, moving)
	for _, s := range handed {
		if moving {
			s.mu.Lock()
			s.over = true
			s.mu.Unlock()
			s.copy.Ack()
		}
	}
}

func (c *ackSpy) Commit(ctx context.Context) error {
	c.look(false)
	return c.Consumer.Commit(ctx)
}

func (c *ackSpy) Rewind(ctx context.Context, to streamer.Position) error {
	c.look(true)
	return c.Consumer.Rewind(ctx, to)
}

func (c *ackSpy) Close() error {
	c.look(true)
	return c.Consumer.Close()
}

func (s *spied) done() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}

// commitPassesGap takes the highest acknowledged message of a shard for the end
// of what is done.
func commitPassesGap(*world) program {
	return reading(func(c streamer.Consumer, o streamer.ConsumerOptions) streamer.Consumer {
		if o.Mode == streamer.RealTime || o.Ack != streamer.AckManual {
			return c
		}
		return &ackSpy{Consumer: c, before: func(handed []*spied, _ bool) {
			passed := make(map[streamer.ShardID]bool)
			for i := len(handed) - 1; i >= 0; i-- {
				if passed[handed[i].real.Shard] {
					handed[i].real.Ack()
				}
				passed[handed[i].real.Shard] = passed[handed[i].real.Shard] || handed[i].done()
			}
		}}
	})
}

// oldCommitLands: after a move, what was acknowledged before it is committed
// once more, over the new position.
func oldCommitLands(w *world) program {
	return program{consumer: func(s streamer.Streamer, ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error) {
		c, err := s.Consumer(ctx, o)
		if err != nil || o.Mode != streamer.Resumable || o.Ack != streamer.AckManual || w.plan.Shards > 1 {
			return c, err
		}
		old := &oldCommit{admin: s.Admin(), stream: o.Streams[0], group: o.Group}
		old.ackSpy = &ackSpy{Consumer: c, before: old.remember}
		return old, nil
	}}
}

type oldCommit struct {
	*ackSpy
	admin         streamer.Admin
	stream, group string
	moved         bool
	last          streamer.SeqNo // acknowledged before the move
}

func (c *oldCommit) remember(handed []*spied, moving bool) {
	for _, s := range handed {
		if moving && s.done() {
			c.last = s.real.Seq
		}
	}
}

func (c *oldCommit) Rewind(ctx context.Context, to streamer.Position) error {
	err := c.ackSpy.Rewind(ctx, to)
	c.moved = err == nil && !c.last.IsZero()
	return err
}

func (c *oldCommit) Close() error {
	last := c.last
	err := c.ackSpy.Close()
	if c.moved {
		_ = c.admin.ResetGroup(context.Background(), c.stream, c.group, streamer.After(last))
	}
	return err
}
