package stdio

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestFormattedLines(t *testing.T) {
	at := time.Date(2022, 1, 2, 3, 4, 5, 678900000, time.UTC)
	for _, c := range []struct {
		value, want string
	}{
		{"x", "[2022-01-02T03:04:05.6789 | a.b-c_1 | 7 | 3] x\n"},
		{"", "[2022-01-02T03:04:05.6789 | a.b-c_1 | 7 | 3]\n"},
		{" ", "[2022-01-02T03:04:05.6789 | a.b-c_1 | 7 | 3] \n"},
		{" \t\r", "[2022-01-02T03:04:05.6789 | a.b-c_1 | 7 | 3] \t\r\n"},
		{"x \r", "[2022-01-02T03:04:05.6789 | a.b-c_1 | 7 | 3] x \r\n"},
		{"[b] x", "[2022-01-02T03:04:05.6789 | a.b-c_1 | 7 | 3] [b] x\n"},
	} {
		m := streamer.Meta{Stream: "a.b-c_1", Shard: 3, Seq: streamer.SeqUint(7), Time: at}
		if got := string(appendLine(nil, &m, []byte(c.value))); got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.value, got, c.want)
		}
	}
}

// awkward are values that a line could change: they come back as they are, or
// are refused.
var awkward = map[string]bool{ // refused?
	"":                    false,
	" ":                   false,
	"\t":                  false,
	"\r":                  false,
	" \u3000\u2028\v\f\r": false,
	"x":                   false,
	"x ":                  false,
	"x\r":                 false,
	"]":                   false,
	"[":                   false,
	"[a | 1] x":           false,
	"|":                   false,
	"\x00":                false,
	"\ufeff":              false, // a byte order mark is no white space
	"\u200b":              false, // nor is a space of no width
	"\x1c":                false, // nor are the separators of ASCII
	" x":                  true,
	"\tx":                 true,
	"\r\rx":               true,
	"\u0085x":             true,
	"\u00a0x":             true,
	"\u1680x":             true,
	"\u2007x":             true,
	"\u2029x":             true,
	"\u205fx":             true,
	"\u3000x":             true,
	"\n":                  true,
	"x\n":                 true,
	"a\nb":                true,
	"\xff":                true,
	"x\xc3":               true,
	"\xed\xa0\x80":        true, // half a surrogate pair
}

func TestLineKeepsAValueOrRefusesIt(t *testing.T) {
	for value, refused := range awkward {
		err := fitsLine(&streamer.Record{Stream: "a", Value: []byte(value)})
		if refused != (err != nil) {
			t.Errorf("%q: %v", value, err)
		}
		roundTrip(t, "a", 0, 0, time.Unix(0, 0).UTC(), []byte(value))
	}
}

func TestLineRefusesWhatOnlyJSONCarries(t *testing.T) {
	for name, r := range map[string]streamer.Record{
		"key":       {Stream: "a", Key: []byte("k"), Value: []byte("x")},
		"empty key": {Stream: "a", Key: []byte{}, Value: []byte("x")},
		"headers":   {Stream: "a", Headers: []streamer.Header{{Key: "h"}}, Value: []byte("x")},
		"nil value": {Stream: "a"},
		"newline":   {Stream: "a", Value: []byte("a\nb")},
		"binary":    {Stream: "a", Value: []byte{0xff}},
		"indented":  {Stream: "a", Value: []byte(" x")},
	} {
		err := fitsLine(&r)
		if !errors.Is(err, streamer.ErrUnsupported) || !strings.Contains(err.Error(), "format=json") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// roundTrip formats a message and reads it back; it is equal or was refused.
func roundTrip(t *testing.T, stream string, shard, seq uint64, at time.Time, value []byte) {
	t.Helper()
	r := streamer.Record{Stream: stream, Value: value}
	if checkStream(stream, Line) != nil || !hasStamp(at) || fitsLine(&r) != nil {
		return
	}
	m := streamer.Meta{Stream: stream, Shard: streamer.ShardID(shard), Seq: streamer.SeqUint(seq), Time: at}
	line := appendLine(nil, &m, value)
	if bytes.IndexByte(line, '\n') != len(line)-1 {
		t.Fatalf("%q is not one line", line)
	}
	b := block{data: line}
	d := decoder{max: math.MaxInt}
	entries := d.entries(nil, &b)
	var got streamer.Message
	entries[0].fill(&got)
	if len(entries) != 1 || entries[0].everyone || got.Meta != m || !bytes.Equal(got.Value, value) || got.Value == nil {
		t.Fatalf("%q: %+v", line, got)
	}
}
