package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/internal/wait"
)

// consumer is the engine's Consumer: a queue on a session. Seek gives it another queue.
type consumer struct {
	home *engine
	o    streamer.ConsumerOptions // complete
	obs  *observe.Observer
	q    atomic.Pointer[queue]

	life   context.Context // ends with Close: a move under way is given up
	die    context.CancelFunc
	moving chan struct{} // capacity 1: holding the token is the right to move, commit or close

	mu       sync.Mutex
	set      map[streamer.StreamShard]bool // Assign: what the next move reads; empty: all
	detached bool                          // left the group by Rewind
	halted   bool                          // delivers nothing any more: Close or Shutdown has begun
	ended    error
	streams  sync.WaitGroup // goroutines behind Stream
	closed   wait.Closing   // begun under mu
}

func newConsumer(home *engine, o streamer.ConsumerOptions) *consumer {
	c := &consumer{home: home, o: o, moving: make(chan struct{}, 1), set: map[streamer.StreamShard]bool{}}
	c.obs = home.observer(o.Group)
	c.life, c.die = context.WithCancel(context.Background())
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

// take is queue.take on whatever queue the consumer has now.
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

// finish remembers why a loop ended and says whether that is an ordinary end.
func (c *consumer) finish(ctx context.Context, err error) bool {
	c.mu.Lock()
	c.ended = err
	halted := c.halted
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

// offerAll hands messages to out one at a time and says why it stopped.
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
	return s.forfeits(ctx, q)
}

// whileOpen is a context that ends with ctx or when Close begins: Close must not
// wait for what is retried as long as ctx lasts.
func (c *consumer) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// cut is err for the program when it may be due to the end of whileOpen's
// context: ErrClosed when Close began, ctx's own error when ctx ended.
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

// ended is ctx's own error where ctx ended before what was under way: the program compares it.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// enter takes the right to move, commit or close; ErrClosed once Close or Shutdown has begun.
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
	if c.halted {
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

func (c *consumer) isHalted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.halted
}

func (c *consumer) Assignment() []streamer.StreamShard {
	if c.isHalted() {
		return nil
	}
	return c.q.Load().s.assignment()
}

func (c *consumer) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.isHalted() {
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

// addBuffered counts what was fetched and not handed out as not read yet.
func (s *session) addBuffered(lags []streamer.ShardLag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range lags {
		if l := s.owned.ledgers[lags[i].StreamShard]; l != nil && lags[i].Messages >= 0 {
			lags[i].Messages += int64(l.buffered)
		}
	}
}

func (c *consumer) Close() error {
	ctx, cancel := c.home.Closing()
	defer cancel()
	return c.shut(ctx)
}

// halt stops delivery; acknowledgements still count until shut.
func (c *consumer) halt() {
	c.mu.Lock()
	c.halted = true
	q := c.q.Load() // under mu: no move swaps it any more
	c.mu.Unlock()
	s := q.s
	s.mu.Lock()
	defer s.mu.Unlock()
	q.suspend()
	q.close(c.wrap("read", streamer.ErrClosed))
}

// awaitWork waits until the program has acknowledged what it holds, or ctx ends.
func (c *consumer) awaitWork(ctx context.Context) {
	s := c.q.Load().s
	s.awaitWork(ctx, s.allLedgers())
}

// shut is Close within ctx; later calls wait for the first and return what it returned.
func (c *consumer) shut(ctx context.Context) error {
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
	c.die()
	select { // a move that ignores its context must not hold up Close
	case c.moving <- struct{}{}:
		defer c.exit()
	case <-ctx.Done():
	}
	c.halt()
	err := c.q.Load().shut(ctx, c.wrap("read", streamer.ErrClosed))
	wait.Join(ctx, c.streams.Wait)
	c.home.forget(c)
	return c.closed.End(err)
}

// shut takes the queue out of its session, and closes that when it has no other
// member. Once: a move that Close gave up on may still be at it.
func (q *queue) shut(ctx context.Context, why error) error {
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
	return q.s.shut(ctx, why)
}
