package produce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/internal/wait"
)

// writeLoop writes batches, one at a time. While one is under way the next one
// forms. It is the producer's write goroutine and ends when the producer is
// closed and the queue is empty or given up.
func (p *Producer) writeLoop() {
	var batch []*sending
	for {
		batch = p.nextBatch(batch[:0])
		if len(batch) == 0 {
			return
		}
		p.writeAll(batch)
		clear(batch)
		clear(p.written)
	}
}

// nextBatch blocks for a batch within the sink's limits. An empty batch is the
// end.
func (p *Producer) nextBatch(batch []*sending) []*sending {
	for {
		p.mu.Lock()
		p.refusal = nil
		batch = p.cutBatch(batch)
		wait := p.lingers(batch)
		ended := len(batch) == 0 && p.closing
		if wait > 0 {
			batch = p.uncut(batch)
		}
		p.mu.Unlock()
		if wait > 0 {
			p.linger(wait)
			continue
		}
		if len(batch) > 0 || ended || p.life.Err() != nil {
			return batch
		}
		select {
		case <-p.work:
		case <-p.life.Done():
		}
	}
}

// cutBatch takes records off the queue up to the sink's limits. p.mu is held.
func (p *Producer) cutBatch(batch []*sending) []*sending {
	bytes := 0
	for p.head < len(p.queue) {
		pd := p.queue[p.head]
		full := len(batch) >= p.limits.Records || p.limits.Bytes > 0 && bytes+pd.size > p.limits.Bytes
		if full && len(batch) > 0 {
			p.compact()
			return batch
		}
		if !pd.givenUp {
			batch = append(batch, pd)
			bytes += pd.size
		}
		p.queue[p.head] = nil
		p.head++
		p.queueBytes -= pd.size
		p.hurried--
	}
	p.queue, p.head = p.queue[:0], 0
	return batch
}

// compact frees the front of the queue, whose records were taken: under a
// steady load the queue is never empty. p.mu is held.
func (p *Producer) compact() {
	if 2*p.head < len(p.queue) {
		return
	}
	n := copy(p.queue, p.queue[p.head:])
	clear(p.queue[n:])
	p.queue, p.head = p.queue[:n], 0
}

// uncut puts back a batch that is to grow. p.mu is held.
func (p *Producer) uncut(batch []*sending) []*sending {
	p.queue = append(append([]*sending(nil), batch...), p.queue[p.head:]...)
	p.head = 0
	for _, pd := range batch {
		p.queueBytes += pd.size
	}
	p.hurried += len(batch)
	return batch[:0]
}

// lingers says how long to wait for a fuller batch: not when this one is full,
// and not for a record that a Flush waits for.
func (p *Producer) lingers(batch []*sending) time.Duration {
	if p.o.Linger == 0 || len(batch) == 0 || p.head < len(p.queue) || p.closing || p.hurried+len(batch) > 0 || p.full(len(batch), sizeOf(batch)) {
		return 0
	}
	return p.o.Linger - (time.Since(p.born) - batch[0].at)
}

// linger waits d, or less when the queue may be full or a Flush asks.
func (p *Producer) linger(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return
		case <-p.life.Done():
			return
		case <-p.work:
			if p.lingerOver() {
				return
			}
		}
	}
}

func (p *Producer) lingerOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closing || p.hurried > 0 || p.full(len(p.queue)-p.head, p.queueBytes)
}

// full says that a batch of this size cannot grow.
func (p *Producer) full(records, bytes int) bool {
	return records >= p.limits.Records || p.limits.Bytes > 0 && bytes >= p.limits.Bytes
}

func sizeOf(batch []*sending) int {
	n := 0
	for _, pd := range batch {
		n += pd.size
	}
	return n
}

