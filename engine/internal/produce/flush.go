package produce

import (
	"context"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/internal/inside"
	"github.com/gostreamer/streamer/internal/wait"
)

func (p *Producer) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if inside.InCallback() {
		return boundary.Wrap("flush", p.obs.Backend, p.o.Stream, boundary.ErrInOnDone)
	}
	epochs, err := p.drain(ctx)
	if err != nil {
		return err
	}
	return p.report(epochs)
}

// Drain waits until every record sent before it is resolved. Flush and Close
// still report their failures.
func (p *Producer) Drain(ctx context.Context) error {
	_, err := p.drain(ctx)
	return err
}

func (p *Producer) drain(ctx context.Context) ([]*epoch, error) {
	epochs := p.beginFlush()
	wait.Signal(p.work)
	if err := p.flushSink(ctx); err != nil {
		return nil, boundary.WrapFor(ctx, "flush", p.obs.Backend, p.o.Stream, err)
	}
	return epochs, awaitEpochs(ctx, epochs)
}

// flushSink flushes the sink, unless Close has closed it: then every record is
// resolved. It ends with ctx and with the producer.
func (p *Producer) flushSink(ctx context.Context) error {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return nil
	}
	p.flush.Add(1)
	p.mu.Unlock()
	defer p.flush.Done()
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	err := p.sink.Flush(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return streamer.ErrClosed
	}
	return err
}

// RefuseMore refuses new records and waits for those that came in since the
// last Flush. From then on nothing more is stored.
func (p *Producer) RefuseMore(ctx context.Context) error {
	p.mu.Lock()
	p.closing = true
	p.wakeSender()
	open := p.buffered().records > 0
	p.mu.Unlock()
	if !open {
		return nil
	}
	return p.Drain(ctx)
}
