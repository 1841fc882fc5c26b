package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// flow is a producer that sends numbered records at a steady pace. Its goroutine is joined by stop.
type flow struct {
	t        *trial
	producer streamer.Producer
	cancel   context.CancelFunc
	done     chan struct{}

	mu      sync.Mutex
	sent    int
	stored  map[int]streamer.Meta // by number, as the receipts say
	unknown int
	errs    []error // of the other failed ones
}

// pace is how many records are sent in a burst, and how often there is one.
type pace struct {
	burst int
	every time.Duration
}

var steady = pace{burst: 10, every: 2 * time.Millisecond}

func (t *trial) flow(p streamer.Producer, how pace) *flow {
	ctx, cancel := context.WithCancel(t.ctx)
	f := &flow{t: t, producer: p, cancel: cancel, done: make(chan struct{}), stored: map[int]streamer.Meta{}}
	go f.run(ctx, how)
	t.Cleanup(func() { cancel(); <-f.done })
	return f
}

func (f *flow) run(ctx context.Context, how pace) {
	defer close(f.done)
	ticks := time.NewTicker(how.every)
	defer ticks.Stop()
	for n := 0; ; {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		for range how.burst {
			f.send(n)
			n++
		}
	}
}

// send sends a record whose size varies, so that cuts fall everywhere.
func (f *flow) send(n int) {
	r := streamer.Record{Key: keyOf(n), Value: fmt.Append(nil, n, " ", strings.Repeat("x", n%300))}
	f.mu.Lock()
	f.sent++
	f.mu.Unlock()
	f.producer.Send(f.t.ctx, r).OnDone(func(m streamer.Meta, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		switch {
		case err == nil:
			f.stored[n] = m
		case errors.Is(err, streamer.ErrUnknown):
			f.unknown++
		default:
			f.errs = append(f.errs, err)
		}
	})
}

// keyOf is the key of a numbered record: some have none.
func keyOf(n int) []byte {
	if n%3 != 0 {
		return nil
	}
	return fmt.Append(nil, "key ", n%7)
}

func (f *flow) counts() (sent, stored int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent, len(f.stored)
}

// proceeds waits until more records are stored.
func (f *flow) proceeds(more int) {
	f.t.Helper()
	_, before := f.counts()
	f.t.eventually("the producer goes on", func() bool { _, n := f.counts(); return n >= before+more })
}

// stop ends sending and waits until every receipt is resolved.
func (f *flow) stop() {
	f.t.Helper()
	f.cancel()
	<-f.done
	ctx, cancel := context.WithTimeout(f.t.ctx, hang)
	defer cancel()
	if err := f.producer.Flush(ctx); errors.Is(err, context.DeadlineExceeded) {
		f.t.Fatalf("Flush: %v", err)
	}
	f.t.eventually("every receipt is resolved", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.stored)+f.unknown+len(f.errs) == f.sent
	})
}
