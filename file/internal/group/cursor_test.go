package group

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

func someCursors() []*Cursor {
	return []*Cursor{
		{Group: "g", StreamShard: streamer.StreamShard{Stream: "a"}},
		{Group: "with \"quotes\"\nand lines", StreamShard: streamer.StreamShard{Stream: "a", Shard: 1<<64 - 1}, Log: 1700000000000,
			Begun: true, Done: 1<<64 - 1, Frame: 128, Resume: 1 << 62, Seen: 5, Print: Print{4096, 0xFFFFFFFF}},
		{Group: "\xff", StreamShard: streamer.StreamShard{Stream: EveryStream}, Begun: true, Resume: 128, Print: Print{128, 1}},
	}
}

func TestCursorRoundTrip(t *testing.T) {
	for _, c := range someCursors() {
		b := c.Append(nil)
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
		f.Add(c.Append(nil))
	}
	f.Add([]byte(cursorMagic + "\n"))
	f.Add([]byte(strings.Repeat("sum 00000000\n", 3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCursor(b)
		if err != nil {
			return
		}
		again, err := parseCursor(c.Append(nil))
		if err != nil || *again != *c {
			t.Errorf("%+v came back as %+v, %v", c, again, err)
		}
	})
}
