package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// newSegmented is a rig on a directory with small segments.
func newSegmented(t *testing.T, edit ...func(*Config)) *rig {
	t.Helper()
	return newRig(t, append([]func(*Config){func(c *Config) {
		c.Path, c.Segment = strings.TrimSuffix(c.Path, logfile.Suffix), 4<<10
	}}, edit...)...)
}

// segments lists the files of the log.
func (r *rig) segments() (paths []string) {
	r.Helper()
	all, err := logfile.ListSegments(r.cfg.Path)
	r.ok(err)
	for _, g := range all {
		paths = append(paths, filepath.Join(r.cfg.Path, logfile.SegmentName(g.Base)))
	}
	return paths
}

// trickle stores values a few at a time, so that they come into several
// segments.
func (r *rig) trickle(stream string, values ...string) {
	r.Helper()
	s := r.connect()
	p := r.producer(s, stream)
	for len(values) > 0 {
		n := min(20, len(values))
		r.send(p, records(values[:n]...)...)
		values = values[n:]
	}
	r.ok(s.Close())
}

// soundSegments verifies every segment.
func (r *rig) soundSegments(what string) {
	r.Helper()
	for _, path := range r.segments() {
		if report, found := r.verified(path); len(found) > 0 || report.Unsummed > 0 {
			r.Fatalf("%s: %s: %+v, %v", what, path, report, found)
		}
	}
}

// TestSegmentsAreLogs: each is an .ss file that verifies; numbers continue
// across them and across openings; a consumer reads them as one.
func TestSegmentsAreLogs(t *testing.T) {
	r := newSegmented(t)
	var want []string
	for turn := range 5 {
		var recs []streamer.Record
		for i := range 40 {
			v := fmt.Sprint(turn*40+i, strings.Repeat(" ", 10+i*7%300))
			recs = append(recs, streamer.Record{Stream: "a", Value: []byte(v), Key: []byte("k")[:i%2]})
			want = append(want, v)
		}
		s := r.connect()
		p := r.producer(s, "a")
		for i, rec := range recs {
			if m := r.send(p, rec)[0]; m.Seq != streamer.SeqUint(uint64(turn*40+i+1)) {
				t.Fatalf("message %d is number %v", turn*40+i+1, m.Seq)
			}
		}
		r.send(p, streamer.Record{Stream: fmt.Sprint("once-", turn), Value: []byte("x")})
		r.ok(s.Close())
	}
	if n := len(r.segments()); n < 6 {
		t.Fatalf("%d segments", n)
	}
	r.soundSegments("after five openings")
	r.same("messages", values(r.all("a")), want)
	admin := r.connect().Admin()
	names, err := admin.Streams(r.ctx, "")
	r.ok(err)
	r.same("streams", names, []string{"a", "once-0", "once-1", "once-2", "once-3", "once-4"})
	s := r.connect()
	for i := range 5 { // their segments are not read when the log is opened
		if m := r.send(r.producer(s, ""), streamer.Record{Stream: fmt.Sprint("once-", i)})[0]; m.Seq != streamer.SeqUint(2) {
			t.Errorf("once-%d goes on with %v", i, m.Seq)
		}
	}
	for _, path := range r.segments() {
		b, err := os.ReadFile(path)
		r.ok(err)
		h, err := ss.ParseHeader(b)
		r.ok(err)
		if h.Name != filepath.Base(path) || h.Interval != 1<<10 {
			t.Errorf("%s has the header %+v", path, h)
		}
	}
}

