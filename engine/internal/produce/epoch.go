package produce

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/internal/inside"
)

// epoch is the records sent between two calls of Flush. Flush waits for the
// epochs before it, not for what others continue sending. Except for the
// atomics it belongs to Producer.mu.
type epoch struct {
	home     *Producer
	records  int64         // records; it stays as it is once the epoch is flushed
	used     bool          // something was sent
	done     chan struct{} // made when the epoch is flushed, closed when all of it is resolved
	fails    failures      // all of them, for Flush
	unseen   unseen        // those that the program has not been told of, for Close
	resolved atomic.Int64  // records resolved
	flushed  atomic.Bool   // and not done
}

// failures counts failed records and keeps the first reason.
type failures struct {
	n     int
	first error
}

func (f *failures) add(n int, first error) {
	if n > 0 && f.n == 0 {
		f.first = first
	}
	f.n += n
}

// unseen counts the failed records whose outcome the program has not seen: no
// Wait returned it and no OnDone was called with it.
type unseen struct {
	n     int
	known []*streamer.Receipt // the first of them, maxKnown at most, so that a program that drops its receipts does not keep them
	last  error               // of the latest that is not among known
}

const maxKnown = 64

func (u *unseen) add(r *streamer.Receipt, err error) {
	u.n++
	if len(u.known) < maxKnown {
		u.known = append(u.known, r)
		return
	}
	u.last = err
}

func (u *unseen) remove(r *streamer.Receipt) {
	u.n--
	u.known = list.Without(u.known, r)
}

// first is the reason of the first known failure.
func (u *unseen) first() error {
	if len(u.known) > 0 {
		return outcomeOf(u.known[0]).Err()
	}
	return u.last
}

// err is what Flush and Close return.
func (f *failures) err(op, backend, stream string) error {
	if f.n == 0 {
		return nil
	}
	return &streamer.Error{Op: op, Backend: backend, Stream: stream, Kind: streamer.KindOf(f.first),
		Err: fmt.Errorf("%d records failed, the first: %w", f.n, f.first)}
}

// recordResolved counts one record. Its failure is in fails before.
func (e *epoch) recordResolved() {
	e.resolved.Add(1)
	e.finish()
}

// finish closes done when the epoch is flushed and its last record resolved.
// Either of the two goroutines sees both.
func (e *epoch) finish() {
	if e.flushed.Load() && e.resolved.Load() == e.records && e.flushed.CompareAndSwap(true, false) {
		close(e.done)
	}
}

// beginFlush ends the current epoch and returns those that no Flush has
// reported yet.
func (p *Producer) beginFlush() []*epoch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.epoch; e.used {
		e.done = make(chan struct{})
		e.flushed.Store(true)
		e.finish()
		p.unreported = append(p.unreported, e)
		p.epoch = &epoch{home: p}
	}
	p.hurried = len(p.queue) - p.head
	return append([]*epoch(nil), p.unreported...)
}

// awaitEpochs waits until every record in them is resolved.
func awaitEpochs(ctx context.Context, epochs []*epoch) error {
	for _, e := range epochs {
		select {
		case <-e.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// report takes the epochs off the list and sums up their failures. A Flush that
// overlaps reports them too.
func (p *Producer) report(epochs []*epoch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var fails failures
	for _, e := range epochs {
		fails.add(e.fails.n, e.fails.first)
		p.unreported = list.Without(p.unreported, e)
	}
	return fails.err("flush", p.obs.Backend, p.o.Stream)
}

// fail counts a failed record in its epoch.
func (p *Producer) fail(e *epoch, r *streamer.Receipt, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(e, r, err)
}

// note is fail for a caller that holds p.mu.
func (p *Producer) note(e *epoch, r *streamer.Receipt, err error) {
	e.fails.add(1, err)
	if outcomeOf(r).Unseen(e) {
		e.unseen.add(r, err)
	}
}

// Seen implements inside.Failures: the program has seen the outcome after all.
func (e *epoch) Seen(o *inside.Outcome[streamer.Meta]) {
	e.home.mu.Lock()
	defer e.home.mu.Unlock()
	e.unseen.remove((*streamer.Receipt)(o))
}

// unseenFailures sums up the failures that neither a receipt nor a Flush has
// shown to the program. p.mu is held.
func (p *Producer) unseenFailures() failures {
	var fails failures
	for _, e := range p.unreported {
		fails.add(e.unseen.n, e.unseen.first())
	}
	return fails
}
