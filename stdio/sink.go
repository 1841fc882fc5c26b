package stdio

import (
	"context"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/ndjson"
)

// batchBytes is about the most that goes into one Write: more would not make it
// faster, and holds up other producers.
const batchBytes = 256 << 10

// sink is one producer's way to an output.
type sink struct {
	out    *output
	format Format
	sent   []sent // of the Write in progress
}

// sent is a record that is a line in the output's buf.
type sent struct {
	*driver.Pending
	meta streamer.Meta
}

func (*sink) Limits() driver.Limits { return driver.Limits{RecordBytes: maxLine} }

// Flush and Close have nothing to do: a sink holds nothing back.
func (*sink) Flush(context.Context) error { return nil }
func (*sink) Close(context.Context) error { return nil }

// Write writes p in whole lines, many at a time. Producers of one output take
// turns.
func (s *sink) Write(ctx context.Context, p []*driver.Pending) error {
	for len(p) > 0 {
		if err := s.out.await(ctx); err != nil {
			return err
		}
		p = p[s.take(p):]
		if err := s.resolve(s.out.flush(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// take makes lines of the first of p, in the output's buf, and returns of how
// many. What cannot be a line is resolved here.
func (s *sink) take(p []*driver.Pending) int {
	for i, pending := range p {
		if len(s.out.buf)-s.out.rest >= batchBytes {
			return i
		}
		meta, err := s.line(&pending.Record)
		if err != nil {
			pending.Resolve(streamer.Meta{}, err)
			continue
		}
		s.sent = append(s.sent, sent{pending, meta})
	}
	return len(p)
}

// line makes a line of r and says where it stands.
func (s *sink) line(r *streamer.Record) (streamer.Meta, error) {
	m := streamer.Meta{Stream: r.Stream, Time: r.Time.UTC().Round(0)} // Round takes off the clock reading, which no line has
	if r.Time.IsZero() {
		m.Time = time.Now().UTC().Round(0)
	}
	if r.Shard != nil {
		m.Shard = *r.Shard
	}
	if err := s.fits(r, m.Time); err != nil {
		return m, err
	}
	t := s.out.numbers.ofName(m.Stream, m.Shard)
	m.Seq = streamer.SeqUint(t.next)
	from := len(s.out.buf)
	s.out.buf = s.append(s.out.buf, &m, r)
	return m, s.out.added(t, from)
}

// fits says why r cannot be a line.
func (s *sink) fits(r *streamer.Record, t time.Time) error {
	if !hasStamp(t) {
		return fmt.Errorf("the time %v, beyond the years 0 to 9999: %w", t, streamer.ErrUnsupported)
	}
	if err := checkStream(r.Stream, s.format); err != nil {
		return err
	}
	if s.format == Line {
		return fitsLine(r)
	}
	return nil
}

func (s *sink) append(dst []byte, m *streamer.Meta, r *streamer.Record) []byte {
	if s.format == Line {
		return appendLine(dst, m, r.Value)
	}
	l := ndjson.Line{Meta: *m, HasShard: true, Key: r.Key, Value: r.Value, Headers: r.Headers}
	return append(ndjson.Append(dst, &l), '\n')
}

// resolve reports what came of the lines that were sent. Those that were
// certainly not written it leaves to the error that it returns.
func (s *sink) resolve(w written) error {
	for i := range s.sent {
		switch p := &s.sent[i]; {
		case w.unknown:
			p.Resolve(streamer.Meta{}, fmt.Errorf("%w: the write has not returned: %w", streamer.ErrUnknown, w.err))
		case i < w.lines:
			p.Resolve(p.meta, nil)
		case i == w.lines && w.cut:
			p.Resolve(streamer.Meta{}, fmt.Errorf("%w: a part of the line is written: %w", streamer.ErrUnknown, w.err))
		}
	}
	clear(s.sent)
	s.sent = s.sent[:0]
	return w.err
}
