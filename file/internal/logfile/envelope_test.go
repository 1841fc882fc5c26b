package logfile

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

// TestEnvelopeGolden: the layout is part of the format, and the one that the
// documentation shows.
func TestEnvelopeGolden(t *testing.T) {
	const golden = "65 6e 76 31 | 00 | 06 6f 72 64 65 72 73 | 02 6b | 01 | 03 69 64 02 37"
	want, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "").Replace(golden))
	if err != nil {
		t.Fatal(err)
	}
	r := streamer.Record{Stream: "orders", Key: []byte("k"), Value: []byte("v"), Headers: []streamer.Header{{Key: "id", Value: []byte("7")}}}
	if got := AppendEnvelope(nil, &r); !bytes.Equal(got, want) {
		t.Errorf("got  % x\nwant % x", got, want)
	}
	page, err := os.ReadFile("../../../docs/file-format.md")
	if err != nil || !strings.Contains(string(page), golden) {
		t.Errorf("docs/file-format.md does not show %s (%v)", golden, err)
	}
}

func TestEnvelopeIsRefusedUnlessItIsWhole(t *testing.T) {
	r := streamer.Record{Stream: "orders", Key: []byte("k"), Headers: []streamer.Header{{Key: "id", Value: []byte("7")}, {Key: "x"}}}
	whole := AppendEnvelope(nil, &r)
	if _, ok := ParseEnvelope(whole); !ok {
		t.Fatal("a whole one is refused")
	}
	for n := range whole {
		if _, ok := ParseEnvelope(whole[:n]); ok {
			t.Errorf("%d of %d bytes are taken", n, len(whole))
		}
	}
	for name, b := range map[string][]byte{
		"a byte more":    append(bytes.Clone(whole), 0),
		"another tag":    append([]byte("env2"), whole[4:]...),
		"an unknown bit": append([]byte("env1\x02"), whole[5:]...),
		"many headers":   []byte("env1\x00\x01a\x00\xff\xff\xff\xff\x0f"),
		"a huge key":     []byte("env1\x00\x01a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	} {
		if _, ok := ParseEnvelope(b); ok {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestOnlyWhatNeedsOneHasAnEnvelope(t *testing.T) {
	for name, c := range map[string]struct {
		r    streamer.Record
		want bool
	}{
		"value": {streamer.Record{Value: []byte("v")}, false}, "empty value": {streamer.Record{Value: []byte{}}, false}, "nil value": {streamer.Record{}, true},
		"key": {streamer.Record{Key: []byte("k"), Value: []byte("v")}, true}, "empty key": {streamer.Record{Key: []byte{}, Value: []byte("v")}, true},
		"header": {streamer.Record{Value: []byte("v"), Headers: []streamer.Header{{Key: "h"}}}, true},
	} {
		if got := NeedsEnvelope(&c.r); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
