package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/produce"
	"github.com/gostreamer/streamer/internal/inside"
	"github.com/gostreamer/streamer/internal/wait"
)

// Closing implements produce.Home. A Close has a deadline of its own, because
// the program's context has usually ended by then.
func (e *engine) Closing() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), max(e.o.CloseTimeout, time.Millisecond))
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

// stop shuts down within ctx if it is the first call. An error means that
// nothing has happened.
func (e *engine) stop(ctx context.Context) error {
	if inside.InCallback() {
		return boundary.Wrap("close", e.b.Name(), "", boundary.ErrInOnDone)
	}
	e.mu.Lock()
	first := e.closed.Begin()
	consumers, producers := keys(e.consumers), keys(e.producers)
	e.mu.Unlock()
	e.cancel()
	if first {
		_ = e.closed.End(e.shutdown(ctx, consumers, producers))
	}
	return nil
}

// shutdown first stops delivery, so that no message is begun, then has outputs
// stored, which acknowledges inputs, and then commits those.
func (e *engine) shutdown(ctx context.Context, consumers []*consumer, producers []*produce.Producer) error {
	for _, c := range consumers {
		c.stopDelivery()
	}
	all(producers, func(p *produce.Producer) error { return p.Drain(ctx) })
	awaitLastOutputs(ctx, consumers, producers)
	failed := all(consumers, func(c *consumer) error { return c.closeWithin(ctx) })
	failed = append(failed, all(producers, func(p *produce.Producer) error { return p.CloseWithin(ctx) })...)
	wait.Join(ctx, e.opening.Wait)
	if err := e.b.Close(ctx); err != nil {
		failed = append(failed, err)
	}
	return boundary.Wrap("close", e.b.Name(), "", errors.Join(failed...))
}

// lastMoment is how long a program that is processing a message when delivery
// stops has to send its output and acknowledge it. It is short, because a
// program may keep messages forever.
const lastMoment = 100 * time.Millisecond

// awaitLastOutputs waits for that and then refuses further records: their
// inputs would not be committed.
func awaitLastOutputs(ctx context.Context, consumers []*consumer, producers []*produce.Producer) {
	if len(producers) == 0 {
		return
	}
	moment, cancel := context.WithTimeout(ctx, lastMoment)
	defer cancel()
	all(consumers, func(c *consumer) error { c.awaitWork(moment); return nil })
	all(producers, func(p *produce.Producer) error { return p.RefuseMore(ctx) })
}

// all runs f for all children concurrently and returns the failures.
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
