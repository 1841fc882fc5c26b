package stdio

import (
	"bytes"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/ndjson"
)

// decoder makes entries of lines. It numbers those that bring no number, so it
// takes the blocks of an input in order, one at a time.
type decoder struct {
	format  Format
	max     int // the longest line
	numbers numbering
	head    head
	parser  ndjson.Parser
	lines   []ndjson.Line // entries point into it
}

// entries decodes b into the memory of dst.
func (d *decoder) entries(dst []entry, b *block) []entry {
	n := 1
	if b.long == 0 {
		n = bytes.Count(b.data, newline) + 1
	}
	dst = slices.Grow(dst[:0], n)
	for data := b.data; len(data) > 0; {
		line := data
		if end := bytes.IndexByte(data, '\n'); end >= 0 {
			line, data = data[:end:end], data[end+1:]
		} else {
			data = nil
		}
		dst = dst[:len(dst)+1]
		e := &dst[len(dst)-1]
		d.entry(e, line, b.read)
		if len(line) > d.max {
			e.length = int64(len(line))
		}
	}
	if b.long > 0 {
		dst[0].length = b.long
	}
	return dst
}

var (
	newline       = []byte{'\n'}
	broadcastName = []byte(broadcast)
)

func (d *decoder) entry(e *entry, line []byte, read time.Time) {
	*e = entry{time: read}
	if d.format == JSON {
		d.json(e, line)
		return
	}
	payload, f := d.head.parse(line)
	e.value, e.odd = payload, f == malformed
	if f != framed {
		d.raw(e)
		return
	}
	h := &d.head
	if h.hasTime {
		e.time = h.time
	}
	if h.stream == nil {
		d.raw(e)
		return
	}
	e.track = d.numbers.of(h.stream, streamer.ShardID(h.shard))
	if h.hasSeq {
		e.setAfter(h.seq)
		e.seq = h.seq
		return
	}
	e.seq = e.take()
}

// raw makes e a message for everyone.
func (d *decoder) raw(e *entry) {
	e.everyone = true
	e.track = d.numbers.of(broadcastName, 0)
	e.seq = e.take()
}

func (d *decoder) json(e *entry, line []byte) {
	l := d.line()
	if err := d.parser.Parse(line, l); err != nil {
		e.value, e.odd = line, len(line) > 0
		d.raw(e)
		return
	}
	d.lines = d.lines[:len(d.lines)+1]
	e.json, e.value = l, l.Value
	if !l.Time.IsZero() {
		e.time = l.Time
	}
	if e.everyone = l.Stream == ""; e.everyone {
		l.Stream = broadcast
	}
	e.track = d.numbers.ofName(l.Stream, l.Shard)
	switch n := l.Seq.Uint(); {
	case l.Seq.IsZero():
		e.seq = e.take()
	case l.Seq == streamer.SeqUint(n):
		e.setAfter(n)
	}
}

// line is the next free place in lines.
func (d *decoder) line() *ndjson.Line {
	if len(d.lines) == cap(d.lines) {
		d.lines = make([]ndjson.Line, 0, 64)
	}
	return &d.lines[:len(d.lines)+1][len(d.lines)]
}
