package driver

import (
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/inside"
)

// Pending is a record on its way through a Sink.
type Pending struct {
	Record streamer.Record
	Sender Sender // of the engine; nil: the outcome is the receipt's alone

	receipt streamer.Receipt
}

// Sender takes the outcome of a Pending that it made, once. The stream is that
// of the record, which is cleared by then.
type Sender interface {
	Resolve(stream string, m streamer.Meta, err error)
}

// Resolve reports the outcome, exactly once, from any goroutine. Record is
// cleared. A record that the engine gave up on before is let go.
func (p *Pending) Resolve(m streamer.Meta, err error) {
	stream := p.Record.Stream
	p.Record = streamer.Record{}
	if p.Sender != nil {
		p.Sender.Resolve(stream, m, err)
		return
	}
	(*inside.Outcome[streamer.Meta])(&p.receipt).Resolve(m, err)
}

// Receipt is what the sender of the record holds.
func (p *Pending) Receipt() *streamer.Receipt { return &p.receipt }
