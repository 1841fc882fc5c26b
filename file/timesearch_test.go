package file

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// mixed makes logs in sessions of this package's writers and of SeaStreamer's,
// which know nothing of what was written before. Times are of senders whose
// clocks differ; only what SeaStreamer's add is never older than what was
// there.
type mixed struct {
	*rig
	rnd     *rand.Rand
	streams int
	ms      uint64
	latest  uint64 // of all times
	floor   uint64 // what is written now is not older
	seq     map[logfile.Listed]uint64
}

func newMixed(r *rig, seed uint64, streams int) *mixed {
	return &mixed{rig: r, rnd: rand.New(rand.NewPCG(seed, 4)), streams: streams, ms: 1700000000000, seq: map[logfile.Listed]uint64{}}
}

// next is a message; those of some streams begin late, or are rare.
func (m *mixed) next() (at logfile.Listed, seq, ms uint64, value []byte) {
	m.ms += uint64(m.rnd.IntN(10))
	n := m.rnd.IntN(1 + m.rnd.IntN(1+len(m.seq)) + m.rnd.IntN(m.streams))
	at = logfile.Listed{Stream: fmt.Sprint("s", n%m.streams/2), Shard: uint64(n % 2 * m.rnd.IntN(3))}
	m.seq[at]++
	ms = m.ms
	switch m.rnd.IntN(200) {
	case 0:
		m.ms -= uint64(m.rnd.IntN(1 << m.rnd.IntN(16))) // the clock is set back
	case 1, 2, 3:
		ms += uint64(m.rnd.IntN(3000)) - 2000
	}
	ms = max(ms, m.floor)
	m.latest = max(m.latest, ms)
	return at, m.seq[at], ms, make([]byte, m.rnd.IntN(120))
}

// ours writes with a writer of this package.
func (m *mixed) ours(n int) {
	m.Helper()
	open := logfile.OpenFile
	if m.cfg.Segment > 0 {
		open = logfile.OpenSegments
	}
	lf, err := open(m.cfg.Path, streamer.CreateAuto, m.cfg.Beacon, nil)
	m.ok(err)
	for range n {
		if lf.Full(m.cfg.Segment, m.cfg.SegmentAge) && m.cfg.Segment > 0 {
			next, err := lf.Successor()
			m.ok(err)
			m.ok(lf.Handle.Close())
			lf = next
		}
		at, seq, ms, value := m.next()
		mark := lf.Enc.Mark()
		var b []byte
		if m.rnd.IntN(4) == 0 {
			env := logfile.AppendEnvelope(nil, &streamer.Record{Stream: at.Stream, Key: []byte("k"), Value: value})
			b = lf.Enc.Append(b, ss.Internal, at.Shard, seq, ms, env)
		}
		m.ok(lf.Put(mark, lf.Enc.Append(b, at.Stream, at.Shard, seq, ms, value)))
	}
	m.ok(lf.Close())
}

// foreign writes as SeaStreamer does.
func (m *mixed) foreign(n int) {
	m.Helper()
	b, err := os.ReadFile(m.cfg.Path)
	if os.IsNotExist(err) {
		b = ss.Header{Name: "log.ss", Created: 1700000000000, Interval: uint32(m.cfg.Beacon)}.Append(nil)
	}
	m.ms, m.floor = max(m.ms, m.latest), m.latest
	defer func() { m.floor = 0 }()
	e := ss.NewEncoder(uint32(m.cfg.Beacon), int64(len(b)))
	for range n {
		at, seq, ms, value := m.next()
		b = e.Append(b, at.Stream, at.Shard, seq, ms, value)
	}
	m.write(b)
}

// spoil makes some beacons unreadable.
func (m *mixed) spoil() {
	m.Helper()
	paths := []string{m.cfg.Path}
	if m.cfg.Segment > 0 {
		paths = m.segments()
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		m.ok(err)
		for at := int(m.cfg.Beacon); at+7 < len(b); at += int(m.cfg.Beacon) {
			if m.rnd.IntN(8) == 0 && b[at+5] > 0 {
				b[at+6] = math.MaxUint8
			}
		}
		m.ok(os.WriteFile(path, b, 0o644))
	}
}

// foundMessage is a message of the log.
type foundMessage struct {
	logfile.Listed
	start, frame int64
	ms           uint64
}

// scanned is every message, by reading the log from its beginning.
func (m *mixed) scanned(v *logfile.View) (all []foundMessage) {
	m.Helper()
	m.ok(v.Reader().Each(m.ctx, func(e *logfile.Entry, damaged bool) bool {
		if !damaged {
			all = append(all, foundMessage{logfile.Listed{Stream: string(e.Key), Shard: e.Shard}, e.Start, e.Pos, e.Time})
		}
		return true
	}))
	return all
}

// TestNothingLateIsBeforeWhereATimeIsSoughtFrom: whatever wrote the log and
// whatever its beacons lack, no message of that time or later, nor its
// envelope, starts before the place from which on the source looks for it; and
// in logs that are all ours, with room in their beacons, that is not the
// beginning.
func TestNothingLateIsBeforeWhereATimeIsSoughtFrom(t *testing.T) {
	var c chances
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			beacon := []int64{1 << 10, 4 << 10, 16 << 10}[seed%3]
			r := newRig(t, func(c *Config) { c.Beacon = beacon })
			if seed%4 == 3 {
				r = newSegmented(t, func(c *Config) { c.Beacon, c.Segment = beacon, 5*beacon })
			}
			m := newMixed(r, seed, []int{1, 6, 40}[seed/3%3])
			foreign := seed%4 == 1 || seed%4 == 2
			for range 1 + m.rnd.IntN(6) {
				if n := 1 + m.rnd.IntN(1200); foreign && m.rnd.IntN(2) == 0 {
					m.foreign(n)
				} else {
					m.ours(n)
				}
			}
			if seed%5 == 4 {
				m.spoil()
			}
			if m.cfg.Segment > 0 && m.rnd.IntN(2) == 0 {
				m.ok(os.Remove(filepath.Join(m.cfg.Path, logfile.SegmentName(0))))
			}
			of := m.search()
			if !foreign && seed%5 != 4 && m.streams < 40 && beacon > 1<<10 {
				c.far, c.missed = c.far+of.far, c.missed+of.missed
			}
		})
	}
	if c.missed > c.far/8 {
		t.Errorf("%d of %d searches start at the beginning", c.missed, c.far)
	}
}

