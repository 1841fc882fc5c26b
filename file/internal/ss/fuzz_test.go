package ss

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func FuzzHeader(f *testing.F) {
	f.Add(Header{"t.ss", 1700000000000, 1024}.Append(nil))
	f.Add(Header{"", 0, 128}.Append(nil))
	f.Add(bytes.Repeat([]byte{0xFF}, 128))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			if !errors.Is(err, ErrHeader) {
				t.Errorf("%v is no ErrHeader", err)
			}
			return
		}
		again, err := ParseHeader(h.Append(nil))
		if len(h.Name) <= maxName && (err != nil || again != h) {
			t.Errorf("%+v came back as %+v, %v", h, again, err)
		}
	})
}

func FuzzFrame(f *testing.F) {
	for _, r := range someRecs(1, 5, 3, 50) {
		f.Add(referenceFrame(r))
	}
	f.Add([]byte{5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x89, 0xe0, 0x5a, 0x31, 0xf9, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, size, err := parseFrame(b, nil)
		if err != nil || size == 0 || size > int64(len(b)) {
			return
		}
		e := NewEncoder(1<<30, HeaderSize)
		out := e.Append(nil, string(fr.Key), fr.Shard, fr.Seq, fr.Time, fr.Payload)
		if Checksum(fr.Payload) == fr.Sum && !bytes.Equal(out[:size-1], b[:size-1]) {
			t.Errorf("% x came back as % x", b[:size], out)
		}
	})
}

func FuzzBeacon(f *testing.F) {
	f.Add([]byte{0x0D, 0, 0, 0, 0, 0, 0x0D})
	f.Add(appendBeacon(nil, 39, []*stream{{"hello", 1, 20, 1691686154745, 2887}, {"x", 0, 1, 2, 3}}, 1, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		beacon, err := ParseBeacon(b)
		if err != nil {
			return
		}
		var list []*stream
		for _, i := range beacon.Items {
			list = append(list, &stream{i.Key, i.Shard, i.Seq, i.Time, i.Running})
		}
		out := appendBeacon(nil, beacon.Remaining, list, 0, len(list))
		if len(out) != beacon.Size || !bytes.Equal(out[1:beacon.Size-1], b[1:beacon.Size-1]) {
			t.Errorf("% x came back as % x", b[:beacon.Size], out)
		}
	})
}

// FuzzScanner reads arbitrary bytes as a file, from each of its beacons too: it
// comes to an end, and takes no more memory than the file has bytes.
func FuzzScanner(f *testing.F) {
	for _, interval := range []uint32{128, 256, 1024} {
		f.Add(encode(Header{"t.ss", 1, interval}, someRecs(uint64(interval), 12, 3, 200)))
	}
	f.Add(append(Header{"t.ss", 1, 128}.Append(nil), bytes.Repeat([]byte{0x0D}, 400)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			return
		}
		s := NewScanner(bytes.NewReader(b), h.Interval, HeaderSize)
		for n := range min(int64(len(b))/int64(h.Interval), 8) + 1 {
			s.MoveToBeacon(n)
			exhaust(t, s, len(b))
		}
		if limit := max(large, 4*len(b)); len(s.buf) > limit {
			t.Errorf("a window of %d bytes for a file of %d", len(s.buf), len(b))
		}
		runtime.KeepAlive(s)
	})
}

func exhaust(t *testing.T, s *Scanner, size int) {
	last := int64(-1)
	for turns := 0; ; turns++ {
		if turns > 4*size+100 {
			t.Fatalf("no end after %d turns at %d", turns, s.Offset())
		}
		fr, err := s.Next()
		var d *Damage
		switch {
		case errors.As(err, &d):
			if d.Offset < last || d.Length <= 0 {
				t.Fatalf("damage %+v behind %d", d, last)
			}
			last = d.Offset + d.Length
		case err == ErrMore:
			if err := s.Fill(); err == io.EOF {
				s.Stuck()
				s.Partial()
				return
			} else if err != nil {
				t.Fatal(err)
			}
		case err != nil:
			t.Fatal(err)
		default:
			if fr.Pos < last || fr.End <= fr.Pos {
				t.Fatalf("frame %d-%d behind %d", fr.Pos, fr.End, last)
			}
			last = fr.End
		}
	}
}
