package engine

import (
	"context"
	"io"
	"iter"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

// take is queue.take on the consumer's current queue.
func (c *consumer) take(ctx context.Context, lent *loan) (*streamer.Message, *queue, <-chan struct{}, error) {
	for {
		q := c.q.Load()
		m, recall, err := q.take(ctx, lent)
		if err != errMoved {
			return m, q, recall, err
		}
		select {
		case <-q.moved:
		case <-ctx.Done():
			return nil, nil, nil, ctx.Err()
		}
	}
}

func (c *consumer) Next(ctx context.Context) (*streamer.Message, error) {
	m, _, _, err := c.take(ctx, nil)
	return m, err
}

func (c *consumer) NextBatch(ctx context.Context, max int) ([]*streamer.Message, error) {
	if max < 1 {
		return nil, c.wrap("read", boundary.Invalid("NextBatch: max is %d, want at least 1", max))
	}
	m, q, _, err := c.take(ctx, nil)
	if err != nil {
		return nil, err
	}
	batch := make([]*streamer.Message, 1, min(max, 1+q.available()))
	batch[0] = m
	return q.takeBatch(batch), nil
}

func (c *consumer) Messages(ctx context.Context) iter.Seq2[*streamer.Message, error] {
	acks := c.o.Ack == streamer.AckOnReturn
	return func(yield func(*streamer.Message, error) bool) {
		for {
			m, err := c.Next(ctx)
			if err != nil {
				if c.finish(ctx, err) {
					return
				}
				yield(nil, err)
				return
			}
			if !yield(m, nil) {
				return
			}
			if acks {
				m.Ack()
			}
		}
	}
}

// finish records why a loop ended and says whether that is an ordinary end.
func (c *consumer) finish(ctx context.Context, err error) bool {
	c.mu.Lock()
	c.ended = err
	halted := c.stopped
	c.mu.Unlock()
	return err == io.EOF || err == ctx.Err() || halted //nolint:errorlint // bare by contract
}

func (c *consumer) Stream(ctx context.Context) <-chan *streamer.Message {
	out := make(chan *streamer.Message)
	c.mu.Lock()
	closed := c.closed.Begun()
	if !closed {
		c.streams.Add(1)
	}
	c.mu.Unlock()
	if closed {
		c.finish(ctx, c.wrap("read", streamer.ErrClosed))
		close(out)
		return out
	}
	go func() { // ends with ctx, Close or the input; joined by Close
		defer c.streams.Done()
		defer close(out)
		c.finish(ctx, c.offerAll(ctx, out))
	}()
	return out
}

// offerAll hands messages to out one at a time and returns why it stopped.
func (c *consumer) offerAll(ctx context.Context, out chan<- *streamer.Message) error {
	lent := &loan{ctx}
	for {
		m, q, recall, err := c.take(ctx, lent)
		if err != nil {
			return err
		}
		if ctx.Err() != nil { // select would choose by chance, and an ended ctx wins
			q.giveBack(lent, m)
			continue
		}
		select {
		case out <- m:
			q.keep(lent, m)
		case <-recall:
			q.giveBack(lent, m)
		case <-ctx.Done():
			q.giveBack(lent, m)
		}
	}
}

func (c *consumer) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}
