package faultproxy

import "time"

// Cut breaks every connection and lets none be made until Mend: a client that
// tries is cut off at once.
func (p *Proxy) Cut() {
	p.mu.Lock()
	p.cut = true
	p.mu.Unlock()
	p.Break()
}

// Mend ends Cut.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

// Break breaks the present connections; new ones can be made. It returns how
// many there were.
func (p *Proxy) Break() int {
	p.mu.Lock()
	present := make([]*link, 0, len(p.links))
	for l := range p.links {
		present = append(present, l)
	}
	p.broken += len(present)
	p.mu.Unlock()
	for _, l := range present {
		l.breakOff()
	}
	return len(present)
}

// CutAfter lets n more bytes pass in a direction, counted over all connections,
// and then breaks the connection that carried the last of them. It happens
// once; another CutAfter of that direction replaces it. The channel is closed
// when it has happened.
func (p *Proxy) CutAfter(d Direction, n int64) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limits[d] = &limit{left: max(n, 1), reached: make(chan struct{})}
	return p.limits[d].reached
}

// Delay makes every byte arrive d later than it would, in each direction: a
// round trip takes 2d longer. It does not limit the throughput.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Throttle lets no more than so many bytes per second pass in a direction, over
// all connections, in pieces of a fiftieth of a second that the connections
// take in turn; 0 ends it.
func (p *Proxy) Throttle(d Direction, bytesPerSecond int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rates[d], p.free[d] = bytesPerSecond, time.Now()
}

// share is how many of n bytes may pass in a direction at once, and when.
func (p *Proxy) share(d Direction, n int) (pass int, due time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rate := p.rates[d]
	if rate == 0 {
		return n, time.Time{}
	}
	n = min(n, max(rate/50, 1))
	if now := time.Now(); p.free[d].Before(now) {
		p.free[d] = now
	}
	p.free[d] = p.free[d].Add(time.Duration(n) * time.Second / time.Duration(rate))
	return n, p.free[d]
}

// Stall holds all bytes back, in both directions, until Resume. Connections
// stay and can be made.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stall == nil {
		p.stall = make(chan struct{})
	}
}

// Resume ends Stall.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stall != nil {
		close(p.stall)
		p.stall = nil
	}
}

// Bytes is how many bytes went in a direction.
func (p *Proxy) Bytes(d Direction) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes[d]
}

// Connections is how many connections are open, how many there were in all, and
// how many of those the proxy broke.
func (p *Proxy) Connections() (open, accepted, broken int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links), p.accepted, p.broken
}

func (p *Proxy) latency() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay
}

func (p *Proxy) stalled() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stall
}
