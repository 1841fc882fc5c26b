package conformance

import (
	"errors"
	"sync"

	"github.com/gostreamer/streamer"
)

// failing sends records of which every tenth fails, and returns the receipts.
func (b *bed) failing(p streamer.Producer, n int) []*streamer.Receipt {
	b.Helper()
	receipts := make([]*streamer.Receipt, 0, n)
	for _, r := range b.withBad(n, every10th) {
		receipts = append(receipts, p.Send(b.ctx, r))
	}
	return receipts
}

// closeReports: Done says that there is an outcome and not which, so Close
// does.
func closeReports(b *bed) {
	b.open(Plan{})
	p := b.producer()
	for _, r := range b.failing(p, 30) {
		b.within("a receipt's Done", func() error { <-r.Done(); return nil })
	}
	b.reports("Close after 3 failures that nothing told", b.returns("Producer.Close", p.Close))
}

// shutdownReports: that a Shutdown flushes by itself tells the program nothing.
func shutdownReports(b *bed) {
	b.open(Plan{})
	s := b.connect()
	b.failing(b.producerOn(s, streamer.ProducerOptions{}), 30)
	stop := shutsDown(b)
	b.reports("Shutdown after 3 failures that nothing told", b.returns("Shutdown", func() error { return stop(s) }))
}

// reports fails unless err is that of a bad record.
func (b *bed) reports(what string, err error) {
	b.Helper()
	if err == nil {
		b.Fatalf("%s returned nil", what)
	}
	want := b.badKind()
	if want != nil && !errors.Is(err, want) {
		b.Errorf("%s returned %q, want %q", what, err, want)
	}
}

// badKind is why a bad record fails, as its receipt says; nil where that has no
// kind.
func (b *bed) badKind() error {
	b.Helper()
	ctx, cancel := b.limit()
	defer cancel()
	s := b.connect()
	_, failure := b.producerOn(s, streamer.ProducerOptions{}).Send(ctx, b.Bad(streamer.Record{Value: value(0)})).Wait(ctx)
	for _, kind := range sentinels() {
		if errors.Is(failure, kind) {
			return kind
		}
	}
	return nil
}

// closeQuiet: a failure that the program has seen is not reported again
// when it stops, so a program that saw to its failures ends without one.
func closeQuiet(b *bed, tell func(*bed, []*streamer.Receipt) int, stop func(streamer.Streamer) error) {
	const n, bad = 40, 4
	b.open(Plan{})
	s := b.connect()
	p := b.producerOn(s, streamer.ProducerOptions{})
	if failed := tell(b, b.failing(p, n)); failed != bad {
		b.Fatalf("%d receipts failed, want %d", failed, bad)
	}
	b.must("stopping after failures that were seen", b.returns("stopping", func() error { return stop(s) }))
}

// waited has the outcome of each receipt from Wait.
func waited(b *bed, receipts []*streamer.Receipt) (failed int) {
	b.Helper()
	for _, r := range receipts {
		ctx, cancel := b.limit()
		if _, err := r.Wait(ctx); err != nil {
			failed++
		}
		cancel()
	}
	return failed
}

// calledBack has it from OnDone.
func calledBack(b *bed, receipts []*streamer.Receipt) (failed int) {
	b.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, r := range receipts {
		all.Add(1)
		r.OnDone(func(_ streamer.Meta, err error) {
			defer all.Done()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
			}
		})
	}
	b.within("OnDone of all receipts", func() error { all.Wait(); return nil })
	mu.Lock()
	defer mu.Unlock()
	return failed
}

func shutsDown(b *bed) func(streamer.Streamer) error {
	return func(s streamer.Streamer) error {
		ctx, cancel := b.limit()
		defer cancel()
		return s.Shutdown(ctx)
	}
}
