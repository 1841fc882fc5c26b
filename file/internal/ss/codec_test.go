package ss

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"
)

func TestEncoderEqualsReference(t *testing.T) {
	for _, c := range []struct {
		interval         uint32
		n, streams, size int
	}{{128, 40, 2, 300}, {256, 60, 3, 90}, {512, 90, 4, 700}, {640, 90, 4, 60}, {1024, 120, 5, 3000}, {2048, 300, 12, 200}, {4096, 300, 12, 900}} {
		t.Run(fmt.Sprint(c.interval), func(t *testing.T) {
			h := Header{"t.ss", 1700000000000, c.interval}
			recs := someRecs(uint64(c.interval), c.n, c.streams, c.size)
			got, want := encode(h, recs), reference(h, recs)
			if !bytes.Equal(got, want) {
				t.Fatalf("differs at byte %d of %d", firstDifference(got, want), len(want))
			}
			scanned, damage := scan(t, got, c.interval, HeaderSize)
			if len(damage) > 0 {
				t.Fatal(damage)
			}
			same(t, scanned, recs)
		})
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// scan reads every frame of a file's bytes.
func scan(t testing.TB, file []byte, interval uint32, from int64) (out []rec, damage []*Damage) {
	t.Helper()
	s := NewScanner(bytes.NewReader(file), interval, from)
	out, damage = drain(t, s)
	return out, damage
}

// drain takes what a Scanner has up to the present end.
func drain(t testing.TB, s *Scanner) (out []rec, damage []*Damage) {
	t.Helper()
	for {
		f, err := s.Next()
		var d *Damage
		switch {
		case errors.As(err, &d):
			damage = append(damage, d)
		case errors.Is(err, ErrMore):
			if err := s.Fill(); err == io.EOF {
				return out, damage
			} else if err != nil {
				t.Fatal(err)
			}
		case err != nil:
			t.Fatal(err)
		default:
			out = append(out, rec{string(f.Key), f.Shard, f.Seq, f.Time, bytes.Clone(f.Payload)})
		}
	}
}

func same(t testing.TB, got, want []rec) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		if g.key != w.key || g.shard != w.shard || g.seq != w.seq || g.time != w.time || !bytes.Equal(g.payload, w.payload) {
			t.Fatalf("message %d: %s/%d/%d, want %s/%d/%d", i, g.key, g.shard, g.seq, w.key, w.shard, w.seq)
		}
	}
}

