package engine

import "time"

const (
	minShare  = 10                     // a member that shares messages may always hold this many
	shareTime = 200 * time.Millisecond // and as many as it lately processed in this time
)

// pace measures how fast a member processes messages, to bound what it holds
// where members share messages: an idle member could process the rest. Waiting
// for messages does not count as processing.
type pace struct {
	limit  int // messages it may hold
	popped int // since the stretch of work began
	since  time.Time
	seen   int  // popped when stuck last looked; -1: not yet
	moving bool // a stretch of work is on
}

// busy records that there is something to take.
func (p *pace) busy(now func() time.Time) {
	if p.moving {
		p.measure(now())
		return
	}
	p.moving, p.popped, p.seen, p.since = true, 0, -1, now()
}

// stuck, called every shareTime, says that nothing was taken since the last
// call.
func (p *pace) stuck() bool {
	was := p.seen
	p.seen = p.popped
	return p.moving && was == p.popped
}

// idle records that a taker found nothing.
func (p *pace) idle(now func() time.Time) {
	if !p.moving {
		return
	}
	p.measure(now())
	p.moving = false
}

// measure sets the limit to what the member takes in shareTime. The limit at
// most doubles at a time.
func (p *pace) measure(now time.Time) {
	took := now.Sub(p.since)
	if p.popped == 0 && took < shareTime {
		return
	}
	limit := 2 * p.limit
	if took > 0 {
		limit = min(limit, int(float64(p.popped)*float64(shareTime)/float64(took)))
	}
	p.limit = max(limit, minShare)
	if took >= shareTime {
		if p.popped > 0 {
			p.seen = -1 // it takes messages: stuck looks again
		}
		p.popped, p.since = 0, now
	}
}
