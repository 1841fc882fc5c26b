package ss

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	plain "github.com/gostreamer/streamer/file/internal/reference"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestChecksumIsCRC16CDMA2000(t *testing.T) {
	for in, want := range map[string]uint16{
		"": 0xFFFF, "123456789": 0x4C06, "hello, world": 0x8028, "EOS": 0xED7C, "123456789abcd": 0xA106,
	} {
		if got := Checksum([]byte(in)); got != want {
			t.Errorf("Checksum(%q) = %04X, want %04X", in, got, want)
		}
	}
}

func TestChecksumInPartsEqualsOneShot(t *testing.T) {
	if got := update(Checksum([]byte("123456789")), []byte("abcd")); got != 0xA106 {
		t.Errorf("got %04X, want A106", got)
	}
	p := []byte(strings.Repeat("the quick brown fox ", 9))
	for i := range p {
		if got, want := update(update(crcInit, p[:i]), p[i:]), plain.Checksum(p); got != want {
			t.Fatalf("split at %d: %04X, want %04X", i, got, want)
		}
	}
}

func TestItemCap(t *testing.T) {
	for interval, want := range map[uint32]int{128: 0, 640: 1, 1024: 1, 2048: 3, 4096: 7, 65536: 116, 72 << 10: 127, 1 << 20: 127} {
		if got := ItemCap(interval); got != want {
			t.Errorf("ItemCap(%d) = %d, want %d", interval, got, want)
		}
	}
}

func TestHeaderGolden(t *testing.T) {
	want := append(unhex(t, "53 73 01 04 74 2e 73 73 00 00 01 8b cf e5 68 00 00 00 04 00"), make([]byte, 107)...)
	want = append(want, 0x0D)
	h := Header{"t.ss", 1700000000000, 1024}
	if got := h.Append(nil); !bytes.Equal(got, want) {
		t.Errorf("got  % x\nwant % x", got, want)
	}
	if got, err := ParseHeader(want); err != nil || got != h {
		t.Errorf("ParseHeader = %+v, %v", got, err)
	}
}

func TestHeaderWithLongName(t *testing.T) {
	for _, name := range []string{strings.Repeat("a", 111), strings.Repeat("a", 112), strings.Repeat("é", 80), "\xff\xfe.ss"} {
		b := Header{name, 1, 1024}.Append(nil)
		h, err := ParseHeader(b)
		if len(b) != HeaderSize || err != nil || len(h.Name) > 111 || h.Created != 1 || h.Interval != 1024 {
			t.Errorf("%d-byte name: %d bytes, %+v, %v", len(name), len(b), h, err)
		}
	}
}

func TestHeaderRefusesWhatSeaStreamerPanicsOn(t *testing.T) {
	for name, spoil := range map[string]func([]byte){
		"magic":    func(b []byte) { b[0] = 's' },
		"version":  func(b []byte) { b[2] = 2 },
		"name":     func(b []byte) { b[3] = 113 },
		"utf-8":    func(b []byte) { b[4] = 0xFF },
		"interval": func(b []byte) { b[16], b[17], b[18], b[19] = 0, 0, 0, 127 },
		"created":  func(b []byte) { b[8] = 0xFF },
	} {
		b := Header{"t.ss", 1, 1024}.Append(nil)
		spoil(b)
		if h, err := ParseHeader(b); err == nil {
			t.Errorf("%s: parsed as %+v", name, h)
		}
	}
	if _, err := ParseHeader(make([]byte, 127)); err == nil {
		t.Error("127 bytes parsed")
	}
}

func TestFrameGolden(t *testing.T) {
	for _, c := range []struct {
		key              string
		shard, seq, time uint64
		payload, want    string
	}{
		{"hello", 1, 0, 1691686154745, "hello-0", "05 68656c6c6f 0000000000000001 0000000000000000 00000189e05a31f9 00000007 68656c6c6f2d30 f556 0d"},
		{Internal, 0, 0, 1691686154921, EOS, "15 5345415f53545245414d45525f494e5445524e414c 0000000000000000 0000000000000000 00000189e05a32a9 00000003 454f53 ed7c 0d"},
	} {
		want := unhex(t, c.want)
		got := NewEncoder(1<<20, HeaderSize).Append(nil, c.key, c.shard, c.seq, c.time, []byte(c.payload))
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got  % x\nwant % x", c.key, got, want)
		}
		f, size, err := parseFrame(want, nil)
		if err != nil || size != int64(len(want)) || string(f.Key) != c.key || f.Shard != c.shard || f.Seq != c.seq || f.Time != c.time || string(f.Payload) != c.payload {
			t.Errorf("%s: parsed as %+v, %d, %v", c.key, f, size, err)
		}
		if size != FrameSize(len(c.key), len(c.payload)) || f.IsEOS() != (c.payload == EOS) {
			t.Errorf("%s: size %d, EOS %v", c.key, size, f.IsEOS())
		}
	}
}

func TestBeaconGolden(t *testing.T) {
	b := appendBeacon(nil, 39, []*stream{{"hello", 1, 20, 1691686154745, 2887}}, 0, 1)
	want := unhex(t, "0d 00000027 01 05 68656c6c6f 0000000000000001 0000000000000014 00000189e05a31f9 0b47 0d")
	if !bytes.Equal(b, want) {
		t.Errorf("got  % x\nwant % x", b, want)
	}
	beacon, err := ParseBeacon(append(want, "tail"...))
	if err != nil || beacon.Size != len(want) || beacon.Remaining != 39 || len(beacon.Items) != 1 || beacon.Items[0] != (Item{"hello", 1, 20, 1691686154745, 2887}) {
		t.Errorf("parsed as %+v, %v", beacon, err)
	}
	for n := range want {
		if _, err := ParseBeacon(want[:n]); err == nil {
			t.Errorf("%d bytes parsed", n)
		}
	}
}
