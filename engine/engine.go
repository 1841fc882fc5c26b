package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/engine/internal/options"
	"github.com/gostreamer/streamer/engine/internal/produce"
	"github.com/gostreamer/streamer/internal/inside"
	"github.com/gostreamer/streamer/internal/wait"
)

// engine is the Streamer on a Backend: it knows its children, to shut them down in order.
type engine struct {
	b   driver.Backend
	o   streamer.StreamerOptions
	own driver.Deals // in-process groups, where the backend keeps no table

	life    context.Context // ends when Shutdown begins: what is being opened is given up
	die     context.CancelFunc
	opening sync.WaitGroup // calls of Consumer and Producer, which need the backend also to give up

	mu        sync.Mutex
	consumers map[*consumer]struct{}
	producers map[*produce.Producer]struct{}
	closed    wait.Closing // begun under mu
}

// New builds a Streamer on a Backend without the registry and without I/O.
// ErrInvalid when b is nil, and when a field of o, or of the backend's Defaults,
// has a value that it does not take. b is still the caller's then.
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
	e.life, e.die = context.WithCancel(context.Background())
	return e, nil
}

// BackendOf is the Backend that s stands on, for packages that offer native access to it. A decorator lets it through with a method
// Unwrap() Streamer.
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

// deals is the table of in-process groups that this streamer's consumers meet in.
func (e *engine) deals() *dealTable {
	d := &e.own
	if b, ok := e.b.(driver.Dealer); ok {
		d = b.Deals()
	}
	return d.Table(func() driver.DealTable { return new(dealTable) }).(*dealTable) //nolint:forcetypeassert // nobody else makes one
}

// Closing implements produce.Home: the context of a Close: the user's is over by then, so it has a deadline of its own.
func (e *engine) Closing() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), max(e.o.CloseTimeout, time.Millisecond))
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
		c.die()
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

// begin makes Shutdown wait for opening.Done before it closes the backend; false when it has begun.
func (e *engine) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed.Begun() {
		return false
	}
	e.opening.Add(1)
	return true
}

// within is a context that ends with ctx or when Shutdown begins.
func (e *engine) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(e.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// orClosed is err, unless that is because Shutdown has begun.
func (e *engine) orClosed(err error) error {
	if e.life.Err() != nil && errors.Is(err, context.Canceled) {
		return streamer.ErrClosed
	}
	return err
}

func (e *engine) isClosed() bool { return e.closed.Begun() }

// adopt takes a child in; false when the streamer is closing.
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

func (e *engine) Close() error {
	ctx, cancel := e.Closing()
	defer cancel()
	if err := e.stop(ctx); err != nil {
		return err
	}
	err, ended := e.closed.WaitLong(ctx)
	if !ended {
		return boundary.Wrap("close", e.b.Name(), "", boundary.ErrCloseUnderWay)
	}
	return err
}

func (e *engine) Shutdown(ctx context.Context) error {
	if err := e.stop(ctx); err != nil {
		return err
	}
	err, ended := e.closed.Wait(ctx)
	if !ended {
		return ctx.Err()
	}
	return err
}

// stop shuts down within ctx if it is the first to ask. The error is that of the
// caller: then nothing has happened.
func (e *engine) stop(ctx context.Context) error {
	if inside.InCallback() {
		return boundary.Wrap("close", e.b.Name(), "", boundary.ErrInOnDone)
	}
	e.mu.Lock()
	first := e.closed.Begin()
	consumers, producers := keys(e.consumers), keys(e.producers)
	e.mu.Unlock()
	e.die()
	if first {
		_ = e.closed.End(e.shutdown(ctx, consumers, producers))
	}
	return nil
}

// shutdown: delivery stops first, so that no message is begun; then outputs are stored, which acknowledges inputs; then those are committed.
func (e *engine) shutdown(ctx context.Context, consumers []*consumer, producers []*produce.Producer) error {
	for _, c := range consumers {
		c.halt()
	}
	all(producers, func(p *produce.Producer) error { _, err := p.Drain(ctx); return err })
	settle(ctx, consumers, producers)
	failed := all(consumers, func(c *consumer) error { return c.shut(ctx) })
	failed = append(failed, all(producers, func(p *produce.Producer) error { return p.Shut(ctx) })...)
	wait.Join(ctx, e.opening.Wait)
	if err := e.b.Close(ctx); err != nil {
		failed = append(failed, err)
	}
	return boundary.Wrap("close", e.b.Name(), "", errors.Join(failed...))
}

// lastMoment is how long a program that was in the middle of a message when delivery stopped has to send its output and to acknowledge it. It is
// short: a program may keep messages for good.
const lastMoment = 100 * time.Millisecond

// settle waits for that, and then has nothing more stored: the input of what is sent later is not committed.
func settle(ctx context.Context, consumers []*consumer, producers []*produce.Producer) {
	if len(producers) == 0 {
		return
	}
	moment, cancel := context.WithTimeout(ctx, lastMoment)
	defer cancel()
	all(consumers, func(c *consumer) error { c.awaitWork(moment); return nil })
	all(producers, func(p *produce.Producer) error { return p.RefuseMore(ctx) })
}

// all runs f for each child at once and returns the failures.
func all[C any](children []C, f func(C) error) []error {
	errs := make([]error, len(children))
	var wg sync.WaitGroup
	for i, c := range children {
		wg.Go(func() { errs[i] = f(c) })
	}
	wg.Wait()
	var failed []error
	for _, err := range errs {
		if err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

func keys[C comparable](m map[C]struct{}) []C {
	all := make([]C, 0, len(m))
	for c := range m {
		all = append(all, c)
	}
	return all
}
