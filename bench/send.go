package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/memory"
)

// sendCases measure what the engine adds to writing.
func sendCases() []benchCase {
	all := []benchCase{{
		name:    "send/Send+Wait",
		control: "bare Write of 1 record",
		trial:   20_000,
		setup: func(b *bed) (pair, error) {
			return pair{subject: b.sending(1, sendAndWait), control: b.writing(1)}, nil
		},
	}}
	for _, goroutines := range []int{1, 4, 8} {
		all = append(all, benchCase{
			name:    fmt.Sprintf("send/Send/goroutines=%d", goroutines),
			control: fmt.Sprintf("bare Write of %d records", writeBatch),
			goal:    goal{total: 350, share: 120, allocs: allocs(1)},
			setup: func(b *bed) (pair, error) {
				return pair{subject: b.sending(goroutines, send), control: b.writing(writeBatch)}, nil
			},
		})
	}
	return all
}

// send sends n records and forgets their receipts.
func send(ctx context.Context, p streamer.Producer, n int) (int, error) {
	value := make([]byte, payload)
	for range n {
		p.Send(ctx, streamer.Record{Value: value})
	}
	return n, nil
}

// sendAndWait sends n records, each when the one before is stored.
func sendAndWait(ctx context.Context, p streamer.Producer, n int) (int, error) {
	value := make([]byte, payload)
	for i := range n {
		if _, err := p.Send(ctx, streamer.Record{Value: value}).Wait(ctx); err != nil {
			return i, err
		}
	}
	return n, nil
}

// sending is trials of goroutines that send to a fresh log through the engine,
// until all is stored.
func (b *bed) sending(goroutines int, send func(context.Context, streamer.Producer, int) (int, error)) task {
	return func() (trial, error) {
		name := b.unique("sent")
		log, err := openLog(name)
		if err != nil {
			return trial{}, err
		}
		s, err := engine.New(log, streamer.StreamerOptions{})
		if err != nil {
			return trial{}, err
		}
		p, err := s.Producer(b.ctx, streamer.ProducerOptions{Stream: streamName})
		if err != nil {
			return trial{}, errors.Join(err, s.Close())
		}
		each := b.messages / goroutines
		first := b.messages - each*(goroutines-1)
		shares := make(chan int, goroutines)
		shares <- first
		for range goroutines - 1 {
			shares <- each
		}
		return trial{
			run: func() (int, error) {
				n, err := inParallel(goroutines, func() (int, error) { return send(b.ctx, p, <-shares) })
				return n, errors.Join(err, p.Flush(b.ctx))
			},
			end: func() error {
				memory.Drop(name)
				return s.Close()
			},
		}, nil
	}
}

// writing is trials of the sink without the engine.
func (b *bed) writing(batch int) task {
	return func() (trial, error) {
		name := b.unique("sent")
		log, err := openLog(name)
		if err != nil {
			return trial{}, err
		}
		w, err := openSink(b.ctx, log)
		if err != nil {
			return trial{}, err
		}
		all := pendings(b.messages)
		return trial{
			run: func() (int, error) { return writeAll(b.ctx, w, all, batch) },
			end: func() error { memory.Drop(name); return nil },
		}, nil
	}
}
