package produce

import (
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/options"
)

// One timer per producer watches the oldest record. DeliveryTimeout also bounds
// records that a sink takes and never resolves.

// grace is the time that an expired record's write has to end by itself,
// because its error says more than "unknown".
const grace = 100 * time.Millisecond

func (p *Producer) arm(d time.Duration) {
	if p.o.DeliveryTimeout >= options.Forever {
		return
	}
	p.armed = true
	if p.timer == nil {
		p.timer = time.AfterFunc(d+grace, p.expire)
		return
	}
	p.timer.Reset(d + grace)
}

func (p *Producer) disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
}

// expire gives up on the records that are too old and sets the timer for the
// next.
func (p *Producer) expire() {
	limit := p.o.DeliveryTimeout
	now := time.Since(p.born)
	p.giveUp(func(pd *sending) bool { return now-pd.at >= limit }, p.because(fmt.Errorf("no outcome after %v: %w", limit, streamer.ErrUnknown)))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	p.open.trim()
	if p.open.n > 0 {
		p.arm(max(limit-(now-p.open.front().at), 0))
	}
}

// because adds to err what keeps the sink from storing records, if that is
// known.
func (p *Producer) because(err error) error {
	if why := p.why(); why != nil {
		return fmt.Errorf("%w: %w", err, why)
	}
	return err
}

func (p *Producer) why() error {
	if s, ok := p.sink.(driver.Explainer); ok {
		return s.Why()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refusal
}

// giveUp resolves the oldest records as unknown, as long as they match. The
// sink may still use their payload, so it is not touched.
func (p *Producer) giveUp(match func(*sending) bool, err error) {
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
		pd.Resolve(p.o.Stream, streamer.Meta{}, err)
	}
}
