package produce

import (
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/internal/inside"
)

// sending is a record from Send until it is resolved. What the sink does not
// own belongs to Producer.mu.
type sending struct {
	driver.Pending
	home    *Producer
	epoch   *epoch
	size    int
	at      time.Duration // since the producer was made
	givenUp bool          // its outcome was reported: it must not be sent any more
}

func newSending(home *Producer, r streamer.Record) *sending {
	s := &sending{Pending: driver.Pending{Record: r}, home: home}
	s.Sender = s
	return s
}

// outcomeOf is the engine's view of a receipt.
func outcomeOf(r *streamer.Receipt) *inside.Outcome[streamer.Meta] {
	return (*inside.Outcome[streamer.Meta])(r)
}

func (s *sending) outcome() *inside.Outcome[streamer.Meta] { return outcomeOf(s.Receipt()) }

func (s *sending) resolved() bool { return s.outcome().Resolved() }

// Resolve implements driver.Sender. The receipt's callbacks run before Flush
// can see the record as done and before its place in the buffer is free.
func (s *sending) Resolve(stream string, m streamer.Meta, err error) {
	if err != nil {
		err = boundary.Wrap("send", s.home.obs.Backend, stream, boundary.Opaque(err))
	}
	if s.outcome().Resolve(m, err) && s.epoch != nil {
		s.home.resolved(s, err)
	}
}