// TestPositionsAcrossSegments is TestEveryPosition's oracle for a row of
// segments, some of which are dropped.
func TestPositionsAcrossSegments(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.Shards = 2; c.Segment = 2 << 10 })
	by := r.scatter(600)
	for _, dropped := range []int{0, 1, 5} {
		left := by
		if dropped > 0 {
			for _, path := range r.segments()[:dropped] {
				r.ok(os.Remove(path))
			}
			left = r.left(by)
		}
		rnd := rand.New(rand.NewPCG(uint64(dropped), 5))
		for at, of := range left {
			for i := range 8 {
				m := of[rnd.IntN(len(of))]
				for _, p := range []streamer.Position{
					streamer.At(streamer.SeqUint(m.seq)), streamer.After(streamer.SeqUint(m.seq)), streamer.Beginning(), streamer.End(),
					streamer.AtTime(time.UnixMilli(int64(m.ms))), streamer.AtTime(time.UnixMilli(int64(m.ms) + 1)),
				} {
					want := of[first(of, p):]
					what := fmt.Sprintf("%d dropped, %v in %v", dropped, p, at)
					checkPosition(t, r, what, at, p, "", want)
					if i == 0 {
						checkPosition(t, r, what+", in a group", at, p, fmt.Sprint("g", dropped, at, p.Kind()), want)
					}
				}
			}
		}
	}
}

// scatter stores messages of several streams and shards, with times that go
// back now and then.
func (r *rig) scatter(n int) map[streamer.StreamShard][]msg {
	r.Helper()
	rnd := rand.New(rand.NewPCG(7, 7))
	s := r.connect()
	p := r.producer(s, "")
	by := map[streamer.StreamShard][]msg{}
	ms := int64(1700000000000)
	for i := range n {
		ms += int64(rnd.IntN(5))
		shard := streamer.ShardID(rnd.IntN(2))
		rec := streamer.Record{
			Stream: []string{"busy", "busy", "busy", "other"}[rnd.IntN(4)], Shard: &shard, Value: fmt.Append(nil, i, strings.Repeat("x", rnd.IntN(60))),
			Time: time.UnixMilli(ms - int64(rnd.IntN(2)*rnd.IntN(20))),
		}
		if rnd.IntN(100) == 0 {
			rec.Stream = "rare"
		}
		if rnd.IntN(3) == 0 {
			rec.Key = []byte("k")
		}
		m := r.send(p, rec)[0]
		at := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
		by[at] = append(by[at], msg{at, m.Seq.Uint(), uint64(rec.Time.UnixMilli()), string(rec.Value), rec.Key != nil})
	}
	r.ok(s.Close())
	return by
}

// left is what the log still has of messages.
func (r *rig) left(by map[streamer.StreamShard][]msg) map[streamer.StreamShard][]msg {
	r.Helper()
	out := map[streamer.StreamShard][]msg{}
	for _, m := range r.all("*") {
		at := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
		out[at] = append(out[at], by[at][m.Seq.Uint()-1])
	}
	return out
}

// TestDroppedUnderAReader: who reads the segment reads it to its end; who comes
// too late continues at the oldest that is left and is notified.
func TestDroppedUnderAReader(t *testing.T) {
	r := newSegmented(t)
	var long []string
	for i := range 2000 {
		long = append(long, fmt.Sprint(i, strings.Repeat(" ", 500)))
	}
	r.trickle("a", long...)
	s := r.connect()
	o := earliest()
	o.MaxInFlight, o.Prefetch = 10, 10
	c := r.consumer(s, o, "a")
	first := r.next(c)
	segments := r.segments()
	for _, path := range segments[:len(segments)-2] {
		r.ok(os.Remove(path))
	}
	want := first.Seq.Uint() + 1
	gaps := 0
	for want <= 2000 {
		m := r.next(c)
		if m.Seq.Uint() != want {
			if gaps++; gaps > 1 || m.Seq.Uint() < want {
				t.Fatalf("number %v, want %d", m.Seq, want)
			}
			if len(r.gone) != 1 || r.gone[0].Wanted != streamer.SeqUint(want) || r.gone[0].Got != m.Seq {
				t.Errorf("%d was wanted, %v came, and what is told: %+v", want, m.Seq, r.gone)
			}
		}
		want = m.Seq.Uint() + 1
	}
	if gaps != 1 {
		t.Errorf("%d gaps", gaps)
	}
	if len(r.skipped) > 0 {
		t.Errorf("skips: %v", r.skipped)
	}
}

