package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/options"
	"github.com/gostreamer/streamer/internal/wait"
)

// A move opens a new session at the new position. A consumer without a group
// opens it before it closes the old one, so that a failure leaves the consumer
// where it was. An owner of committed positions closes first, because a group
// has one owner.

func (c *consumer) Seek(ctx context.Context, t time.Time) error {
	return c.move(ctx, "seek", streamer.AtTime(t))
}

func (c *consumer) Rewind(ctx context.Context, to streamer.Position) error {
	return c.move(ctx, "rewind", to)
}

func (c *consumer) move(ctx context.Context, op string, to streamer.Position) error {
	if err := c.enter(ctx); err != nil {
		return c.wrap(op, err)
	}
	defer c.exit()
	if err := cmp.Or(c.fixed(), c.checkTarget(to)); err != nil {
		return c.wrap(op, err)
	}
	moving, cancel := c.whileOpen(ctx)
	defer cancel()
	err := c.moveTo(moving, to)
	if err != nil && c.life.Err() != nil {
		err = streamer.ErrClosed
	}
	return boundary.WrapFor(ctx, op, c.obs.Backend, c.streamName(), ended(ctx, err))
}

func (c *consumer) moveTo(ctx context.Context, to streamer.Position) error {
	detached := c.isDetached()
	rejoin := c.o.Mode == streamer.LoadBalanced && to.Kind() == streamer.AtCommitted
	switch {
	case c.o.Mode == streamer.Resumable:
		return c.reopen(ctx, opening{mode: streamer.Resumable, start: to, shards: c.shardsFor(to)})
	case rejoin && !detached:
		return c.reopen(ctx, opening{mode: streamer.LoadBalanced})
	case rejoin:
		return c.replace(ctx, opening{mode: streamer.LoadBalanced})
	default:
		return c.replace(ctx, opening{mode: streamer.RealTime, start: to, shards: c.shardsFor(to)})
	}
}

// replace opens the new session, then closes the old one. In a group it first
// commits what is acknowledged.
func (c *consumer) replace(ctx context.Context, o opening) error {
	old := c.q.Load()
	suspend(old)
	grouped := c.o.Mode == streamer.LoadBalanced && !c.isDetached() && old.s.src != nil
	if grouped {
		if err := old.s.commitUntil(ctx); err != nil {
			resume(old)
			return err
		}
	}
	q, err := c.open(ctx, o)
	if err != nil {
		resume(old)
		return err
	}
	if !c.swap(old, q) {
		c.closeOld(q)
		return streamer.ErrClosed
	}
	c.setDetached(c.o.Mode == streamer.LoadBalanced && o.mode == streamer.RealTime)
	c.closeOld(old)
	return nil
}

// reopen closes the old session, then opens the new one. If that fails, the
// consumer continues at the committed position. If that fails too, the consumer
// is stopped: every call returns the error until the next move succeeds.
func (c *consumer) reopen(ctx context.Context, o opening) error {
	old := c.q.Load()
	suspend(old)
	if old.s.src != nil {
		if err := old.s.commitUntil(ctx); err != nil && !errors.Is(err, streamer.ErrFenced) {
			resume(old)
			return err
		}
	}
	c.closeOld(old)
	q, err := c.open(ctx, o)
	if err != nil {
		q = c.fallBack(o, err)
	}
	if !c.swap(old, q) {
		c.closeOld(q)
		return streamer.ErrClosed
	}
	return err
}

// fallBack opens the committed position. If that fails it returns a queue that
// returns err to every caller.
func (c *consumer) fallBack(o opening, err error) *queue {
	ctx, cancel := c.home.Closing()
	defer cancel()
	if c.life.Err() == nil {
		if q, failed := c.open(ctx, opening{mode: o.mode}); failed == nil {
			return q
		}
	}
	if boundary.IsBare(err) { // it was of the move's ctx, and Next has another
		err = fmt.Errorf("the move was cut short (%v): Seek or Rewind again", err)
	}
	s := newSession(c.sessionOptions(o.mode), c.obs)
	s.end.reason = c.wrap("rewind", err)
	q := newQueue(s, c.obs)
	s.queues = []*queue{q}
	return q
}

// closeOld closes a session that was moved away from, within the time of a
// Close. Its failure does not affect the new session.
func (c *consumer) closeOld(old *queue) {
	ctx, cancel := c.home.Closing()
	defer cancel()
	if err := old.detach(ctx, errMoved); err != nil {
		c.obs.Log.Warn("closing the session that was moved away from", "backend", c.obs.Backend, "err", err)
	}
}

// swap makes q the consumer's queue and sends waiting takers there. It returns
// false when Close or Shutdown has begun meanwhile; then the caller closes q.
func (c *consumer) swap(old, q *queue) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		c.strand(old)
		return false
	}
	old.s.mu.Lock()
	old.close(errMoved)
	old.s.mu.Unlock()
	c.q.Store(q)
	close(old.moved)
	return true
}

// strand ends the wait of takers when there is no new queue.
func (c *consumer) strand(old *queue) {
	old.s.mu.Lock()
	defer old.s.mu.Unlock()
	if old.why == errMoved { //nolint:errorlint // it is never wrapped
		old.why = c.wrap("read", streamer.ErrClosed)
		close(old.moved)
	}
}

func (c *consumer) setDetached(v bool) {
	c.mu.Lock()
	c.detached = v
	c.mu.Unlock()
}

func suspend(q *queue) {
	q.s.mu.Lock()
	q.suspend()
	q.s.mu.Unlock()
}

// resume continues to hand out and to fetch.
func resume(q *queue) {
	s := q.s
	s.mu.Lock()
	defer s.unlock()
	q.resume()
	if s.o.dealt {
		s.deal()
	}
	if s.hasRoom() {
		wait.Signal(s.flow.room)
	}
}

// checkTarget refuses a position at which no shard, or no single shard, can
// start.
func (c *consumer) checkTarget(to streamer.Position) error {
	if err := options.CheckPosition(to); err != nil {
		return err
	}
	if k := to.Kind(); k != streamer.AtSeq && k != streamer.AfterSeq {
		return nil
	}
	return oneShard(len(c.inUse()))
}

// fixed returns why the backend cannot move, or nil.
func (c *consumer) fixed() error {
	if f, ok := c.home.b.(driver.Fixed); ok {
		return f.Fixed()
	}
	return nil
}
