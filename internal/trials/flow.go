package trials

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// Flow is a producer that sends numbered records at a steady pace. Its
// goroutine is joined by Stop.
type Flow struct {
	t        *Trial
	producer streamer.Producer
	cancel   context.CancelFunc
	done     chan struct{}

	mu      sync.Mutex
	sent    int
	stored  map[int]streamer.Meta // by number, as the receipts say
	unknown int
	errs    []error // of the other failed ones
}

// Pace is how many records are sent in a burst, and how often there is one.
type Pace struct {
	Burst  int
	Every  time.Duration
	Shards int // over which records without a key go by number; 0: the backend chooses
}

// Steady is a pace that any server keeps up with.
var Steady = Pace{Burst: 10, Every: 2 * time.Millisecond}

// Flow starts to send.
func (t *Trial) Flow(p streamer.Producer, how Pace) *Flow {
	ctx, cancel := context.WithCancel(t.Ctx)
	f := &Flow{t: t, producer: p, cancel: cancel, done: make(chan struct{}), stored: map[int]streamer.Meta{}}
	go f.run(ctx, how)
	t.Cleanup(func() { cancel(); <-f.done })
	return f
}

func (f *Flow) run(ctx context.Context, how Pace) {
	defer close(f.done)
	ticks := time.NewTicker(how.Every)
	defer ticks.Stop()
	for n := 0; ; {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		for range how.Burst {
			f.send(n, how.Shards)
			n++
		}
	}
}

// send sends a record whose size varies, so that cuts fall everywhere.
func (f *Flow) send(n, shards int) {
	r := streamer.Record{Key: keyOf(n), Value: fmt.Append(nil, n, " ", strings.Repeat("x", n%300))}
	if r.Key == nil && shards > 0 {
		shard := streamer.ShardID(n % shards) //nolint:gosec // a few
		r.Shard = &shard
	}
	f.mu.Lock()
	f.sent++
	f.mu.Unlock()
	f.producer.Send(f.t.Ctx, r).OnDone(func(m streamer.Meta, err error) {
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

// NumberOf is the number of a record with this value; -1: it is none of a
// Flow's.
func NumberOf(value []byte) int {
	text, _, _ := strings.Cut(string(value), " ")
	n := -1
	_, _ = fmt.Sscan(text, &n)
	return n
}

// Counts is how many records were sent, and how many of them are stored so far.
func (f *Flow) Counts() (sent, stored int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent, len(f.stored)
}

// Proceeds waits until more records are stored.
func (f *Flow) Proceeds(more int) {
	f.t.Helper()
	_, before := f.Counts()
	f.t.Eventually("the producer goes on", func() bool { _, n := f.Counts(); return n >= before+more })
}

// End ends sending.
func (f *Flow) End() {
	f.cancel()
	<-f.done
}

// Stop ends sending and waits until every receipt is resolved.
func (f *Flow) Stop() {
	f.t.Helper()
	f.End()
	ctx, cancel := context.WithTimeout(f.t.Ctx, Hang)
	defer cancel()
	if err := f.producer.Flush(ctx); errors.Is(err, context.DeadlineExceeded) {
		f.t.Fatalf("Flush: %v", err)
	}
	f.t.Eventually("every receipt is resolved", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.stored)+f.unknown+len(f.errs) == f.sent
	})
}
