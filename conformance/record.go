package conformance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
)

func recordCases() []testCase {
	return []testCase{
		{name: "plain-values", run: func(b *bed) { b.roundTrip(values(plainValues)...) }},
		{name: "any-bytes", needs: []Part{AnyBytes}, run: func(b *bed) { b.roundTrip(values(wildValues)...) }},
		{name: "nil-value", needs: []Part{NilValues}, run: nilValue},
		{name: "keys", needs: []Part{Keys}, run: func(b *bed) { b.roundTrip(withKeys([]string{"k", "a longer key", "ключ", " ", "0"})...) }},
		{name: "binary-keys", needs: []Part{Keys, BinaryKeys}, run: func(b *bed) { b.roundTrip(withKeys(wildValues[1:])...) }},
		{name: "nil-and-empty-key", needs: []Part{Keys}, run: emptyKey},
		{name: "headers", needs: []Part{Headers}, run: headers},
		{name: "time", needs: []Part{SenderTime}, run: senderTime},
		{name: "distant-times", needs: []Part{SenderTime}, run: distantTime},
		{name: "sizes", run: sizes},
		{name: "random-records", needs: []Part{Keys, Headers, AnyBytes, BinaryKeys}, run: randomRecords},
		{name: "the-sender's-buffers-are-its-own-again", run: senderBuffers},
		{name: "a-kept-message-does-not-change", run: keptMessages},
	}
}

var plainValues = []string{
	"", "x", "hello, world", "trailing ", "tab\tinside", `{"json": "object"}`, `["json", "array"]`, "[2024-01-01T00:00:00 | k | 1 | 2] hm",
	"[ ]", "[", "]", "|", "\\", `\n`, "naïve 日本語 🎏", "\u2028", strings.Repeat("a long line ", 2000),
}

var wildValues = []string{
	"", "\x00", " leading", "\tleading", "\n", "\r\n", "two\nlines", "trailing\n", "\r", "\xff\xfe", "half a rune \xe6\x97", allBytes(), strings.Repeat("\x00\n\xff", 5000),
}

func allBytes() string {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}

func values(of []string) []streamer.Record {
	rs := make([]streamer.Record, len(of))
	for i, v := range of {
		rs[i].Value = []byte(v)
	}
	return rs
}

func withKeys(keys []string) []streamer.Record {
	rs := values(keys)
	for i := range rs {
		rs[i].Key, rs[i].Value = rs[i].Value, value(i)
	}
	return rs
}

// roundTrip sends records to one shard and fails unless they come back equal.
func (b *bed) roundTrip(rs ...streamer.Record) []*streamer.Message {
	b.Helper()
	if b.place == nil {
		b.open(Plan{})
	}
	c := b.consumer(b.realtime())
	b.send(b.producer(), rs...)
	ms := make([]*streamer.Message, len(rs))
	for i := range rs {
		ms[i] = b.next(c, fmt.Sprintf("record %d of %d", i+1, len(rs)))
		if err := differs(&rs[i], ms[i]); err != nil {
			b.Errorf("record %d: %v", i, err)
		}
	}
	b.close(c)
	return ms
}

// differs says in what a message differs from the record it was.
func differs(r *streamer.Record, m *streamer.Message) error {
	switch {
	case !bytes.Equal(r.Key, m.Key):
		return fmt.Errorf("key %q came back as %q", r.Key, m.Key)
	case r.Key == nil && m.Key != nil:
		return fmt.Errorf("a nil key came back as %q", m.Key)
	case !bytes.Equal(r.Value, m.Value):
		return fmt.Errorf("value %.60q (%d bytes) came back as %.60q (%d bytes)", r.Value, len(r.Value), m.Value, len(m.Value))
	case r.Value != nil && m.Value == nil:
		return fmt.Errorf("value %q came back nil", r.Value)
	}
	return differentHeaders(r.Headers, m.Headers)
}

func differentHeaders(sent, got []streamer.Header) error {
	if !slices.EqualFunc(sent, got, func(a, b streamer.Header) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }) {
		return fmt.Errorf("headers %q came back as %q", sent, got)
	}
	return nil
}

