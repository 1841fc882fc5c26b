package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"github.com/gostreamer/streamer"
)

// forwarder sends messages to the target in order and acknowledges what it stored. send and drain are for one goroutine; outcomes arrive on the
// goroutines that resolve receipts.
type forwarder struct {
	*env
	to     streamer.Producer
	named  bool                    // the target's URI names the stream
	stdout bool                    // the target is standard output
	giveUp context.CancelCauseFunc // ends the reading

	window chan struct{}         // a place for each message that is sent and not resolved
	failed atomic.Pointer[error] // the first failure
	acked  acknowledged

	// A set of attributes is proven when a record with it was stored. Until then nothing is sent behind such a record, because it may have to be
	// sent again with less.
	proven, lost attributes
	first        bool
}

func newForwarder(e *env, o *relayOptions, window int) *forwarder {
	return &forwarder{env: e, named: o.named, stdout: o.stdout, window: make(chan struct{}, window), first: true}
}

// send sends m as the target can keep it. It blocks while the window or the producer's buffer is full. After a failure it returns that.
func (f *forwarder) send(ctx context.Context, m *streamer.Message) error {
	has := attributesOf(m) &^ f.lost
	if f.first || has&^f.proven != 0 {
		return f.probe(ctx, m, has)
	}
	select {
	case f.window <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if failed := f.failed.Load(); failed != nil {
		<-f.window
		return *failed
	}
	f.to.Send(ctx, f.record(m, has)).OnDone(func(_ streamer.Meta, err error) {
		f.done(m, err)
		<-f.window
	})
	return nil
}

// done is the outcome of m.
func (f *forwarder) done(m *streamer.Message, err error) {
	if err != nil {
		f.fail(m, err)
		return
	}
	f.meter.add(len(m.Key) + len(m.Value))
	f.acked.ack(m)
}

func (f *forwarder) fail(m *streamer.Message, err error) {
	if f.stdout && errors.Is(err, syscall.EPIPE) {
		err = errPipeClosed
	} else {
		err = fmt.Errorf("message %s of %s shard %v was not stored: %w", m.Seq, m.Stream, m.Shard, err)
	}
	f.failed.CompareAndSwap(nil, &err)
	f.giveUp(err)
}

// drain waits until everything sent is resolved, and returns the first failure.
func (f *forwarder) drain(ctx context.Context) error {
	_ = f.to.Flush(ctx) // hurries; the receipts tell what failed
	for range cap(f.window) {
		select {
		case f.window <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for range cap(f.window) {
		<-f.window
	}
	if failed := f.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}

// probe sends m alone, without more and more of what it has until the target takes it, and says what the target does not take.
func (f *forwarder) probe(ctx context.Context, m *streamer.Message, has attributes) error {
	if err := f.drain(ctx); err != nil {
		return err
	}
	var refused error
	for _, drop := range has.subsets() {
		_, err := f.to.Send(ctx, f.record(m, has&^drop)).Wait(ctx)
		if errors.Is(err, streamer.ErrUnsupported) {
			if refused == nil {
				refused = err
			}
			continue
		}
		if err == nil {
			f.first = false
			f.proven |= has &^ drop
			f.lose(drop, refused)
		}
		f.done(m, err)
		return err
	}
	f.done(m, refused)
	return refused
}

// lose says once what the target does not keep.
func (f *forwarder) lose(drop attributes, why error) {
	if drop == 0 {
		return
	}
	f.lost |= drop
	if drop&withKey != 0 {
		f.lost |= withBinaryKey
	}
	fmt.Fprintf(f.err, "streamer: relay: the target does not keep %s: dropped from here on (%s)\n", drop, oneLine(why.Error()))
}

// record is m with the attributes in keep.
func (f *forwarder) record(m *streamer.Message, keep attributes) streamer.Record {
	r := streamer.Record{Value: m.Value}
	if !f.named {
		r.Stream = m.Stream
	}
	if keep&withTime != 0 {
		r.Time = m.Time
	}
	if keep&withHeaders != 0 {
		r.Headers = m.Headers
	}
	if keep&(withKey|withBinaryKey) != 0 {
		r.Key = m.Key
	}
	if r.Value == nil && keep&withoutValue == 0 {
		r.Value = []byte{}
	}
	return r
}

// summary is what was done; it is complete after drain and acked.close.
func (f *forwarder) summary() string {
	return f.meter.total() + " stored" + f.acked.summary()
}
