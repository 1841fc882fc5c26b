package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/inside"
)

func (p *producer) Close() error {
	if inside.InCallback() {
		return wrap("close", p.obs.backend, p.o.Stream, errInOnDone)
	}
	ctx, cancel := p.home.closing()
	defer cancel()
	return p.shut(ctx)
}

// shut is Close within ctx; later calls wait for the first and return what it returned.
func (p *producer) shut(ctx context.Context) error {
	p.mu.Lock()
	first := p.closed == nil
	if first {
		p.closed = make(chan struct{})
		p.closing = true
		p.wakeSender()
	}
	p.mu.Unlock()
	if !first {
		if !over(ctx, p.closed) {
			return wrap("close", p.obs.backend, p.o.Stream, errCloseUnderWay)
		}
		return p.result
	}
	p.result = p.end(ctx)
	p.home.forgetProducer(p)
	close(p.closed)
	return p.result
}

var errInOnDone = fmt.Errorf("%w inside OnDone: it would wait for the record whose OnDone it is in", streamer.ErrInvalid)

// errCloseUnderWay is what a Close returns whose time is over before that of the
// first one is.
var errCloseUnderWay = fmt.Errorf("another Close has not ended: %w", streamer.ErrUnknown)

// over waits for a Close that is under way until ctx ends, and then as long as one
// of the same time has to give up on the rest.
func over(ctx context.Context, closed <-chan struct{}) bool {
	select {
	case <-closed:
		return true
	case <-ctx.Done():
	}
	last := time.NewTimer(10 * grace)
	defer last.Stop()
	select {
	case <-closed:
		return true
	case <-last.C:
		return false
	}
}

// end drains the buffer within ctx, then gives up on the rest.
func (p *producer) end(ctx context.Context) error {
	epochs := p.beginFlush()
	signal(p.work)
	hurried := p.flushSink(ctx)
	if awaitEpochs(ctx, epochs) != nil {
		p.giveUp(func(*sending) bool { return true }, p.because(fmt.Errorf("the producer closed before the outcome was known: %w", streamer.ErrUnknown)))
	}
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.stop()
	signal(p.work)
	p.joinSink(ctx)
	closed := p.sink.Close(ctx)
	p.disarm()

	p.mu.Lock()
	defer p.mu.Unlock()
	fails := p.unheard()
	if err := fails.err("close", p.obs.backend, p.o.Stream); err != nil {
		return err
	}
	if closed == nil {
		closed = hurried
	}
	return wrap("close", p.obs.backend, p.o.Stream, closed)
}

// joinSink waits until nothing is in the sink any more, within ctx. What was cut
// short by the end of ctx has grace to return.
func (p *producer) joinSink(ctx context.Context) {
	idle := func() { p.writes.Wait(); p.flush.Wait() }
	join(ctx, idle)
	if ctx.Err() == nil {
		return
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	join(late, idle)
}
