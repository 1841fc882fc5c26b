package file

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

func someCursors() []*cursor {
	return []*cursor{
		{group: "g", StreamShard: streamer.StreamShard{Stream: "a"}},
		{group: "with \"quotes\"\nand lines", StreamShard: streamer.StreamShard{Stream: "a", Shard: 1<<64 - 1}, log: 1700000000000,
			begun: true, done: 1<<64 - 1, frame: 128, resume: 1 << 62, seen: 5, print: print{4096, 0xFFFFFFFF}},
		{group: "\xff", StreamShard: streamer.StreamShard{Stream: wildcard}, begun: true, resume: 128, print: print{128, 1}},
	}
}

func TestCursorRoundTrip(t *testing.T) {
	for _, c := range someCursors() {
		b := c.append(nil)
		got, err := parseCursor(b)
		if err != nil || *got != *c {
			t.Errorf("%+v came back as %+v, %v", c, got, err)
		}
		for i := range b {
			spoiled := bytes.Clone(b)
			spoiled[i] ^= 4
			if got, err := parseCursor(spoiled); err == nil {
				t.Errorf("byte %d spoiled and read as %+v", i, got)
			}
			if got, err := parseCursor(b[:i]); err == nil {
				t.Errorf("cut at %d and read as %+v", i, got)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, c := range someCursors() {
		f.Add(c.append(nil))
	}
	f.Add([]byte(cursorMagic + "\n"))
	f.Add([]byte(strings.Repeat("sum 00000000\n", 3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCursor(b)
		if err != nil {
			return
		}
		again, err := parseCursor(c.append(nil))
		if err != nil || *again != *c {
			t.Errorf("%+v came back as %+v, %v", c, again, err)
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	for _, r := range []streamer.Record{
		{Stream: "a"}, {Stream: "a", Key: []byte{}, Value: []byte("v")},
		{Stream: "orders", Key: []byte("k"), Headers: []streamer.Header{{Key: "h", Value: []byte("v")}, {Key: "", Value: nil}, {Key: "h", Value: []byte{}}}},
	} {
		f.Add(appendEnvelope(nil, &r))
	}
	f.Add(declaration{"orders", 3}.append(nil))
	f.Add([]byte("env1\x00\x01a\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, ok := parseDeclaration(b); ok {
			if again, ok := parseDeclaration(d.append(nil)); !ok || again != d {
				t.Errorf("%+v came back as %+v", d, again)
			}
		}
		e, ok := parseEnvelope(b)
		if !ok {
			return
		}
		var ba batch
		ba.add(&shard{}, &entry{env: envelope{stream: append([]byte{}, e.stream...), key: e.key, nilValue: e.nilValue, count: e.count, headers: e.headers, names: e.names, size: e.size}})
		m := ba.slab(nil)[0]
		r := streamer.Record{Stream: string(e.stream), Key: m.Key, Value: []byte{}, Headers: m.Headers}
		if e.nilValue {
			r.Value = nil
		}
		again, ok := parseEnvelope(appendEnvelope(nil, &r))
		if !ok || !bytes.Equal(again.key, e.key) || (again.key == nil) != (e.key == nil) || again.count != e.count || again.nilValue != e.nilValue {
			t.Errorf("%+v came back as %+v", e, again)
		}
	})
}
