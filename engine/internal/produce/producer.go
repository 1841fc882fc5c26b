package produce

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/internal/wait"
)

// Producer implements streamer.Producer: a bounded buffer in front of a Sink.
// For a Writer it owns a goroutine that writes batches. An Enqueuer batches by
// itself and gets each record at once.
type Producer struct {
	home   Home
	o      streamer.ProducerOptions // complete
	obs    *observe.Observer
	sink   driver.Sink
	writer driver.Writer // exactly one of writer and enqueuer
	enq    driver.Enqueuer
	limits driver.Limits
	born   time.Time

	mu         sync.Mutex
	queue      []*sending // Writer: not taken yet, from head on
	head       int
	queueBytes int
	hurried    int  // records at the front that a Flush waits for: they do not linger
	open       fifo // every record that is not resolved, oldest first, and some that are
	admitted   load // records that were let in
	epoch      *epoch
	unreported []*epoch
	closing    bool      // refuses new records
	senders    []*sender // wait for space, in order
	timer      *time.Timer
	armed      bool
	written    []*driver.Pending // the batch that is being written; the write goroutine's
	refusal    error             // why what is being written was not stored yet, if it was tried

	// Resolving a record takes no lock unless a Send waits: it is done
	// thousands of times in a row, concurrently with Sends.
	doneRecords atomic.Int64 // of sent
	doneBytes   atomic.Int64
	waiting     atomic.Bool // senders has some
	rousing     atomic.Bool // they are about to be woken
	roomEvery   int64       // or woken after so many resolved records, a small part of the buffer

	work   chan struct{}      // capacity 1: the queue has something, or the producer is closing
	life   context.Context    // of the writes
	stop   context.CancelFunc // gives up on what is under way
	writes sync.WaitGroup     // the write goroutine
	flush  sync.WaitGroup     // calls of the sink's Flush
	ended  bool               // the sink is about to be closed: nothing reaches it any more; belongs to mu
	closed wait.Closing       // begun under mu
}

// load counts records and their bytes.
type load struct{ records, bytes int }

// Home is the Streamer that a producer belongs to.
type Home interface {
	// Closing is the context of a Close.
	Closing() (context.Context, context.CancelFunc)
	// Forget is called when the producer is closed.
	Forget(p *Producer)
}

// batchRecords bounds a batch where the sink does not. A batch should stay in
// the processor's caches until it is resolved.
const batchRecords = 1000

func New(home Home, o streamer.ProducerOptions, sink driver.Sink, obs *observe.Observer) (*Producer, error) {
	p := &Producer{
		home: home, o: o, obs: obs, sink: sink, limits: sink.Limits(), born: time.Now(),
		work: make(chan struct{}, 1),
	}
	if p.limits.Records == 0 {
		p.limits.Records = batchRecords
	}
	p.roomEvery = int64(min(max(o.MaxBuffered/16, 1), roomEvery))
	p.writer, _ = sink.(driver.Writer)
	p.enq, _ = sink.(driver.Enqueuer)
	if (p.writer == nil) == (p.enq == nil) {
		return nil, fmt.Errorf("%T is not exactly one of Writer and Enqueuer", sink)
	}
	p.epoch = &epoch{home: p}
	p.life, p.stop = context.WithCancel(context.Background())
	if p.writer != nil {
		p.writes.Go(p.writeLoop)
	}
	return p, nil
}

// Options returns the producer's options with defaults filled in.
func (p *Producer) Options() streamer.ProducerOptions { return p.o }

func (p *Producer) Send(ctx context.Context, r streamer.Record) *streamer.Receipt {
	pd := newSending(p, r)
	if err := ctx.Err(); err != nil {
		pd.outcome().Resolve(streamer.Meta{}, err)
		return pd.Receipt()
	}
	if pd.Record.Stream == "" {
		pd.Record.Stream = p.o.Stream
	}
	pd.size = pd.Record.Size()
	if err := p.check(pd); err != nil {
		p.refuse(pd, err)
		return pd.Receipt()
	}
	if err := p.admit(ctx, pd); err != nil {
		pd.outcome().Resolve(streamer.Meta{}, boundary.Wrap("send", p.obs.Backend, pd.Record.Stream, err))
		pd.Record = streamer.Record{}
		return pd.Receipt()
	}
	if p.enq != nil {
		p.enq.Enqueue(&pd.Pending)
	}
	return pd.Receipt()
}

// check refuses a record that is known to fail.
func (p *Producer) check(pd *sending) error {
	if pd.Record.Stream == "" {
		return boundary.Invalid("the record names no stream and the producer has none")
	}
	if p.limits.RecordBytes > 0 && pd.size > p.limits.RecordBytes {
		return &streamer.Error{Kind: streamer.ErrTooLarge, Err: fmt.Errorf("the record has %d bytes of key, value and headers, the limit is %d", pd.size, p.limits.RecordBytes)}
	}
	return nil
}

