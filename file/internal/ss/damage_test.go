package ss

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// damaged spoils a file of n messages and reads it.
func damaged(t *testing.T, spoil func(file []byte, pos []int64) []byte) (recs, got []rec, damage []*Damage) {
	t.Helper()
	const interval = 512
	recs = someRecs(11, 120, 3, 60)
	file := encode(Header{"t.ss", 1, interval}, recs)
	got, damage = scan(t, spoil(file, positions(t, file, interval)), interval, HeaderSize)
	return recs, got, damage
}

// positions is where each message starts, behind a beacon that stands there.
func positions(t *testing.T, file []byte, interval uint32) (pos []int64) {
	t.Helper()
	s := NewScanner(bytes.NewReader(file), interval, HeaderSize)
	for {
		f, err := s.Next()
		switch {
		case errors.Is(err, ErrMore):
			if s.Fill() != nil {
				return pos
			}
		case err != nil:
			t.Fatal(err)
		default:
			pos = append(pos, s.fileOffset(s.r-int(FrameSize(len(f.Key), len(f.Payload)))))
		}
	}
}

// lost says which of recs are not in got, which must be in order.
func lost(t *testing.T, recs, got []rec) (missing []int) {
	t.Helper()
	for i, r := range recs {
		if len(got) > 0 && got[0].time == r.time {
			same(t, got[:1], recs[i:i+1])
			got = got[1:]
		} else {
			missing = append(missing, i)
		}
	}
	if len(got) > 0 {
		t.Fatalf("%d messages that nobody wrote, or out of order: %+v", len(got), got[0])
	}
	return missing
}

func TestWrongChecksumCostsOneMessage(t *testing.T) {
	recs, got, damage := damaged(t, func(file []byte, pos []int64) []byte {
		file[pos[51]-4] ^= 1 // the payload's last byte
		return file
	})
	if m := lost(t, recs, got); !slices.Equal(m, []int{50}) {
		t.Errorf("lost %v, want 50", m)
	}
	if len(damage) != 1 || damage[0].Err != ErrChecksum || damage[0].Frame.Seq != recs[50].seq || damage[0].Length <= 0 {
		t.Errorf("damage %+v", damage)
	}
}

func TestDamageEndsAtTheNextBeacon(t *testing.T) {
	for name, spoil := range map[string]func(file []byte, at int64){
		"key length":       func(f []byte, at int64) { f[at] = 0xFF },
		"key":              func(f []byte, at int64) { f[at+3] = '\n' },
		"time":             func(f []byte, at int64) { f[at+1+int64(f[at])+16] = 0xFF },
		"size, far beyond": func(f []byte, at int64) { f[at+1+int64(f[at])+24] = 0x7F },
		"size, one more":   func(f []byte, at int64) { f[at+1+int64(f[at])+27]++ },
		"size, one less":   func(f []byte, at int64) { f[at+1+int64(f[at])+27]-- },
		"a whole block":    func(f []byte, at int64) { clear(f[at : at+200]) },
		"a whole segment":  func(f []byte, at int64) { clear(f[at : at+700]) },
	} {
		t.Run(name, func(t *testing.T) {
			recs, got, damage := damaged(t, func(file []byte, pos []int64) []byte {
				spoil(file, pos[30])
				return file
			})
			m := lost(t, recs, got)
			if len(m) == 0 || len(m) > 25 || m[0] < 29 || m[0] > 30 {
				t.Errorf("lost %v", m)
			}
			if len(damage) == 0 {
				t.Fatal("no damage reported")
			}
			for _, d := range damage {
				if d.Length <= 0 || d.Err == nil {
					t.Errorf("damage %+v", d)
				}
			}
		})
	}
}

func TestWrongBeaconCostsAtMostItsNeighbours(t *testing.T) {
	for name, spoil := range map[string]func(b []byte){
		"remaining": func(b []byte) { b[1]++ },
		"count":     func(b []byte) { b[5] += 3 },
		"item key":  func(b []byte) { b[8] = '\n' },
		"marks":     func(b []byte) { b[0] = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			recs, got, _ := damaged(t, func(file []byte, _ []int64) []byte {
				spoil(file[4*512:])
				return file
			})
			m := lost(t, recs, got)
			if len(m) > 20 || (name == "remaining" || name == "marks") && len(m) > 0 {
				t.Errorf("lost %v", m)
			}
		})
	}
}

