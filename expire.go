package streamer

import (
	"fmt"
	"time"
)

// One timer per producer watches the oldest record: DeliveryTimeout bounds also what a sink has taken and never resolves.

// grace is what an expired record's own write has to end by itself, which tells more than "unknown".
const grace = 100 * time.Millisecond

func (p *producer) arm(d time.Duration) {
	if p.o.DeliveryTimeout >= forever {
		return
	}
	p.armed = true
	if p.timer == nil {
		p.timer = time.AfterFunc(d+grace, p.expire)
		return
	}
	p.timer.Reset(d + grace)
}

func (p *producer) disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
}

// expire gives up on the records that are too old and sets the timer for the next.
func (p *producer) expire() {
	limit := p.o.DeliveryTimeout
	now := time.Since(p.born)
	p.giveUp(func(pd *Pending) bool { return now-pd.sent >= limit }, p.because(fmt.Errorf("no outcome after %v: %w", limit, ErrUnknown)))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	p.open.trim()
	if p.open.n > 0 {
		p.arm(max(limit-(now-p.open.front().sent), 0))
	}
}

// because adds to err what keeps the sink from storing records, where that is
// known: it says more than that the time is over.
func (p *producer) because(err error) error {
	if why := p.why(); why != nil {
		return fmt.Errorf("%w: %w", err, why)
	}
	return err
}

func (p *producer) why() error {
	if s, ok := p.sink.(Explainer); ok {
		return s.Why()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// giveUp resolves the oldest records as unknown, as long as they match. The sink may still hold their payload, so it is not touched.
func (p *producer) giveUp(match func(*Pending) bool, err error) {
	for {
		p.mu.Lock()
		p.open.trim()
		if p.open.n == 0 || !match(p.open.front()) {
			p.wakeSender()
			p.mu.Unlock()
			return
		}
		pd := p.open.pop()
		pd.givenUp = true
		p.mu.Unlock()
		pd.settle(p.o.Stream, Meta{}, err)
	}
}

// fifo is the records that are under way, oldest first. Resolved ones leave when
// they reach the front, or when they are most of it.
type fifo struct {
	buf  []*Pending
	head int
	n    int
}

func (f *fifo) push(pd *Pending) {
	if f.head > 0 && len(f.buf) == cap(f.buf) {
		n := copy(f.buf, f.buf[f.head:])
		clear(f.buf[n:])
		f.buf, f.head = f.buf[:n], 0
	}
	f.buf = append(f.buf, pd)
	f.n++
}

func (f *fifo) front() *Pending { return f.buf[f.head] }

func (f *fifo) pop() *Pending {
	pd := f.buf[f.head]
	f.buf[f.head] = nil
	f.head++
	f.n--
	if f.n == 0 {
		f.buf, f.head = f.buf[:0], 0
	}
	return pd
}

func (f *fifo) trim() {
	for f.n > 0 && f.front().receipt.resolved() {
		f.pop()
	}
}

// tidy lets go of resolved records: of those at the front, and of those behind one
// that is not, once they are more than the open ones and as many again. So it
// looks at each record about once.
func (f *fifo) tidy(open int) {
	f.trim()
	if f.n <= 2*open+roomEvery {
		return
	}
	kept := f.buf[:0]
	for _, pd := range f.buf[f.head : f.head+f.n] {
		if !pd.receipt.resolved() {
			kept = append(kept, pd)
		}
	}
	clear(f.buf[len(kept) : f.head+f.n])
	f.buf, f.head, f.n = kept, 0, len(kept)
}
