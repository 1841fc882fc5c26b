package engine

import (
	"context"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/internal/wait"
)

func (c *consumer) Close() error {
	ctx, cancel := c.home.Closing()
	defer cancel()
	return c.closeWithin(ctx)
}

// stopDelivery stops delivery. Acknowledgements count until closeWithin.
func (c *consumer) stopDelivery() {
	c.mu.Lock()
	c.stopped = true
	q := c.q.Load() // under mu: no move swaps it any more
	c.mu.Unlock()
	s := q.s
	s.mu.Lock()
	defer s.mu.Unlock()
	q.suspend()
	q.close(c.wrap("read", streamer.ErrClosed))
}

// awaitWork waits until the program has acknowledged what it holds, or ctx
// ends.
func (c *consumer) awaitWork(ctx context.Context) {
	s := c.q.Load().s
	s.awaitWork(ctx, s.allLedgers())
}

// closeWithin is Close within ctx. Later calls wait for the first and return
// its result.
func (c *consumer) closeWithin(ctx context.Context) error {
	c.mu.Lock()
	first := c.closed.Begin()
	c.mu.Unlock()
	if !first {
		err, ended := c.closed.WaitLong(ctx)
		if !ended {
			return c.wrap("close", boundary.ErrCloseUnderWay)
		}
		return err
	}
	c.cancel()
	select { // a move that ignores its context must not hold up Close
	case c.moving <- struct{}{}:
		defer c.exit()
	case <-ctx.Done():
	}
	c.stopDelivery()
	err := c.q.Load().detach(ctx, c.wrap("read", streamer.ErrClosed))
	wait.Join(ctx, c.streams.Wait)
	c.home.forget(c)
	return c.closed.End(err)
}

// detach takes the queue out of its session, and closes the session when it has
// no other member. It runs once: a move that Close gave up on may also call it.
func (q *queue) detach(ctx context.Context, why error) error {
	if !q.leaving.CompareAndSwap(false, true) {
		select {
		case <-q.left:
		case <-ctx.Done():
		}
		return nil
	}
	defer close(q.left)
	switch {
	case q.leaveGroup != nil:
		return q.leaveGroup(ctx, why)
	case q.s.src == nil:
		return nil
	}
	return q.s.closeWithin(ctx, why)
}
