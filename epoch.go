package streamer

import (
	"context"
	"fmt"
)

// epoch is what was sent between two calls of Flush. Flush waits for the epochs before it and not for what others go on sending. The fields
// belong to producer.mu.
type epoch struct {
	open  int           // records not resolved
	used  bool          // something was sent
	done  chan struct{} // closed when a flushed epoch has nothing open
	fails failures
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

// err is what Flush and Close return.
func (f *failures) err(op, backend, stream string) error {
	if f.n == 0 {
		return nil
	}
	return &Error{Op: op, Backend: backend, Stream: stream, Kind: kindOf(f.first),
		Err: fmt.Errorf("%d records failed, the first: %w", f.n, f.first)}
}

// settle takes one record out of the epoch.
func (e *epoch) settle(err error) {
	e.open--
	if err != nil {
		e.fails.add(1, err)
	}
	if e.open == 0 && e.done != nil {
		close(e.done)
	}
}

// beginFlush ends the current epoch and returns all that no Flush has reported yet.
func (p *producer) beginFlush() []*epoch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoch.used {
		p.epoch.done = make(chan struct{})
		if p.epoch.open == 0 {
			close(p.epoch.done)
		}
		p.unreported = append(p.unreported, p.epoch)
		p.epoch = &epoch{}
	}
	p.hurried = len(p.queue) - p.head
	return append([]*epoch(nil), p.unreported...)
}

// awaitEpochs waits until nothing is open in them.
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

// report takes the epochs off the list and sums up their failures. Another Flush that overlaps this one reports them too.
func (p *producer) report(epochs []*epoch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var fails failures
	for _, e := range epochs {
		fails.add(e.fails.n, e.fails.first)
		p.unreported = without(p.unreported, e)
	}
	return fails.err("flush", p.obs.backend, p.o.Stream)
}
