package file

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// inspected opens the rig's log for tools.
func (r *rig) inspected(path string) *Log {
	r.Helper()
	l, err := Inspect(path)
	r.ok(err)
	r.Cleanup(func() { l.Close() })
	return l
}

// verified is what Verify says of a log.
func (r *rig) verified(path string) (*Report, []*CorruptionError) {
	r.Helper()
	l := r.inspected(path)
	var found []*CorruptionError
	report, err := l.Verify(r.ctx, func(c *CorruptionError) { found = append(found, c) }, nil)
	r.ok(err)
	r.ok(l.Close())
	return report, found
}

// mixed is a log of several streams, shards, keys, sizes and beacons.
func (r *rig) mixed() []byte {
	r.Helper()
	r.cfg.Shards = 2
	s := r.connect()
	p := r.producer(s, "a")
	for i := range 60 {
		rec := streamer.Record{Stream: string(rune('a' + i%3)), Value: bytes.Repeat([]byte{'0' + byte(i%10)}, 1+i*i%150)}
		if i%4 == 0 {
			rec.Key = fmt.Append(nil, "key ", i)
		}
		r.send(p, rec)
	}
	r.ok(s.Close())
	return r.read()
}

func TestASoundLogVerifies(t *testing.T) {
	r := newRig(t)
	whole := r.mixed()
	for n := ss.HeaderSize; n <= len(whole); n += 7 {
		r.write(whole[:n])
		report, found := r.verified(r.cfg.Path)
		if len(found) > 0 || report.Damaged > 0 || report.Unsummed > 0 {
			t.Fatalf("cut at %d: %+v, %v", n, report, found)
		}
		if n+7 > len(whole) {
			r.write(whole)
			break
		}
	}
	report, _ := r.verified(r.cfg.Path)
	if report.Messages != 60 || report.Frames != 75 || report.Torn != 0 || report.Beacons != int64(len(whole)-1)/1024 || len(report.Shards) != 6 {
		t.Errorf("%+v", report)
	}
	sum := int64(0)
	for _, s := range report.Shards {
		sum += s.Messages
		if s.Missing != 0 || s.First != streamer.SeqUint(1) || s.Last != streamer.SeqUint(uint64(s.Messages)) || s.Oldest.After(s.Latest) {
			t.Errorf("%+v", s)
		}
	}
	if sum != 60 {
		t.Errorf("the shards have %d messages", sum)
	}
}

// TestVerifyFindsOneDamagedByte anywhere, but for those of a frame's head,
// which the format has no checksum for; then numbers or sums mostly do not fit.
func TestVerifyFindsOneDamagedByte(t *testing.T) {
	r := newRig(t)
	whole := r.mixed()
	heads := headBytes(t, whole)
	quiet := 0
	for at := ss.HeaderSize; at < len(whole); at += 3 {
		b := bytes.Clone(whole)
		b[at] ^= 0x41
		r.write(b)
		report, found := r.verified(r.cfg.Path)
		named := false
		for _, c := range found {
			named = named || c.Offset <= int64(at) && int64(at) < c.Offset+c.Length
		}
		suspicious := report.Unsummed > 0
		for _, s := range report.Shards {
			suspicious = suspicious || s.Missing > 0
		}
		switch {
		case named:
		case !heads[at] && len(found) == 0 && !suspicious && report.Torn == 0:
			t.Fatalf("byte %d: nothing found", at)
		case !suspicious && len(found) == 0:
			quiet++
		}
	}
	t.Logf("%d damaged bytes of heads look right", quiet)
}

// headBytes are the bytes of a log that no checksum covers: of frames, what
// stands before the payload, and of beacons all.
func headBytes(t *testing.T, b []byte) map[int]bool {
	t.Helper()
	heads := map[int]bool{}
	s := ss.NewScanner(bytesAt(b), 1<<10, ss.HeaderSize)
	r := &rig{T: t}
	r.ok(eachFrame(t.Context(), s, func(f *ss.Frame, _ *ss.Damage) bool {
		body := int(f.End) - len(f.Payload) - 3
		for i := int(f.Pos); i < body; i++ {
			heads[i] = true
		}
		return true
	}))
	for at := 1 << 10; at < len(b); at += 1 << 10 {
		beacon, err := ss.ParseBeacon(b[at:])
		r.ok(err)
		for i := range beacon.Size {
			heads[at+i] = true
		}
	}
	return heads
}

