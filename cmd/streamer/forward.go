package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gostreamer/streamer"
)

// forwarder sends messages to the target in order and acknowledges what it
// stored. send and drain are for one goroutine; outcomes arrive on the
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

	// A set of attributes is proven when a record with it was stored. Until
	// then nothing is sent behind such a record, because it may have to be sent
	// again with less. Of times it is proven which.
	proven, lost attributes
	times        keptTimes
	first        bool

	without [len(attributeNames)]atomic.Int64 // messages that were stored without an attribute
}

func newForwarder(e *env, o *relayOptions, window int) *forwarder {
	return &forwarder{env: e, named: o.named, stdout: o.stdout, window: make(chan struct{}, window), first: true}
}

// send sends m as the target can keep it. It blocks while the window or the
// producer's buffer is full. After a failure it returns that.
func (f *forwarder) send(ctx context.Context, m *streamer.Message) error {
	has, proven := attributesOf(m)&^f.lost, f.proven&^withTime
	switch {
	case f.times.refuses(m.Time):
		has &^= withTime
	case f.times.keeps(m.Time):
		proven |= withTime
	}
	if f.first || has&^proven != 0 {
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
		f.done(m, has, err)
		<-f.window
	})
	return nil
}

// done is the outcome of m, sent with the attributes in keep.
func (f *forwarder) done(m *streamer.Message, keep attributes, err error) {
	if err != nil {
		f.fail(m, err)
		return
	}
	f.meter.add(len(m.Key) + len(m.Value))
	for i, missing := 0, attributesOf(m)&^keep; missing != 0; i, missing = i+1, missing>>1 {
		f.without[i].Add(int64(missing & 1))
	}
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

// probe sends m alone, without more and more of what it has until the target
// takes it, and says what the target does not take.
func (f *forwarder) probe(ctx context.Context, m *streamer.Message, has attributes) error {
	if err := f.drain(ctx); err != nil {
		return err
	}
	var refused error
	for _, drop := range has.subsets() {
		noTime, err := f.try(ctx, m, has, drop)
		if errors.Is(err, streamer.ErrUnsupported) {
			if refused == nil {
				refused = err
			}
			continue
		}
		if err == nil {
			f.first = false
			f.proven |= has &^ drop
			never := drop
			if has&withTime != 0 && !noTime {
				f.time(m, drop&withTime == 0, refused)
				never &^= withTime
			}
			f.lose(never, refused)
		}
		f.done(m, has&^drop, err)
		return err
	}
	f.done(m, has, refused)
	return refused
}

// try sends m without drop. When its time is to go, that of now takes its place
// first, as the target would have it: when that is refused too, and only the
// lack of any is not, the target keeps no times.
func (f *forwarder) try(ctx context.Context, m *streamer.Message, has, drop attributes) (noTime bool, err error) {
	r := f.record(m, has&^drop)
	if drop&withTime != 0 {
		r.Time = time.Now()
		if _, err := f.to.Send(ctx, r).Wait(ctx); !errors.Is(err, streamer.ErrUnsupported) {
			return false, err
		}
		r.Time = time.Time{}
	}
	_, err = f.to.Send(ctx, r).Wait(ctx)
	return drop&withTime != 0, err
}

// time notes whether the target has kept the time of m. One that it refuses
// says nothing about others, but for those further away from now.
func (f *forwarder) time(m *streamer.Message, kept bool, why error) {
	if !kept && !f.times.anyRefused() {
		fmt.Fprintf(f.err, "streamer: relay: the target cannot keep the time %v of message %s of %s shard %v: left out, as are others that it cannot keep (%s)\n",
			m.Time, m.Seq, m.Stream, m.Shard, oneLine(why.Error()))
	}
	f.times.learn(m.Time, kept)
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
	s := f.meter.total() + " stored"
	for i, name := range attributeNames {
		if n := f.without[i].Load(); n > 0 {
			s += fmt.Sprintf(", %s without %s", thousands(n), name)
		}
	}
	return s + f.acked.summary()
}
