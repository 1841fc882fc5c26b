package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/gostreamer/streamer"
)

// verb is a way to take messages until the input ends, and to acknowledge each.
type verb struct {
	name  string
	share float64 // ns per message that the engine may take
	// worker returns what each of the goroutines runs: it says how many
	// messages it had.
	worker func(ctx context.Context, c streamer.Consumer) func() (int, error)
}

const batchSize = 100

var verbs = []verb{
	{"Next", 110, func(ctx context.Context, c streamer.Consumer) func() (int, error) {
		return func() (n int, err error) {
			for {
				m, err := c.Next(ctx)
				if err != nil {
					return n, unlessEOF(err)
				}
				m.Ack()
				n++
			}
		}
	}},
	{"Messages", 110, func(ctx context.Context, c streamer.Consumer) func() (int, error) {
		return func() (n int, err error) {
			for _, err := range c.Messages(ctx) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		}
	}},
	{"NextBatch", 70, func(ctx context.Context, c streamer.Consumer) func() (int, error) {
		return func() (n int, err error) {
			for {
				batch, err := c.NextBatch(ctx, batchSize)
				if err != nil {
					return n, unlessEOF(err)
				}
				for _, m := range batch {
					m.Ack()
				}
				n += len(batch)
			}
		}
	}},
	{"Stream", 400, func(ctx context.Context, c streamer.Consumer) func() (int, error) {
		messages := c.Stream(ctx) // one for all
		return func() (n int, err error) {
			for m := range messages {
				m.Ack()
				n++
			}
			return n, unlessEOF(c.Err())
		}
	}},
}

func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// takeAll takes what there is with as many goroutines, and commits.
func (v *verb) takeAll(ctx context.Context, c streamer.Consumer, goroutines int) (int, error) {
	n, err := inParallel(goroutines, v.worker(ctx, c))
	return n, errors.Join(err, c.Commit(ctx))
}

// inParallel runs f so many times at once and sums up.
func inParallel(goroutines int, f func() (int, error)) (int, error) {
	if goroutines == 1 {
		return f()
	}
	var sum atomic.Int64
	errs := make([]error, goroutines)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			n, err := f()
			sum.Add(int64(n))
			errs[i] = err
		})
	}
	all.Wait()
	return int(sum.Load()), errors.Join(errs...)
}