func TestScannerStartsAtEveryFrameAndBeacon(t *testing.T) {
	const interval = 256
	recs := someRecs(7, 80, 3, 400)
	file := encode(Header{"t.ss", 1, interval}, recs)
	s := NewScanner(bytes.NewReader(file), interval, HeaderSize)
	var pos, end []int64
	for {
		f, err := s.Next()
		if err == ErrMore {
			if s.Fill() == io.EOF {
				break
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		pos, end = append(pos, f.Pos), append(end, f.End)
	}
	for i := range recs {
		got, _ := scan(t, file, interval, pos[i])
		same(t, got, recs[i:])
		got, _ = scan(t, file, interval, end[i])
		same(t, got, recs[i+1:])
	}
	for n := range int64(len(file)) / interval {
		s.MoveToBeacon(n)
		got, damage := drain(t, s)
		if len(damage) > 0 || len(got) > len(recs) {
			t.Fatalf("beacon %d: %v", n, damage)
		}
		same(t, got, recs[len(recs)-len(got):])
		if k := len(recs) - len(got); k > 0 && end[k-1] > n*interval && pos[k-1] >= n*interval {
			t.Fatalf("beacon %d passes over message %d, which starts behind it", n, k-1)
		}
	}
}

func TestScannerFollowsAGrowingFile(t *testing.T) {
	const interval = 256
	recs := someRecs(3, 30, 3, 300)
	file := encode(Header{"t.ss", 1, interval}, recs)
	src := &growing{}
	s := NewScanner(src, interval, HeaderSize)
	var got []rec
	for n := range len(file) + 1 {
		src.b = file[:n]
		more, damage := drain(t, s)
		if len(damage) > 0 {
			t.Fatalf("at %d bytes: %v", n, damage)
		}
		got = append(got, more...)
	}
	same(t, got, recs)
}

type growing struct{ b []byte }

func (g *growing) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(g.b).ReadAt(p, off)
}

func TestScannerReadsAgainWhatAWriterReplaced(t *testing.T) {
	h := Header{"t.ss", 1, 1024}
	old, now := someRecs(1, 3, 1, 50), someRecs(2, 3, 1, 50)
	file := encode(h, old)
	src := &growing{file[:len(file)-5]} // a crash cut the third message
	s := NewScanner(src, h.Interval, HeaderSize)
	got, _ := drain(t, s)
	same(t, got, old[:2])
	src.b = encode(h, append(old[:2:2], now...))
	got, damage := drain(t, s)
	if len(damage) > 0 {
		t.Fatal(damage)
	}
	same(t, got, now)
}

func TestLargeFrameSpansManyBeacons(t *testing.T) {
	h := Header{"t.ss", 1, 1024}
	recs := []rec{{"a", 0, 1, 1, []byte("x")}, {"a", 0, 2, 2, bytes.Repeat([]byte("large "), 10_000)}, {"a", 0, 3, 3, nil}}
	file := encode(h, recs)
	if !bytes.Equal(file, reference(h, recs)) {
		t.Fatal("the encoders differ")
	}
	got, damage := scan(t, file, h.Interval, HeaderSize)
	if len(damage) > 0 {
		t.Fatal(damage)
	}
	same(t, got, recs)
	s := NewScanner(bytes.NewReader(file), h.Interval, HeaderSize)
	s.MoveToBeacon(2)
	got, _ = drain(t, s)
	same(t, got, recs[2:])
}

func TestEncoderRollback(t *testing.T) {
	h := Header{"t.ss", 1, 256}
	recs := someRecs(5, 40, 4, 100)
	want := encode(h, recs)
	e := NewEncoder(h.Interval, HeaderSize)
	b := h.Append(nil)
	for i, r := range recs {
		m, n := e.Mark(), len(b)
		for _, wrong := range recs {
			b = e.Append(b, wrong.key+"z", wrong.shard, wrong.seq+9, wrong.time, wrong.payload)
		}
		b = e.Append(b, r.key, r.shard, r.seq+1, r.time, nil)
		e.Rollback(m)
		b = e.Append(b[:n], r.key, r.shard, r.seq, r.time, r.payload)
		if i%7 == 0 {
			e.Commit()
		}
	}
	if !bytes.Equal(b, want) {
		t.Fatalf("differs at byte %d", firstDifference(b, want))
	}
}

func TestEncoderCarriesStreamsAcrossReopen(t *testing.T) {
	h := Header{"t.ss", 1, 2048} // three items to a beacon
	recs := someRecs(6, 200, 12, 100)
	want := encode(h, recs)
	for k := range recs {
		s := NewScanner(bytes.NewReader(want), h.Interval, HeaderSize)
		e := NewEncoder(h.Interval, HeaderSize)
		end := int64(HeaderSize)
		for n := 0; n < k; {
			f, err := s.Next()
			if err == ErrMore {
				if err := s.Fill(); err != nil {
					t.Fatal(err)
				}
				continue
			}
			e.See(&f)
			end, n = f.End, n+1
		}
		e.MoveTo(end)
		b := e.Start(bytes.Clone(want[:end]))
		for _, r := range recs[k:] {
			b = e.Append(b, r.key, r.shard, r.seq, r.time, r.payload)
		}
		if !bytes.Equal(b, want) {
			t.Fatalf("re-open after %d messages differs at byte %d", k, firstDifference(b, want))
		}
	}
}

func TestNextSeq(t *testing.T) {
	e := NewEncoder(1024, HeaderSize)
	if n, ok := e.NextSeq("a", 0); n != 1 || !ok {
		t.Errorf("new stream: %d, %v", n, ok)
	}
	e.See(&Frame{Key: []byte("a"), Seq: 7})
	e.See(&Frame{Key: []byte("a"), Seq: 3})
	if n, ok := e.NextSeq("a", 0); n != 8 || !ok {
		t.Errorf("after 7 and 3: %d, %v", n, ok)
	}
	e.See(&Frame{Key: []byte("a"), Seq: math.MaxUint64})
	if _, ok := e.NextSeq("a", 0); ok {
		t.Error("a number after the last one")
	}
}

func TestReadBeacon(t *testing.T) {
	h := Header{"t.ss", 1, 1024}
	recs := someRecs(9, 100, 1, 100)
	file := encode(h, recs)
	for n := int64(1); n <= int64(len(file))/1024; n++ {
		b, err := ReadBeacon(bytes.NewReader(file), h.Interval, n)
		if err != nil || len(b.Items) != 1 {
			t.Fatalf("beacon %d: %+v, %v", n, b, err)
		}
	}
	if _, err := ReadBeacon(bytes.NewReader(file), h.Interval, int64(len(file))/1024+1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("behind the end: %v", err)
	}
}
