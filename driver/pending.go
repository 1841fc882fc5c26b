package driver

import (
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/inside"
)

// Pending is a record on its way through a Sink.
type Pending struct {
	Record streamer.Record
	Sender Sender // the engine's; nil: only the receipt gets the outcome

	receipt streamer.Receipt
}

// Sender gets the outcome of a Pending, once. stream is that of the record,
// which is cleared by then.
type Sender interface {
	Resolve(stream string, m streamer.Meta, err error)
}

// Resolve reports the outcome and clears Record. The sink calls it exactly
// once, from any goroutine, also for a record that the engine has given up on.
func (p *Pending) Resolve(m streamer.Meta, err error) {
	stream := p.Record.Stream
	p.Record = streamer.Record{}
	if p.Sender != nil {
		p.Sender.Resolve(stream, m, err)
		return
	}
	(*inside.Outcome[streamer.Meta])(&p.receipt).Resolve(m, err)
}

// Receipt returns the receipt that Send returned.
func (p *Pending) Receipt() *streamer.Receipt { return &p.receipt }