// TestRepairSavesEveryWholeMessage: one damaged byte costs the message that it
// is in, no other, and what comes out is sound.
func TestRepairSavesEveryWholeMessage(t *testing.T) {
	r := newRig(t)
	whole := r.mixed()
	want := r.numbered(r.all("*"))
	most := 0
	for at := ss.HeaderSize; at < len(whole); at += 23 {
		r.renew()
		b := bytes.Clone(whole)
		b[at] ^= 0xFF
		r.write(b)
		to := fmt.Sprintf("%s.%d.ss", r.cfg.Path, at)
		s, err := r.inspected(r.cfg.Path).Repair(r.ctx, to, func(*CorruptionError) {}, nil)
		r.ok(err)
		if report, found := r.verified(to); len(found) > 0 || report.Unsummed > 0 || report.Messages != s.Messages || report.Torn > 0 {
			t.Fatalf("byte %d: the repaired log: %+v, %v", at, report, found)
		}
		damaged := r.cfg.Path
		r.cfg.Path = to
		got := r.numbered(r.all("*"))
		r.cfg.Path = damaged
		lost := 0
		for id := range want {
			if got[id] != want[id] {
				lost++
			}
		}
		if most = max(most, lost); lost > 2 {
			t.Fatalf("byte %d: %d messages are lost or changed: %+v", at, lost, s)
		}
		r.ok(os.Remove(to))
	}
	t.Logf("at most %d of %d messages were lost", most, len(want))
}

// numbered is what messages hold, by stream, shard and number.
func (r *rig) numbered(ms []*streamer.Message) map[string]string {
	all := map[string]string{}
	for _, m := range ms {
		all[fmt.Sprint(m.Stream, m.Shard, m.Seq)] = string(m.Key) + "|" + string(m.Value)
	}
	return all
}

func TestRepairTakesNoOthersPlace(t *testing.T) {
	r := newRig(t)
	r.mixed()
	to := filepath.Join(filepath.Dir(r.cfg.Path), "there.ss")
	r.ok(os.WriteFile(to, []byte("precious"), 0o644))
	_, err := r.inspected(r.cfg.Path).Repair(r.ctx, to, func(*CorruptionError) {}, nil)
	r.is(err, streamer.ErrExists)
	if b, err := os.ReadFile(to); err != nil || string(b) != "precious" {
		t.Errorf("the file is %q, %v", b, err)
	}
}

func TestInspectRefusesWhatIsNoLog(t *testing.T) {
	r := newRig(t)
	_, err := Inspect(r.cfg.Path)
	r.is(err, streamer.ErrNotFound)
	r.write([]byte("notes"))
	_, err = Inspect(r.cfg.Path)
	r.is(err, streamer.ErrInvalid)
	r.write(nil)
	_, err = Inspect(r.cfg.Path)
	r.is(err, streamer.ErrInvalid)
	_, err = Inspect(filepath.Dir(r.cfg.Path))
	r.is(err, streamer.ErrUnsupported)
}

// TestVerifyReportsWhatCrashesLeaveApart: torn ends and zeros are no damage,
// what another process wrote there is.
func TestVerifyReportsWhatCrashesLeaveApart(t *testing.T) {
	r := newRig(t)
	whole := r.mixed()
	for name, c := range map[string]struct {
		tail []byte
		torn bool
	}{
		"a torn frame": {whole[ss.HeaderSize : ss.HeaderSize+20], true},
		"zeros":        {make([]byte, 300), true},
		"a letter":     {bytes.Repeat([]byte("Dear Sir or Madam, "), 20), false},
	} {
		r.write(append(bytes.Clone(whole), c.tail...))
		report, found := r.verified(r.cfg.Path)
		if (report.Torn == int64(len(c.tail))) != c.torn || (len(found) == 0) != c.torn || report.Messages != 60 {
			t.Errorf("%s: %+v, %v", name, report, found)
		}
	}
}

func TestLogMessagesHaveEverything(t *testing.T) {
	r := newRig(t)
	p := r.producer(r.connect(), "a")
	rec := streamer.Record{Key: []byte("k"), Value: nil, Headers: []streamer.Header{{Key: "h", Value: []byte("1")}, {Key: "h"}}}
	r.send(p, rec, streamer.Record{Value: []byte{}})
	var got []*streamer.Message
	for m, err := range r.inspected(r.cfg.Path).Messages(r.ctx) {
		r.ok(err)
		got = append(got, m)
	}
	if len(got) != 2 || string(got[0].Key) != "k" || got[0].Value != nil || len(got[0].Headers) != 2 || got[0].Headers[1].Value != nil ||
		got[1].Key != nil || got[1].Value == nil || got[1].Seq != streamer.SeqUint(2) || got[1].Stream != "a" {
		t.Errorf("%+v", got)
	}
}