// writeAll writes the batch, and again if the sink says that nothing of the
// rest is stored. Later records wait, to stay in order.
func (p *Producer) writeAll(batch []*sending) {
	var b wait.Backoff
	for {
		if batch = p.due(batch); len(batch) == 0 {
			return
		}
		err := p.write(batch)
		if err == nil {
			p.obs.Succeeded("write")
			return
		}
		batch = unresolved(batch)
		after, again := boundary.RetryAfter(err)
		if len(batch) == 0 {
			return
		}
		if !again || p.life.Err() != nil {
			fail(batch, reason(err))
			return
		}
		p.noteRefusal(err)
		after = b.Next(after)
		p.obs.Retrying("write", err, after)
		batch = p.failLate(batch, after, err)
		if len(batch) == 0 {
			return
		}
		wait.Pause(p.life, after)
	}
}

// due are the records of batch that are still to be written: none once the
// producer has given up on them.
func (p *Producer) due(batch []*sending) []*sending {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil
	}
	open := batch[:0]
	for _, pd := range batch {
		if !pd.givenUp {
			open = append(open, pd)
		}
	}
	return open
}

// write is one Write. It is cut short when the youngest record of the batch has
// been under way for DeliveryTimeout; expire handles the older ones.
func (p *Producer) write(batch []*sending) error {
	left := p.o.DeliveryTimeout - (time.Since(p.born) - batch[len(batch)-1].at)
	ctx, cancel := context.WithTimeout(p.life, left)
	defer cancel()
	records, bytes, stream := len(batch), 0, batch[0].Record.Stream
	if p.obs.Hooks.Written != nil {
		bytes = sizeOf(batch)
	}
	from := time.Now()
	err := p.writer.Write(ctx, p.pendings(batch))
	if err != nil && boundary.EndOf(ctx) != nil && (boundary.IsContextError(err) || errors.Is(err, streamer.ErrUnknown)) {
		err = p.cutShort()
	}
	if p.obs.Hooks.Written != nil {
		p.obs.Hooks.Written(streamer.WriteEvent{Stream: stream, Records: records, Bytes: bytes, Took: time.Since(from), Err: err})
	}
	return err
}

// pendings is a batch for the sink. The slice is reused: Write may not keep it.
func (p *Producer) pendings(batch []*sending) []*driver.Pending {
	p.written = p.written[:0]
	for _, pd := range batch {
		p.written = append(p.written, &pd.Pending)
	}
	return p.written
}

// cutShort is the outcome of records whose write was under way when their time
// was over or the producer was closed.
func (p *Producer) cutShort() error {
	if p.life.Err() != nil {
		return p.because(fmt.Errorf("given up by Close: %w", streamer.ErrUnknown))
	}
	return p.because(fmt.Errorf("given up after %v: %w", p.o.DeliveryTimeout, streamer.ErrUnknown))
}

// noteRefusal keeps why the current batch must be written again.
func (p *Producer) noteRefusal(err error) {
	if t, ok := errors.AsType[*driver.TransientError](err); ok {
		err = t.Err
	}
	p.mu.Lock()
	p.refusal = err
	p.mu.Unlock()
}

// reason is why the rest of a batch failed. A write that timed out in the
// client may have stored it.
func reason(err error) error {
	if boundary.IsContextError(err) && !errors.Is(err, streamer.ErrUnknown) {
		return fmt.Errorf("%w: %w", streamer.ErrUnknown, boundary.Opaque(err))
	}
	return err
}

// failLate fails the records whose DeliveryTimeout ends before the next
// attempt. The sink said that they are not stored.
func (p *Producer) failLate(batch []*sending, after time.Duration, err error) []*sending {
	at := time.Since(p.born) + after
	n := 0
	for n < len(batch) && at-batch[n].at >= p.o.DeliveryTimeout {
		n++
	}
	fail(batch[:n], err)
	return batch[n:]
}

func unresolved(batch []*sending) []*sending {
	open := batch[:0]
	for _, pd := range batch {
		if !pd.resolved() {
			open = append(open, pd)
		}
	}
	return open
}

func fail(batch []*sending, err error) {
	for _, pd := range batch {
		pd.Pending.Resolve(streamer.Meta{Stream: pd.Record.Stream}, err)
	}
}