// refuse fails a record that was not admitted. Flush and Close report it like
// any other.
func (p *Producer) refuse(pd *sending, err error) {
	err = boundary.Wrap("send", p.obs.Backend, pd.Record.Stream, err)
	pd.Record = streamer.Record{}
	pd.outcome().Resolve(streamer.Meta{}, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return
	}
	p.epoch.used = true
	p.note(p.epoch, pd.Receipt(), err)
}

// sender is a Send that waits for space.
type sender struct {
	pd    *sending
	since time.Time
	ready chan struct{} // capacity 1: it may be admitted now
}

// patience is how long a Send waits before no other may overtake it. Overtaking
// costs less than a switch of goroutines for every record, but a large record
// must not starve.
const patience = 10 * time.Millisecond

// admit takes the record into the buffer and blocks while that is full. A
// record larger than the buffer is admitted when it is empty.
func (p *Producer) admit(ctx context.Context, pd *sending) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closing && (!p.fits(pd) || len(p.senders) > 0 && time.Since(p.senders[0].since) > patience) {
		if err := p.queueUp(ctx, &sender{pd, time.Now(), make(chan struct{}, 1)}); err != nil {
			return err
		}
	}
	if p.closing {
		return streamer.ErrClosed
	}
	p.enter(pd)
	return nil
}

// queueUp waits until s is the first in line and fits, or the producer closes.
// p.mu is held, and released while waiting.
func (p *Producer) queueUp(ctx context.Context, s *sender) (err error) {
	p.senders = append(p.senders, s)
	p.waiting.Store(true) // before it looks whether the record fits
	for err == nil && !p.closing && (p.senders[0] != s || !p.fits(s.pd)) {
		p.mu.Unlock()
		select {
		case <-s.ready:
		case <-ctx.Done():
			err = ctx.Err()
		}
		p.mu.Lock()
	}
	p.senders = list.Without(p.senders, s)
	p.waiting.Store(len(p.senders) > 0)
	defer p.wakeSender()
	return err
}

// fits says whether the buffer has room for a record. p.mu is held.
func (p *Producer) fits(pd *sending) bool {
	b := p.buffered()
	return b.records == 0 || b.records < p.o.MaxBuffered && b.bytes+pd.size <= p.o.MaxBufferedBytes
}

// buffered is the number and size of unresolved records. p.mu is held.
func (p *Producer) buffered() load {
	return load{p.admitted.records - int(p.doneRecords.Load()), p.admitted.bytes - int(p.doneBytes.Load())}
}

// wakeSender makes the first waiting Send check for space. p.mu is held.
func (p *Producer) wakeSender() {
	if len(p.senders) > 0 && (p.closing || p.fits(p.senders[0].pd)) {
		wait.Signal(p.senders[0].ready)
	}
}

// enter counts an admitted record. p.mu is held.
func (p *Producer) enter(pd *sending) {
	pd.at = time.Since(p.born)
	pd.epoch = p.epoch
	p.epoch.used = true
	p.epoch.records++
	p.admitted.records++
	p.admitted.bytes += pd.size
	p.open.push(pd)
	if !p.armed {
		p.arm(p.o.DeliveryTimeout)
	}
	if p.writer == nil {
		return
	}
	p.queue = append(p.queue, pd)
	p.queueBytes += pd.size
	if len(p.queue)-p.head == 1 || p.o.Linger > 0 { // else the writer has been told of what is before it
		wait.Signal(p.work)
	}
}

// Waiting Sends are woken when there is room for many records, not for each:
// after at most roomEvery resolved records, or within roomWithin.
const (
	roomEvery  = 256
	roomWithin = time.Millisecond
)

// resolved counts a resolved record.
func (p *Producer) resolved(pd *sending, err error) {
	if err != nil {
		p.fail(pd.epoch, pd.Receipt(), err)
	}
	p.doneBytes.Add(int64(pd.size))
	n := p.doneRecords.Add(1)
	pd.epoch.recordResolved()
	switch {
	case n%p.roomEvery == 0:
		p.makeRoom()
	case p.waiting.Load() && p.rousing.CompareAndSwap(false, true):
		time.AfterFunc(roomWithin, p.rouse)
	}
}

// rouse is makeRoom for fewer than roomEvery records. It runs on a goroutine of
// its own, at most once within roomWithin.
func (p *Producer) rouse() {
	p.rousing.Store(false)
	p.makeRoom()
}

// makeRoom removes resolved records and wakes a waiting Send.
func (p *Producer) makeRoom() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open.tidy(p.buffered().records)
	p.wakeSender()
}
