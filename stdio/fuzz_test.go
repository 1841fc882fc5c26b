package stdio

import (
	"bytes"
	"math"
	"testing"
	"time"
)

// FuzzParseLine: any bytes; a payload is a part of its line, the whole of it
// when the line has no head; what a head says, formatted and read again, says
// the same.
func FuzzParseLine(f *testing.F) {
	for _, c := range framedLines {
		f.Add([]byte(c.line))
	}
	for _, line := range append(oddLines, rawLines...) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var h head
		payload, form := h.parse(line)
		if !bytes.HasSuffix(line, payload) || form != framed && len(payload) != len(line) {
			t.Fatalf("%q: payload %q", line, payload)
		}
		if form == framed && h.stream != nil {
			roundTrip(t, string(h.stream), h.shard, h.seq, h.time, payload)
		}
	})
}

// FuzzLineRoundTrip: any message comes back equal, or is refused.
func FuzzLineRoundTrip(f *testing.F) {
	for value := range awkward {
		f.Add("orders", uint64(3), uint64(17), int64(1700000000000000000), []byte(value))
	}
	f.Add("2022-01-01T00:00:00", uint64(0), uint64(0), int64(0), []byte("x"))
	f.Add("7", uint64(math.MaxUint64), uint64(math.MaxUint64), int64(math.MinInt64), []byte{})
	f.Fuzz(func(t *testing.T, stream string, shard, seq uint64, nanos int64, value []byte) {
		if value == nil {
			value = []byte{}
		}
		roundTrip(t, stream, shard, seq, time.Unix(0, nanos).UTC(), value)
	})
}

// FuzzInput: any bytes in either format, whatever the reads bring and the
// longest line is: no panic, and a line for a line.
func FuzzInput(f *testing.F) {
	f.Add([]byte("a\n[a] b\n\n[a | 5] c\r\n[x y] d\ne"), uint16(3), uint16(10), false)
	f.Add([]byte("{\"stream\":\"a\",\"value\":null}\n{\"value\":\"b\"}\n{}\n[1]\n"), uint16(100), uint16(1000), true)
	f.Add(bytes.Repeat([]byte("long "), 1000), uint16(7), uint16(1), false)
	f.Fuzz(func(t *testing.T, data []byte, step, longest uint16, json bool) {
		format := Line
		if json {
			format = JSON
		}
		s := splitter{max: int(longest) + 1}
		d := decoder{format: format, max: s.max}
		var blocks []*block
		for rest := data; len(rest) > 0; {
			n := copy(s.room(), rest[:min(len(rest), int(step)+1)])
			blocks = s.added(blocks, n, time.Time{})
			rest = rest[n:]
		}
		lines := bytes.Split(bytes.TrimSuffix(data, newline), newline)
		if len(data) == 0 {
			lines = nil
		}
		for _, b := range s.rest(blocks, time.Time{}) {
			for _, e := range d.entries(nil, b) {
				if len(lines) == 0 {
					t.Fatalf("a line too many: %q", e.value)
				}
				checkEntry(t, &e, lines[0], s.max)
				lines = lines[1:]
			}
		}
		if len(lines) > 0 {
			t.Fatalf("%d lines are missing, from %q on", len(lines), lines[0])
		}
	})
}

// checkEntry compares an entry with its line.
func checkEntry(t *testing.T, e *entry, line []byte, longest int) {
	t.Helper()
	switch {
	case len(line) > longest:
		if e.length != int64(len(line)) {
			t.Fatalf("%q, longer than %d, has length %d", line, longest, e.length)
		}
	case e.length != 0:
		t.Fatalf("%q, not longer than %d, has length %d", line, longest, e.length)
	case e.json == nil && !bytes.HasSuffix(line, e.value), e.odd && !bytes.Equal(line, e.value):
		t.Fatalf("%q became %q", line, e.value)
	}
}
