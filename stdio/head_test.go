package stdio

import (
	"math"
	"strings"
	"testing"
	"time"
)

var stamp = time.Date(2022, 1, 2, 3, 4, 5, 0, time.UTC)

// framedLines are SeaStreamer's own parser tests and the further cases that
// were tried on it, with what they say.
var framedLines = []struct {
	line    string
	want    head
	payload string
}{
	{`[2022-01-02T03:04:05] { "payload": "anything" }`, head{time: stamp, hasTime: true}, `{ "payload": "anything" }`},
	{`[2022-01-02T03:04:05.678 | my-fancy_topic.1] ["array", "of", "values"]`,
		head{time: stamp.Add(678 * time.Millisecond), hasTime: true, stream: []byte("my-fancy_topic.1")}, `["array", "of", "values"]`},
	{`[2022-01-02T03:04:05 | my-fancy_topic.1 | 123] x`, head{time: stamp, hasTime: true, stream: []byte("my-fancy_topic.1"), seq: 123, hasSeq: true}, "x"},
	{`[2022-01-02T03:04:05 | t | 123 | 4] x`, head{time: stamp, hasTime: true, stream: []byte("t"), seq: 123, hasSeq: true, shard: 4, hasShard: true}, "x"},
	{`[t] x`, head{stream: []byte("t")}, "x"},
	{`[t | 123] x`, head{stream: []byte("t"), seq: 123, hasSeq: true}, "x"},
	{`[t | 123 | 4] x`, head{stream: []byte("t"), seq: 123, hasSeq: true, shard: 4, hasShard: true}, "x"},

	{`[a|1|2]x`, head{stream: []byte("a"), seq: 1, hasSeq: true, shard: 2, hasShard: true}, "x"},
	{`[123] x`, head{stream: []byte("123")}, "x"},
	{`[2022-01-02T03:04:05 | 5 | 3] x`, head{time: stamp, hasTime: true, stream: []byte("5"), seq: 3, hasSeq: true}, "x"},
	{`[2022-01-02T03:04:05] 12345`, head{time: stamp, hasTime: true}, "12345"},
	{`[k | +7 | 007] x`, head{stream: []byte("k"), seq: 7, hasSeq: true, shard: 7, hasShard: true}, "x"},
	{`[k | 18446744073709551615 | 18446744073709551615]`,
		head{stream: []byte("k"), seq: math.MaxUint64, hasSeq: true, shard: math.MaxUint64, hasShard: true}, ""},
	{`[k]`, head{stream: []byte("k")}, ""},
	{`[k] `, head{stream: []byte("k")}, " "},
	{"[k] \t\u3000 ", head{stream: []byte("k")}, " \t\u3000 "},
	{"[k] \u00a0\u2003x \t", head{stream: []byte("k")}, "x \t"},
	{"[k] x\r", head{stream: []byte("k")}, "x\r"},
	{"[\u2003k\u00a0|\t1 ] x", head{stream: []byte("k"), seq: 1, hasSeq: true}, "x"},
	{`[a] [b] x`, head{stream: []byte("a")}, "[b] x"},
	{"[k] \xff\xfe", head{stream: []byte("k")}, "\xff\xfe"},
	{"[2022-01-02] x", head{stream: []byte("2022-01-02")}, "x"},
	{"[" + strings.Repeat("k", 249) + "]x", head{stream: []byte(strings.Repeat("k", 249))}, "x"},
}

func TestFramedLines(t *testing.T) {
	for _, c := range framedLines {
		var h head
		payload, f := h.parse([]byte(c.line))
		if f != framed || string(payload) != c.payload {
			t.Errorf("%q: form %v, payload %q", c.line, f, payload)
			continue
		}
		if string(h.stream) != string(c.want.stream) || (h.stream == nil) != (c.want.stream == nil) {
			t.Errorf("%q: stream %q", c.line, h.stream)
		}
		h.stream, c.want.stream = nil, nil
		if h.time != c.want.time || h.hasTime != c.want.hasTime || h.seq != c.want.seq || h.hasSeq != c.want.hasSeq ||
			h.shard != c.want.shard || h.hasShard != c.want.hasShard {
			t.Errorf("%q:\n got %+v\nwant %+v", c.line, h, c.want)
		}
	}
}

var rawLines = []string{
	"", "a plain, raw message", `{ "payload": "anything" }`, "[] x", "[unclosed", "[", "]", " [a] x", "\xff[a]", "\ufeff[a] x",
}

// oddLines end SeaStreamer's process; here they are raw lines.
var oddLines = []string{
	"[ ]", "[Jan 1, 2022] x", "[hello world] x", "[a | b] x", "[2022-01-01T00:00:00 Z] x", "[2022-01-01T00:00:00Z | a] x", "[a | 1 | 2 | 3] x",
	"[a | -1] x", "[a | 18446744073709551616] x", "[a | 1 | 18446744073709551616] x", "[a | +] x", "[a | ++1] x", "[a | 1.5] x",
	"[2022-01-01T00:00:00. | a] x", "[2022-13-01T00:00:00 | a] x", "[|a] x", "[a|] x", "[a||1] x", "[" + strings.Repeat("k", 250) + "] x",
	"[1,2]", `["json"]`, "[{}]", "[a | 2022-01-01T00:00:00] x", "[a/b] x", "[\xff] x", "[é] x", "[a\x00] x",
}

func TestRawLines(t *testing.T) {
	var h head
	for _, line := range rawLines {
		if payload, f := h.parse([]byte(line)); f != raw || string(payload) != line {
			t.Errorf("%q: form %v, payload %q", line, f, payload)
		}
	}
	for _, line := range oddLines {
		if payload, f := h.parse([]byte(line)); f != malformed || string(payload) != line {
			t.Errorf("%q: form %v, payload %q", line, f, payload)
		}
	}
}
