package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/engine/internal/options"
	"github.com/gostreamer/streamer/engine/internal/produce"
	"github.com/gostreamer/streamer/internal/wait"
)

// engine is the Streamer on a Backend. It knows its consumers and producers, to
// shut them down in order.
type engine struct {
	b   driver.Backend
	o   streamer.StreamerOptions
	own driver.Deals // in-process groups, where the backend keeps no table

	life    context.Context // ends when Shutdown begins: what is being opened is given up
	cancel  context.CancelFunc
	opening sync.WaitGroup // calls of Consumer and Producer, which need the backend also to give up

	mu        sync.Mutex
	consumers map[*consumer]struct{}
	producers map[*produce.Producer]struct{}
	closed    wait.Closing // begun under mu
}

// New builds a Streamer on a Backend without the registry and without I/O. It
// is ErrInvalid when b is nil or a field of o, or of the backend's Defaults, is
// out of range. On an error b still belongs to the caller.
func New(b driver.Backend, o streamer.StreamerOptions) (streamer.Streamer, error) {
	if b == nil {
		return nil, boundary.Invalid("backend is nil")
	}
	if d, ok := b.(driver.Defaulter); ok {
		o = options.Merge(o, d.Defaults())
	}
	if err := options.CheckStreamer(&o); err != nil {
		return nil, boundary.Wrap("connect", b.Name(), "", err)
	}
	options.OrDefault(&o.CloseTimeout, options.DefaultCloseTimeout)
	o.Logger = observe.LoggerOr(o.Logger)
	e := &engine{b: b, o: o, consumers: map[*consumer]struct{}{}, producers: map[*produce.Producer]struct{}{}}
	e.life, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// BackendOf returns the Backend of s, for packages that offer native access to
// it. It sees through decorators with a method Unwrap() streamer.Streamer.
func BackendOf(s streamer.Streamer) (b driver.Backend, ok bool) {
	for {
		if e, ok := s.(*engine); ok {
			return e.b, true
		}
		w, ok := s.(interface{ Unwrap() streamer.Streamer })
		if !ok {
			return nil, false
		}
		s = w.Unwrap()
	}
}

func (e *engine) observer(group string) *observe.Observer {
	return &observe.Observer{Backend: e.b.Name(), Group: group, Hooks: &e.o.Hooks, Log: e.o.Logger}
}

// deals is the table of in-process groups that the Streamer's consumers join.
func (e *engine) deals() *dealTable {
	d := &e.own
	if b, ok := e.b.(driver.Dealer); ok {
		d = b.Deals()
	}
	return d.Table(func() driver.DealTable { return new(dealTable) }).(*dealTable) //nolint:forcetypeassert // nothing else makes one
}

func (e *engine) Consumer(ctx context.Context, call streamer.ConsumerOptions) (streamer.Consumer, error) {
	if !e.begin() {
		return nil, boundary.Wrap("consumer", e.b.Name(), "", streamer.ErrClosed)
	}
	defer e.opening.Done()
	o, err := options.Complete(call, e.o.Consumer)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, boundary.Wrap("consumer", e.b.Name(), "", err)
	}
	within, cancel := e.within(ctx)
	defer cancel()
	c := newConsumer(e, o)
	if err := c.checkStart(within); err != nil {
		return nil, boundary.WrapFor(ctx, "consumer", c.obs.Backend, c.streamName(), e.orClosed(err))
	}
	q, err := c.open(within, opening{mode: o.Mode, shards: c.shardsFor(streamer.Position{})})
	if err != nil {
		c.cancel()
		return nil, boundary.WrapFor(ctx, "consumer", c.obs.Backend, c.streamName(), e.orClosed(err))
	}
	c.q.Store(q)
	if !adopt(e, e.consumers, c) {
		return nil, c.wrap("consumer", errors.Join(streamer.ErrClosed, c.Close()))
	}
	return c, nil
}

func (e *engine) Producer(ctx context.Context, call streamer.ProducerOptions) (streamer.Producer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := options.ProducerOver(call, e.o.Producer)
	if err := options.CheckProducer(&o); err != nil {
		return nil, boundary.Wrap("producer", e.b.Name(), o.Stream, err)
	}
	options.ProducerDefaults(&o)
	if !e.begin() {
		return nil, boundary.Wrap("producer", e.b.Name(), o.Stream, streamer.ErrClosed)
	}
	defer e.opening.Done()
	within, cancel := e.within(ctx)
	defer cancel()
	obs := e.observer("")
	sink, err := e.b.OpenSink(within, driver.SinkConfig{
		Stream: o.Stream, Logger: e.o.Logger, Linger: o.Linger, DeliveryTimeout: o.DeliveryTimeout, Written: e.o.Hooks.Written,
		Retrying: obs.Beneath,
	})
	if err != nil {
		return nil, boundary.WrapFor(ctx, "producer", e.b.Name(), o.Stream, e.orClosed(err))
	}
	p, err := produce.New(e, o, sink, obs)
	if err != nil {
		return nil, boundary.Wrap("producer", e.b.Name(), o.Stream, err)
	}
	if !adopt(e, e.producers, p) {
		return nil, boundary.Wrap("producer", e.b.Name(), o.Stream, errors.Join(streamer.ErrClosed, p.Close()))
	}
	return p, nil
}

// begin makes Shutdown wait for opening.Done before it closes the backend. It
// returns false once Shutdown has begun.
func (e *engine) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed.Begun() {
		return false
	}
	e.opening.Add(1)
	return true
}

// within returns a context that ends with ctx or when Shutdown begins.
func (e *engine) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(e.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// orClosed is ErrClosed if err is due to Shutdown, otherwise err.
func (e *engine) orClosed(err error) error {
	if e.life.Err() != nil && errors.Is(err, context.Canceled) {
		return streamer.ErrClosed
	}
	return err
}

func (e *engine) isClosed() bool { return e.closed.Begun() }

// adopt adds a consumer or producer; false when the Streamer is closing.
func adopt[C comparable](e *engine, children map[C]struct{}, child C) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed.Begun() {
		return false
	}
	children[child] = struct{}{}
	return true
}

func (e *engine) forget(c *consumer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.consumers, c)
}

// Forget implements produce.Home.
func (e *engine) Forget(p *produce.Producer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.producers, p)
}

func (e *engine) Admin() streamer.Admin {
	a, _ := e.b.(streamer.Admin)
	return &admin{backend: e.b.Name(), b: a, closed: e.isClosed}
}

func (e *engine) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.isClosed() {
		return boundary.Wrap("ping", e.b.Name(), "", streamer.ErrClosed)
	}
	p, ok := e.b.(driver.Pinger)
	if !ok {
		return boundary.Wrap("ping", e.b.Name(), "", streamer.ErrUnsupported)
	}
	return boundary.WrapFor(ctx, "ping", e.b.Name(), "", p.Ping(ctx))
}
