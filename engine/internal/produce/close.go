package produce

import (
	"context"
	"fmt"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/internal/inside"
	"github.com/gostreamer/streamer/internal/wait"
)

func (p *Producer) Close() error {
	if inside.InCallback() {
		return boundary.Wrap("close", p.obs.Backend, p.o.Stream, boundary.ErrInOnDone)
	}
	ctx, cancel := p.home.Closing()
	defer cancel()
	return p.CloseWithin(ctx)
}

// CloseWithin is Close within ctx. Later calls wait for the first and return
// its result.
func (p *Producer) CloseWithin(ctx context.Context) error {
	p.mu.Lock()
	first := p.closed.Begin()
	if first {
		p.closing = true
		p.wakeSender()
	}
	p.mu.Unlock()
	if !first {
		err, ended := p.closed.WaitLong(ctx)
		if !ended {
			return boundary.Wrap("close", p.obs.Backend, p.o.Stream, boundary.ErrCloseUnderWay)
		}
		return err
	}
	err := p.finish(ctx)
	p.home.Forget(p)
	return p.closed.End(err)
}

// finish drains the buffer within ctx, then gives up on the rest.
func (p *Producer) finish(ctx context.Context) error {
	epochs := p.beginFlush()
	wait.Signal(p.work)
	hurried := p.flushSink(ctx)
	if awaitEpochs(ctx, epochs) != nil {
		p.giveUp(func(*sending) bool { return true }, p.because(fmt.Errorf("the producer closed before the outcome was known: %w", streamer.ErrUnknown)))
	}
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.stop()
	wait.Signal(p.work)
	p.joinSink(ctx)
	closed := p.sink.Close(ctx)
	p.disarm()

	p.mu.Lock()
	defer p.mu.Unlock()
	fails := p.unseenFailures()
	if err := fails.err("close", p.obs.Backend, p.o.Stream); err != nil {
		return err
	}
	if closed == nil {
		closed = hurried
	}
	return boundary.Wrap("close", p.obs.Backend, p.o.Stream, closed)
}

// joinSink waits, within ctx, until no call of the sink is under way. Calls
// that the end of ctx cut short have grace to return.
func (p *Producer) joinSink(ctx context.Context) {
	idle := func() { p.writes.Wait(); p.flush.Wait() }
	wait.Join(ctx, idle)
	if ctx.Err() == nil {
		return
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	wait.Join(late, idle)
}