// chances are the searches for what is well inside a log, and those of them
// that start at its beginning.
type chances struct{ far, missed int }

func (m *mixed) search() (c chances) {
	m.Helper()
	v, err := logfile.OpenView(m.cfg.Path)
	m.ok(err)
	defer v.Close()
	all := m.scanned(&v.View)
	split := slices.DeleteFunc(slices.Clone(all), func(o foundMessage) bool { return o.start/m.cfg.Beacon == o.frame/m.cfg.Beacon })
	for i := range 60 {
		x := all[m.rnd.IntN(len(all))]
		if i%3 == 0 && len(split) > 0 {
			x = split[m.rnd.IntN(len(split))]
		}
		of := []logfile.Span{{Every: true}, {Stream: x.Stream, To: math.MaxUint64}, {Stream: x.Stream, From: x.Shard, To: x.Shard}, {Stream: "none", To: 9}}[m.rnd.IntN(4)]
		of.Ms = x.ms + uint64(m.rnd.IntN(3)*(m.rnd.IntN(100)-50))
		at, known := m.left(&v.View, of)
		first := v.Size
		for _, o := range all {
			if of.Has(o.Listed) && o.ms >= of.Ms {
				first = min(first, o.start)
			}
		}
		if first < at {
			m.Fatalf("of %+v there is a message at %d, before %d", of, first, at)
		}
		if first > v.Start()+12*m.cfg.Beacon && of.Stream != "none" { // which nothing older than that proves absent
			if c.far++; !known {
				c.missed++
			}
		}
	}
	return c
}

// left is where a source would start to read; known is false for the beginning.
func (m *mixed) left(v *logfile.View, of logfile.Span) (at int64, known bool) {
	m.Helper()
	p := planner{v: v, s: &source{cfg: driver.SourceConfig{Streams: []string{wildcard}}}}
	at, err := p.leftByTime(int64(of.Ms), of)
	m.ok(err)
	return at, at > v.Start()
}

// TestSeekInAMixedLog is the same through a source, alone and in a group.
func TestSeekInAMixedLog(t *testing.T) {
	r := newRig(t)
	m := newMixed(r, 3, 3)
	for range 4 {
		m.ours(300)
		m.foreign(300)
	}
	v, err := logfile.OpenView(m.cfg.Path)
	r.ok(err)
	defer v.Close()
	all := m.scanned(&v.View)
	for i := range 60 {
		x := all[m.rnd.IntN(len(all))]
		c := sourceConfig(x.Stream)
		c.Start, c.Shards = streamer.AtTime(time.UnixMilli(int64(x.ms))), map[string][]streamer.ShardID{x.Stream: {streamer.ShardID(x.Shard)}}
		want := 0
		for _, o := range all {
			if o.Listed == x.Listed && (want > 0 || o.ms >= x.ms) {
				want++
			}
		}
		if i%3 == 0 {
			c.Mode, c.Group = streamer.Resumable, fmt.Sprint("g", i)
			openAndClose(t, r, c)
			c.Start = streamer.Position{}
		}
		if got := readAll(r.ctx, t, r, c); len(got) != want || got[0].Time.UnixMilli() < int64(x.ms) {
			t.Fatalf("from %d on %v has %d messages, want %d", x.ms, x.Listed, len(got), want)
		}
	}
}

// TestAStreamThatSeaStreamerDidNotWriteToIsNotTakenForAbsent, however many of
// its beacons do not name it.
func TestAStreamThatSeaStreamerDidNotWriteToIsNotTakenForAbsent(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Beacon = 4 << 10 })
	f := newForeign(4 << 10)
	for i := range uint64(200) {
		f.sendAt("a", 0, 1000+i, "before it")
	}
	late := f.e.Offset()
	f.sendAt("b", 0, 1200, "it")
	f.session()
	for i := range uint64(2000) {
		f.sendAt("a", 0, 1200+i, "behind it")
	}
	r.write(f.b)
	m := newMixed(r, 0, 0)
	v, err := logfile.OpenView(m.cfg.Path)
	r.ok(err)
	defer v.Close()
	for _, of := range []logfile.Span{{Stream: "b", Ms: 1200}, {Stream: "b", To: math.MaxUint64, Ms: 1001}, {Every: true, Ms: 1200}} {
		at, known := m.left(&v.View, of)
		if at > late {
			t.Errorf("%+v is sought from %d on, behind %d", of, at, late)
		}
		if want := of.Ms == 1200; known != want {
			t.Errorf("%+v is sought from %d on: from the beginning is %v, want %v", of, at, !known, !want)
		}
	}
	if at, _ := m.left(&v.View, logfile.Span{Stream: "b", Ms: 3000}); at < late {
		t.Errorf("later than all of it is sought from %d on, before %d", at, late)
	}
}
