package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/internal/wait"
)

// consumer is the engine's Consumer: a queue on a session. Seek gives it
// another queue.
type consumer struct {
	home *engine
	o    streamer.ConsumerOptions // complete
	obs  *observe.Observer
	q    atomic.Pointer[queue]

	life   context.Context // ends with Close: a move under way is given up
	cancel context.CancelFunc
	moving chan struct{} // capacity 1: holding the token is the right to move, commit or close

	mu       sync.Mutex
	set      map[streamer.StreamShard]bool // Assign: what the next move reads; empty: all
	detached bool                          // left the group by Rewind
	stopped  bool                          // delivers nothing any more: Close or Shutdown has begun
	ended    error
	streams  sync.WaitGroup // goroutines behind Stream
	closed   wait.Closing   // begun under mu
}

func newConsumer(home *engine, o streamer.ConsumerOptions) *consumer {
	c := &consumer{home: home, o: o, moving: make(chan struct{}, 1), set: map[streamer.StreamShard]bool{}}
	c.obs = home.observer(o.Group)
	c.life, c.cancel = context.WithCancel(context.Background())
	for _, stream := range o.Streams {
		for _, id := range o.Shards {
			c.set[streamer.StreamShard{Stream: stream, Shard: id}] = true
		}
	}
	return c
}

func (c *consumer) wrap(op string, err error) error {
	return boundary.Wrap(op, c.obs.Backend, c.streamName(), err)
}

// streamName is the stream for error messages: empty when there are several.
func (c *consumer) streamName() string {
	if len(c.o.Streams) != 1 {
		return ""
	}
	return c.o.Streams[0]
}

func (c *consumer) Commit(ctx context.Context) error {
	if err := c.enter(ctx); err != nil {
		return c.wrap("commit", err)
	}
	defer c.exit()
	if c.o.Mode == streamer.RealTime {
		return nil
	}
	if c.isDetached() {
		return c.wrap("commit", boundary.Unsupported("the group was left by Seek or Rewind: Rewind(Committed()) joins it again"))
	}
	q := c.q.Load()
	s := q.s
	if s.src == nil {
		return s.end.reason
	}
	trying, cancel := c.whileOpen(ctx)
	defer cancel()
	if err := s.commitUntil(trying); err != nil {
		return c.cut(ctx, "commit", err)
	}
	return s.lostUncommitted(ctx, q)
}

// whileOpen returns a context that ends with ctx or when Close begins: Close
// must not wait for retries that last as long as ctx.
func (c *consumer) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// cut converts an error that may be due to the end of whileOpen's context: to
// ErrClosed if Close has begun, to the error of ctx if that ended.
func (c *consumer) cut(ctx context.Context, op string, err error) error {
	switch {
	case c.life.Err() == nil:
	case errors.Is(err, context.Canceled): // it is whileOpen's
		return c.wrap(op, streamer.ErrClosed)
	default:
		return c.wrap(op, fmt.Errorf("%w: %w", streamer.ErrClosed, err))
	}
	return ended(ctx, err)
}

// ended returns the bare error of ctx if that ended first, because programs
// compare it.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// enter takes the right to move, commit or close. It is ErrClosed once Close or
// Shutdown has begun.
func (c *consumer) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.moving <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-c.life.Done():
		return streamer.ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		<-c.moving
		return streamer.ErrClosed
	}
	return nil
}

func (c *consumer) exit() { <-c.moving }

func (c *consumer) isDetached() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.detached
}

func (c *consumer) isStopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

func (c *consumer) Assignment() []streamer.StreamShard {
	if c.isStopped() {
		return nil
	}
	return c.q.Load().s.assignment()
}

func (c *consumer) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.isStopped() {
		return nil, c.wrap("lag", streamer.ErrClosed)
	}
	s := c.q.Load().s
	if s.src == nil {
		return nil, s.end.reason
	}
	l, ok := s.src.(driver.Lagger)
	if !ok {
		return nil, c.wrap("lag", streamer.ErrUnsupported)
	}
	lags, err := l.Lag(ctx)
	if err != nil {
		return nil, boundary.WrapFor(ctx, "lag", c.obs.Backend, c.streamName(), err)
	}
	if c.o.Mode == streamer.RealTime || c.isDetached() {
		s.addBuffered(lags)
	}
	slices.SortFunc(lags, func(a, b streamer.ShardLag) int { return streamer.StreamShard.Compare(a.StreamShard, b.StreamShard) })
	return lags, nil
}

// addBuffered adds what was fetched and not handed out.
func (s *session) addBuffered(lags []streamer.ShardLag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range lags {
		if l := s.owned.ledgers[lags[i].StreamShard]; l != nil && lags[i].Messages >= 0 {
			lags[i].Messages += int64(l.buffered)
		}
	}
}