func nilValue(b *bed) {
	ms := b.roundTrip(streamer.Record{Value: []byte("a")}, streamer.Record{}, streamer.Record{Value: []byte{}})
	if ms[1].Value != nil {
		b.Errorf("a nil value came back as %q", ms[1].Value)
	}
}

func emptyKey(b *bed) {
	ms := b.roundTrip(streamer.Record{Value: []byte("nil key")}, streamer.Record{Key: []byte{}, Value: []byte("empty key")})
	if b.EmptyKeys && ms[1].Key == nil {
		b.Error("an empty key came back nil")
	}
}

func headers(b *bed) {
	h := func(pairs ...string) (hs []streamer.Header) {
		for i := 0; i < len(pairs); i += 2 {
			hs = append(hs, streamer.Header{Key: pairs[i], Value: []byte(pairs[i+1])})
		}
		return hs
	}
	b.roundTrip(
		streamer.Record{Value: value(0), Headers: h("one", "1")},
		streamer.Record{Value: value(1), Headers: h("z", "1", "a", "2", "m", "3")},
		streamer.Record{Value: value(2), Headers: h("twice", "first", "other", "", "twice", "second")},
		streamer.Record{Value: value(3), Headers: h("binary", allBytes(), "ключ", "значение")},
		streamer.Record{Value: value(4)},
		streamer.Record{Value: []byte{}, Headers: h("on an empty value", "yes")},
	)
}

func senderTime(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	base := time.Date(2023, 11, 5, 1, 59, 59, 987654321, time.FixedZone("elsewhere", -7*3600))
	rs := numbered(0, 20, 1)
	for i := range rs {
		rs[i].Time = base.Add(time.Duration(i) * 1234567 * time.Microsecond)
	}
	b.send(b.producer(), rs...)
	for i, m := range b.expect(c, span(0, len(rs))...) {
		if want := rs[i].Time.UTC().Truncate(b.Precision); !m.Time.Equal(want) || m.Time.Location() != time.UTC {
			b.Errorf("time %v came back as %v, want %v", rs[i].Time, m.Time, want)
		}
	}
}

// sizes: values around the sizes at which buffers, frames and blocks end.
func sizes(b *bed) {
	var rs []streamer.Record
	for _, edge := range []int{1 << 7, 1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18} {
		for size := edge - 1; size <= edge+1; size++ {
			rs = append(rs, streamer.Record{Value: bytes.Repeat([]byte{'a' + byte(size%26)}, size)})
		}
	}
	b.roundTrip(rs...)
}

func randomRecords(b *bed) {
	seed := rand.Uint64()
	b.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	some := func(most int) []byte {
		bytes := make([]byte, 1+r.IntN(most))
		for i := range bytes {
			bytes[i] = byte(r.Uint32())
		}
		return bytes
	}
	rs := make([]streamer.Record, 500)
	for i := range rs {
		rs[i] = streamer.Record{Key: some(40), Value: some(1000), Shard: shardOf(0, 1)}
		for range r.IntN(4) {
			rs[i].Headers = append(rs[i].Headers, streamer.Header{Key: fmt.Sprintf("h%x", some(10)), Value: some(100)})
		}
	}
	b.roundTrip(rs...)
}

// senderBuffers: what a receipt has resolved belongs to the sender again.
func senderBuffers(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	p := b.producer()
	buffer := make([]byte, 8)
	for i := range 50 {
		copy(buffer, value(i))
		b.send(p, streamer.Record{Value: buffer})
	}
	copy(buffer, "spoilt")
	b.expect(c, span(0, 50)...)
}

// keptMessages: a message that the program keeps stays what it was, however
// much is read after it.
func keptMessages(b *bed) {
	b.open(Plan{Shards: 2})
	c := b.consumer(b.realtime())
	n := b.Messages
	b.sendN(0, n, 2)
	kept := b.take(c, n/2)
	before := numbers(kept)
	b.take(c, n-n/2)
	same(b, "messages that were kept", numbers(kept), before)
}
