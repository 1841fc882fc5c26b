package streamer

import "github.com/gostreamer/streamer/internal/inside"

// Pending is a record on its way through a Sink.
type Pending struct {
	Record Record
	Sender Sender // of the engine; nil: the outcome is the receipt's alone

	receipt Receipt
}

// Sender takes the outcome of a Pending that it made, once. The stream is that of
// the record, which is cleared by then.
type Sender interface {
	Resolve(stream string, m Meta, err error)
}

// Resolve reports the outcome, exactly once, from any goroutine. Record is cleared. A record that the engine gave up on before is let go.
func (p *Pending) Resolve(m Meta, err error) {
	stream := p.Record.Stream
	p.Record = Record{}
	if p.Sender != nil {
		p.Sender.Resolve(stream, m, err)
		return
	}
	(*inside.Outcome[Meta])(&p.receipt).Resolve(m, err)
}

// Receipt is what the sender of the record holds.
func (p *Pending) Receipt() *Receipt { return &p.receipt }