func TestTruncatedAnywhereIsOnlyShorter(t *testing.T) {
	const interval = 256
	recs := someRecs(13, 40, 3, 100)
	file := encode(Header{"t.ss", 1, interval}, recs)
	for n := HeaderSize; n < len(file); n++ {
		s := NewScanner(bytes.NewReader(file[:n]), interval, HeaderSize)
		got, damage := drain(t, s)
		if len(damage) > 0 || s.Stuck() != nil {
			t.Fatalf("cut at %d: %v, %v", n, damage, s.Stuck())
		}
		same(t, got, recs[:len(got)])
		if s.Offset()+s.Partial() > int64(n) {
			t.Fatalf("cut at %d: offset %d and %d partial", n, s.Offset(), s.Partial())
		}
	}
}

func TestStuckAtUnreadableTail(t *testing.T) {
	recs := someRecs(17, 4, 1, 20)
	file := encode(Header{"t.ss", 1, 1024}, recs)
	whole := int64(len(file))
	src := &growing{append(bytes.Clone(file), "\x05not a frame, and never will be one"...)}
	s := NewScanner(src, 1024, HeaderSize)
	got, damage := drain(t, s)
	same(t, got, recs)
	if d := s.Stuck(); len(damage) > 0 || d == nil || d.Offset != whole || d.Length != int64(len(src.b))-whole {
		t.Fatalf("damage %v, stuck %+v", damage, s.Stuck())
	}
	more := someRecs(18, 6, 1, 20)
	src.b = encode(Header{"t.ss", 1, 1024}, append(recs[:4:4], more...)) // a writer cut the tail off
	got, damage = drain(t, s)
	if len(damage) > 0 || s.Stuck() != nil {
		t.Fatalf("damage %v, stuck %v", damage, s.Stuck())
	}
	same(t, got, more)
}

func TestHugeSizeIsNotAllocated(t *testing.T) {
	file := encode(Header{"t.ss", 1, 1024}, someRecs(19, 200, 1, 200))
	pos := positions(t, file, 1024)
	at := pos[5] + 1 + int64(file[pos[5]]) + 24
	copy(file[at:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
	s := NewScanner(bytes.NewReader(file), 1024, HeaderSize)
	got, damage := drain(t, s)
	if len(damage) != 1 || len(got) < 150 {
		t.Errorf("%d messages, damage %v", len(got), damage)
	}
	if len(s.buf) > large {
		t.Errorf("the window grew to %d bytes for a size that no bytes back", len(s.buf))
	}
}

func TestContainsFrame(t *testing.T) {
	frame := referenceFrame(rec{"a", 0, 1, 1, []byte("payload")})
	junk := bytes.Repeat([]byte{5, 'x', 'y'}, 300)
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"nothing":        {nil, false},
		"zeros":          {make([]byte, 500), false},
		"junk":           {junk, false},
		"a frame":        {frame, true},
		"behind junk":    {append(bytes.Clone(junk), frame...), true},
		"a torn frame":   {frame[:len(frame)-1], false},
		"headers galore": {bytes.Repeat(append(bytes.Clone(frame[:len(frame)-14]), 0, 1, 0, 27, mark), 5000), true},
	} {
		if got := ContainsFrame(c.b); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestUnreadableBeaconsInARow: behind each stands the next, not a message.
func TestUnreadableBeaconsInARow(t *testing.T) {
	for _, spoiled := range [][]int{{3}, {3, 4}, {3, 4, 5, 7}} {
		recs, got, damage := damaged(t, func(file []byte, _ []int64) []byte {
			for _, n := range spoiled {
				file[n*512+5], file[n*512+6], file[n*512+7] = 1, 9, 0xFF
			}
			return file
		})
		m := lost(t, recs, got)
		if len(m) == 0 || len(m) > 15*len(spoiled) || len(damage) == 0 {
			t.Errorf("beacons %v spoiled: lost %v, damage %v", spoiled, m, damage)
		}
	}
}
