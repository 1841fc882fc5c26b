package streamer

import "time"

// Pending is a record on its way through a Sink.
type Pending struct {
	Record Record

	receipt Receipt
	home    *producer // nil: made by a backend's test
	epoch   *epoch
	size    int
	sent    time.Duration // since the producer was made
	givenUp bool          // its sender was told so: what has not gone out yet must not any more; belongs to producer.mu
}

// Resolve reports the outcome, exactly once, from any goroutine. Record is cleared. A record that the engine gave up on before is let go.
func (p *Pending) Resolve(m Meta, err error) {
	stream := p.Record.Stream
	p.Record = Record{}
	p.settle(stream, m, err)
}

// Receipt is what the sender of the record holds.
func (p *Pending) Receipt() *Receipt { return &p.receipt }

// settle resolves the receipt, whose callbacks run before Flush can see the record as done, and then frees its place in the buffer.
func (p *Pending) settle(stream string, m Meta, err error) {
	if err != nil && p.home != nil {
		err = wrap("send", p.home.obs.backend, stream, notOurs(err))
	}
	if p.receipt.resolve(m, err) && p.home != nil && p.epoch != nil {
		p.home.resolved(p, err)
	}
}
