package kafka

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/twmb/franz-go/pkg/kgo"
)

const anyShard = -1

// flight is a record on its way. It is the record's own context, so that the
// client's callback finds it, and so that the client releases a record that
// nothing waits for any more.
type flight struct {
	rec    kgo.Record
	p      *driver.Pending
	lane   *lane
	client *kgo.Client // that it was given to
	shard  int32       // where it has to go, or anyShard
	seated bool        // the repair's client has it in a batch
	repair *repair     // which waits for its outcome; nil: only its sender waits
	err    error       // its outcome, for the repair
	span   uint32      // when the client got it: see delay
}

var _ context.Context = (*flight)(nil)

func newFlight(l *lane, p *driver.Pending) *flight {
	r := &p.Record
	f := &flight{p: p, lane: l, shard: anyShard}
	f.rec = kgo.Record{Key: r.Key, Value: r.Value, Timestamp: r.Time, Topic: r.Stream, Context: f}
	if r.Shard != nil {
		f.shard = partitionOf(*r.Shard)
	}
	if len(r.Headers) > 0 {
		f.rec.Headers = make([]kgo.RecordHeader, len(r.Headers))
		for i, h := range r.Headers {
			f.rec.Headers[i] = kgo.RecordHeader{Key: h.Key, Value: h.Value}
		}
	}
	return f
}

// stored tells the sender where the record is.
func (f *flight) stored() {
	m := streamer.Meta{Stream: f.rec.Topic, Shard: streamer.ShardID(f.rec.Partition), Time: f.rec.Timestamp.UTC()} //nolint:gosec // never negative
	if f.lane.sink.b.cfg.Acks != NoAcks {
		m.Seq = seqOf(f.rec.Offset)
	}
	if f.lane.brokerTime() {
		m.Time = time.Time{} // unknown
	}
	f.p.Resolve(m, nil)
}

// Deadline implements context.Context.
func (f *flight) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context. It is closed when the engine has given the
// record up. The client uses only the first record of each batch.
func (f *flight) Done() <-chan struct{} { return f.p.Receipt().Done() }

// Err implements context.Context.
func (f *flight) Err() error {
	if f.over() {
		return context.Canceled
	}
	return nil
}

func (f *flight) over() bool {
	select {
	case <-f.p.Receipt().Done():
		return true
	default:
		return false
	}
}

// Value implements context.Context.
func (f *flight) Value(any) any { return nil }