// TestADirectoryThatIsBeingRemovedStaysEmpty: a consumer that makes logs waits
// for a new one instead of making it between the files that something is
// removing.
func TestADirectoryThatIsBeingRemovedStaysEmpty(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.Create = streamer.CreateAlways })
	r.trickle("a", numbers(0, 300)...)
	c := r.consumer(r.connect(), earliest(), "a")
	r.expect(c, numbers(0, 300)...)
	for _, path := range r.segments() {
		r.ok(os.Remove(path))
	}
	ctx, cancel := context.WithTimeout(r.ctx, 50*time.Millisecond)
	defer cancel()
	_, err := c.Next(ctx)
	r.is(err, context.DeadlineExceeded)
	if left := r.segments(); len(left) > 0 {
		t.Fatalf("the consumer has made %v", left)
	}
	r.ok(os.RemoveAll(r.cfg.Path))
	r.trickle("a", "new")
	r.expect(c, "new")
}

// TestFollowersCrossSegments: consumers that wait at the end, alone and in a
// group, get everything of a log that rotates and drops under them, and a
// writer that is restarted.
func TestFollowersCrossSegments(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.Create = streamer.CreateAlways })
	s := r.connect()
	alone, group := r.consumer(s, earliest(), "a"), r.consumer(s, resumable("g"), "a")
	for turn := range 6 {
		r.trickle("a", numbers(turn*300, turn*300+300)...)
		r.expect(alone, numbers(turn*300, turn*300+300)...)
		for i := range 300 {
			m := r.next(group)
			if m.Seq != streamer.SeqUint(uint64(turn*300+i+1)) {
				t.Fatalf("the group gets %v, want %d", m.Seq, turn*300+i+1)
			}
			m.Ack()
		}
		r.ok(group.Commit(r.ctx))
		if turn%2 == 1 {
			r.ok(os.Remove(r.segments()[0]))
		}
	}
	r.ok(s.Close())
	r.produce("a", "more")
	r.expect(r.consumer(r.connect(), resumable("g"), "a"), "more")
}

// TestACommittedPositionThatWasDropped continues at the oldest message left and
// is notified, or refuses.
func TestACommittedPositionThatWasDropped(t *testing.T) {
	r := newSegmented(t)
	r.trickle("a", numbers(0, 2000)...)
	s := r.connect()
	c := r.consumer(s, resumable("g"), "a")
	for range 10 {
		r.next(c).Ack()
	}
	r.ok(s.Close())
	segments := r.segments()
	for _, path := range segments[:4] {
		r.ok(os.Remove(path))
	}
	strict := resumable("g")
	strict.AutoReset, strict.Streams = streamer.ResetError, []string{"a"}
	_, err := r.connect().Consumer(r.ctx, strict)
	r.is(err, streamer.ErrPositionGone)
	oldest := r.all("a")[0].Seq
	m := r.next(r.consumer(r.connect(), resumable("g"), "a"))
	if m.Seq != oldest || len(r.gone) != 1 || r.gone[0].Wanted != streamer.SeqUint(11) || r.gone[0].Got != oldest {
		t.Errorf("it goes on with %v, the oldest is %v; told: %+v", m.Seq, oldest, r.gone)
	}
}

// TestSegmentsByAge: also a small segment has a successor when it is old, an
// empty one has not.
func TestSegmentsByAge(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.SegmentAge = time.Millisecond; c.Segment = 1 << 20 })
	p := r.producer(r.connect(), "a")
	r.await("three segments", func() bool {
		r.send(p, records("x")...)
		return len(r.segments()) >= 3
	})
	n := len(r.segments())
	r.ok(p.Close())
	p = r.producer(r.connect(), "a")
	r.ok(p.Close())
	if len(r.segments()) > n+1 {
		t.Errorf("%d segments, %d before nothing was sent", len(r.segments()), n)
	}
	r.soundSegments("by age")
}

