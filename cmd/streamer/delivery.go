package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/gostreamer/streamer"
)

// delivery sends lines and follows them to what became of them. Outcomes arrive
// on the goroutines that resolve receipts.
type delivery struct {
	*env
	to      streamer.Producer
	records *recorder
	stdout  bool                    // the target is standard output
	giveUp  context.CancelCauseFunc // ends the sending

	// What records with a time have shown of the target. It is the sender's.
	times    keptTimes
	timeless bool  // it has times of its own
	untimed  int64 // stored without the time that they had

	mu      sync.Mutex
	failed  int64
	unknown int64 // of these, what may be stored all the same
	first   error
}

// run sends lines until the input ends, ctx ends or it gives up. What was read
// is sent.
func (d *delivery) run(ctx context.Context, in *lineReader) error {
	ctx, d.giveUp = context.WithCancelCause(ctx)
	defer d.giveUp(nil)
	late, cancel := lingering(ctx)
	defer cancel()
	d.meter.end.Store(inputSize(d.in))
	d.meter.do("reading standard input")
	lines, failed := in.batches(ctx.Done())
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case batch, ok := <-lines:
			if !ok {
				return *failed
			}
			for _, l := range batch {
				d.send(late, l)
				d.meter.at.Add(int64(len(l.text)) + 1)
			}
		}
	}
}

// send sends one line. It blocks while the producer's buffer is full.
func (d *delivery) send(ctx context.Context, l line) {
	if l.err != nil {
		d.fail(l.number, l.err)
		return
	}
	record, err := d.records.record(l)
	if err != nil {
		d.fail(l.number, err)
		return
	}
	switch {
	case record.Time.IsZero():
	case d.timeless:
		record.Time = time.Time{}
	case d.times.refuses(record.Time):
		record.Time = time.Time{}
		d.untimed++
	case !d.times.keeps(record.Time):
		d.probe(ctx, l.number, record)
		return
	}
	size := len(record.Key) + len(record.Value)
	d.to.Send(ctx, record).OnDone(func(_ streamer.Meta, err error) { d.done(l.number, size, err) })
}

// probe sends a record with a time alone, and without it where the target
// cannot keep it: a copy of a message is worth more than when it was stored. A
// target that refuses the time of now too has times of its own.
func (d *delivery) probe(ctx context.Context, number int, record streamer.Record) {
	size, wanted := len(record.Key)+len(record.Value), record.Time
	_, err := d.to.Send(ctx, record).Wait(ctx)
	if !errors.Is(err, streamer.ErrUnsupported) {
		if err == nil {
			d.times.learn(wanted, true)
		}
		d.done(number, size, err)
		return
	}
	refused := err
	record.Time = time.Now()
	if _, err = d.to.Send(ctx, record).Wait(ctx); errors.Is(err, streamer.ErrUnsupported) {
		record.Time = time.Time{}
		if _, err = d.to.Send(ctx, record).Wait(ctx); err == nil {
			d.timeless = true
			fmt.Fprintf(d.err, "streamer: produce: the target does not keep the time: dropped from here on (%s)\n", oneLine(refused.Error()))
		}
	} else if err == nil {
		d.refused(number, wanted, refused)
	}
	d.done(number, size, err)
}

// refused notes a time that the target cannot keep, and says so of the first.
func (d *delivery) refused(number int, t time.Time, why error) {
	if !d.times.anyRefused() {
		fmt.Fprintf(d.err, "streamer: produce: the target cannot keep the time %v of line %d: left out, as are others that it cannot keep (%s)\n",
			t, number, oneLine(why.Error()))
	}
	d.times.learn(t, false)
	d.untimed++
}

// done is the outcome of one record.
func (d *delivery) done(number, size int, err error) {
	if err != nil {
		d.fail(number, err)
		return
	}
	d.meter.add(size)
}

// fail notes a failed record, and ends the sending unless it is about this
// record alone.
func (d *delivery) fail(number int, err error) {
	const shown = 10
	if d.isGone(err) {
		d.giveUp(errPipeClosed)
		return
	}
	n := d.count(err)
	switch {
	case n <= shown:
		fmt.Fprintf(d.err, "streamer: line %d: %s\n", number, oneLine(err.Error()))
	case n == shown+1:
		fmt.Fprintln(d.err, "streamer: further failures are counted and not shown")
	}
	if !isAboutRecord(err) {
		d.giveUp(err)
	}
}

func (d *delivery) count(err error) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed++
	if errors.Is(err, streamer.ErrUnknown) {
		d.unknown++
	}
	if d.first == nil {
		d.first = err
	}
	return d.failed
}

// isAboutRecord says that err is about one record: the next may be stored.
func isAboutRecord(err error) bool {
	return errors.Is(err, streamer.ErrTooLarge) || errors.Is(err, streamer.ErrInvalid) || errors.Is(err, streamer.ErrUnsupported)
}

// finish waits for what was sent and returns how the sending ended, err being
// what ended it.
func (d *delivery) finish(err error) error {
	closed := d.to.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.failed > 0 && (err == nil || isStop(err) || errors.Is(err, d.first)):
		return fmt.Errorf("produce: %s failed, the first: %w", counted(d.failed, "record"), d.first)
	case d.failed > 0:
		return err // closed is one of the failures
	case d.isGone(closed):
		return also(err, errPipeClosed)
	}
	return also(err, closed)
}

// isGone says that err is the end of the process that reads standard output, to
// which the messages go.
func (d *delivery) isGone(err error) bool { return d.stdout && errors.Is(err, syscall.EPIPE) }

// summary is what was done; it is complete after finish.
func (d *delivery) summary() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.meter.total() + " stored"
	if d.untimed > 0 {
		s += ", " + thousands(d.untimed) + " without the time"
	}
	if n := d.failed - d.unknown; n > 0 {
		s += ", " + thousands(n) + " failed"
	}
	if d.unknown > 0 {
		s += ", " + thousands(d.unknown) + " may be stored or not"
	}
	return s
}
