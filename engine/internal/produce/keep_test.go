package produce

import (
	"context"
	"log/slog"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/engine/internal/options"
)

// oneRecord keeps the first record that it gets and stores the others at once.
type oneRecord struct{ first *driver.Pending }

func (s *oneRecord) Limits() driver.Limits       { return driver.Limits{} }
func (s *oneRecord) Flush(context.Context) error { return nil }
func (s *oneRecord) Close(context.Context) error { return nil }

func (s *oneRecord) Enqueue(p *driver.Pending) {
	if s.first == nil {
		s.first = p
		return
	}
	p.Resolve(streamer.Meta{}, nil)
}

// alone is the Streamer of a producer that stands alone.
type alone struct{}

func (alone) Closing() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.Background())
}
func (alone) Forget(*Producer) {}

// TestOneUnresolvedRecordKeepsNoOther: those behind it are released once they
// are resolved.
func TestOneUnresolvedRecordKeepsNoOther(t *testing.T) {
	const n = 20_000
	var sink oneRecord
	o := streamer.ProducerOptions{Stream: "s"}
	options.ProducerDefaults(&o)
	p, err := New(alone{}, o, &sink, &observe.Observer{Backend: "fake", Hooks: &streamer.Hooks{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	stuck := p.Send(t.Context(), streamer.Record{})
	for range n {
		p.Send(t.Context(), streamer.Record{Value: []byte("a")})
	}
	p.mu.Lock()
	kept, room := p.open.n, cap(p.open.buf)
	p.mu.Unlock()
	if kept > 2*roomEvery || room > 8*roomEvery {
		t.Errorf("%d records are kept of %d, with room for %d", kept, n, room)
	}
	sink.first.Resolve(streamer.Meta{}, nil)
	if _, err := stuck.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