// TestRotationThatFails: on a full disk the records of the next segment are
// refused, nothing is left of it, and it is made when there is room.
func TestRotationThatFails(t *testing.T) {
	failEachStep(t, &failingDisk{err: syscall.ENOSPC, times: 3}, 40, func(d *failingDisk) (*rig, func(string)) {
		r := newSegmented(t)
		lift := r.install(d)
		all, _ := r.attemptsOf(4, 900)
		lift()
		return r, func(what string) {
			r.produce("a", "afterwards")
			r.promises(what, all, false)
			r.soundSegments(what)
		}
	})
}

// TestLeftoversOfARotation: whatever a crash leaves of a segment that was being
// made, the log continues.
func TestLeftoversOfARotation(t *testing.T) {
	r := newSegmented(t)
	r.trickle("a", numbers(0, 500)...)
	all, err := logfile.ListSegments(r.cfg.Path)
	r.ok(err)
	unfinished := []string{logfile.SegmentName(all[len(all)-1].Base+4<<10) + logfile.NewSuffix, logfile.SegmentName(0) + ".ABC" + logfile.NewSuffix}
	for _, name := range unfinished {
		r.ok(os.WriteFile(filepath.Join(r.cfg.Path, name), bytes.Repeat([]byte("Ss"), 40), 0o644))
	}
	r.same("messages", values(r.all("a")), numbers(0, 500))
	if m := r.produce("a", "500")[0]; m.Seq != streamer.SeqUint(501) {
		t.Errorf("it goes on with %v", m.Seq)
	}
	for _, name := range unfinished {
		if _, err := os.Stat(filepath.Join(r.cfg.Path, name)); !errors.Is(err, os.ErrNotExist) {
			t.Error(name, "is still there")
		}
	}
}

func TestOneWriterForADirectory(t *testing.T) {
	r := newSegmented(t)
	lf, err := logfile.OpenSegments(r.cfg.Path, streamer.CreateAuto, 1<<10, nil)
	r.ok(err)
	_, err = r.connect().Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})
	r.is(err, streamer.ErrBusy)
	r.ok(lf.Close())
	r.produce("a", "1")
	r.same("messages", values(r.all("a")), numbers(1, 2))
}

func TestURIOfADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	connect := func(uri string) (streamer.Streamer, error) { return streamer.Connect(t.Context(), uri) }
	if _, err := connect("file://" + dir + "/orders"); !errors.Is(err, streamer.ErrInvalid) || !strings.Contains(err.Error(), "segment=") {
		t.Errorf("without segments: %v", err)
	}
	s, err := connect("file://" + dir + "/orders?segment=1MiB&segment_age=1h&retain_bytes=1GiB&retain_age=720h&retain=committed")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Producer(t.Context(), streamer.ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Send(t.Context(), streamer.Record{Value: []byte("1")}).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, uri := range []string{"file://" + dir + "/orders?start=beginning", "file://" + dir + "/*?start=beginning&retain_bytes=1MiB"} {
		s, err := connect(uri) // now it exists as one
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Consumer(t.Context(), streamer.ConsumerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := c.Next(t.Context()); err != nil || m.Stream != "orders" || string(m.Value) != "1" {
			t.Errorf("%s: %+v, %v", uri, m, err)
		}
		s.Close()
	}
	for uri, kind := range map[string]error{
		"file:///tmp/none.ss/a?retain_bytes=1MiB": streamer.ErrInvalid,
		"file:///tmp/none.ss/a?retain=all":        streamer.ErrInvalid,
		"file:///tmp/none.ss/a?segment=0":         streamer.ErrInvalid,
		"file:///tmp/none.ss/a?retain_age=0s":     streamer.ErrInvalid,
	} {
		if _, err := connect(uri); !errors.Is(err, kind) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
