package file

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// msg is a message of a log that was made up.
type msg struct {
	at       streamer.StreamShard
	seq, ms  uint64
	value    string
	envelope bool
}

// madeUp is a log of several streams and shards, some of them rare, written in
// several sessions that know nothing of one another, or by one writer.
func madeUp(seed uint64, interval uint32, sessions bool) ([]byte, []msg) {
	rnd := rand.New(rand.NewPCG(seed, 9))
	f := newForeign(interval)
	f.b = f.e.Start(f.b)
	var all []msg
	ms := uint64(1700000000000)
	for i := range 400 {
		if sessions && rnd.IntN(60) == 0 {
			f.session()
		}
		stream, shard := "busy", uint64(rnd.IntN(2))
		switch rnd.IntN(60) {
		case 0:
			stream = "rare"
		case 1, 2, 3:
			stream = "other"
		}
		ms += uint64(rnd.IntN(5))
		m := msg{at: streamer.StreamShard{Stream: stream, Shard: streamer.ShardID(shard)}, ms: ms, value: fmt.Sprint(i, " ", string(make([]byte, rnd.IntN(40))))}
		if rnd.IntN(20) == 0 {
			m.ms -= uint64(rnd.IntN(30)) // clocks differ
		}
		if m.envelope = rnd.IntN(3) == 0; m.envelope {
			rec := streamer.Record{Stream: stream, Key: []byte("k"), Value: []byte{}}
			f.b = f.e.Append(f.b, ss.Internal, shard, f.seq[fmt.Sprint(stream, "/", shard)]+1, m.ms, logfile.AppendEnvelope(nil, &rec))
		}
		f.sendAt(stream, shard, m.ms, m.value)
		m.seq = f.seq[fmt.Sprint(stream, "/", shard)]
		all = append(all, m)
	}
	return f.b, all
}

// first is where a position is in a shard's messages, by definition.
func first(of []msg, p streamer.Position) int {
	for i, m := range of {
		switch p.Kind() {
		case streamer.AtBeginning:
			return i
		case streamer.AtSeq:
			if m.seq >= p.Seq().Uint() {
				return i
			}
		case streamer.AfterSeq:
			if m.seq > p.Seq().Uint() {
				return i
			}
		case streamer.AtOrAfterTime:
			if int64(m.ms) >= p.Time().UnixMilli() {
				return i
			}
		}
	}
	return len(of)
}

// TestEveryPosition: At, After, AtTime and the ends, in every shard of logs
// with interleaved streams, with and without a group, against a search that
// looks at every message (defect 4: SeaStreamer's seek looks at messages of any
// stream).
func TestEveryPosition(t *testing.T) {
	for seed, c := range []struct {
		interval uint32
		sessions bool
	}{{128, true}, {640, true}, {1024, false}, {2048, true}, {4096, false}, {1 << 20, true}} {
		t.Run(fmt.Sprint(c.interval, c.sessions), func(t *testing.T) {
			b, all := madeUp(uint64(seed), c.interval, c.sessions)
			r := newRig(t)
			r.write(b)
			by := map[streamer.StreamShard][]msg{}
			for _, m := range all {
				by[m.at] = append(by[m.at], m)
			}
			rnd := rand.New(rand.NewPCG(uint64(seed), 1))
			for at, of := range by {
				positions := []streamer.Position{streamer.Beginning(), streamer.End(), streamer.At(streamer.SeqUint(1 << 60)), streamer.After(streamer.SeqUint(1<<64 - 1)),
					streamer.AtTime(time.Time{}.AddDate(1900, 0, 0)), streamer.AtTime(time.Unix(1<<33, 0))}
				for range 5 {
					m := of[rnd.IntN(len(of))]
					positions = append(positions, streamer.At(streamer.SeqUint(m.seq)), streamer.After(streamer.SeqUint(m.seq)),
						streamer.AtTime(time.UnixMilli(int64(m.ms))), streamer.AtTime(time.UnixMilli(int64(m.ms)+1)))
				}
				for i, p := range positions {
					want := of[first(of, p):]
					what := fmt.Sprintf("%v in %s/%d", p, at.Stream, at.Shard)
					checkPosition(t, r, what, at, p, "", want)
					if i%2 == 0 {
						checkPosition(t, r, what+", in a group", at, p, fmt.Sprint("g", at, i), want)
					}
				}
			}
		})
	}
}

// checkPosition opens a source on one shard and reads the log to its end. In a
// group it is opened once more, where it was committed.
func checkPosition(t *testing.T, r *rig, what string, at streamer.StreamShard, p streamer.Position, group string, want []msg) {
	t.Helper()
	c := sourceConfig(at.Stream)
	c.Start, c.Shards = p, map[string][]streamer.ShardID{at.Stream: {at.Shard}}
	if group != "" {
		c.Mode, c.Group = streamer.Resumable, group
		openAndClose(t, r, c)
		c.Start = streamer.Position{}
	}
	got := readAll(t.Context(), t, r, c)
	if len(got) != len(want) {
		t.Fatalf("%s: %d messages, want %d", what, len(got), len(want))
	}
	for i, m := range got {
		w := want[i]
		if m.Seq.Uint() != w.seq || string(m.Value) != w.value || (m.Key != nil) != w.envelope || m.Shard != w.at.Shard || m.Stream != w.at.Stream {
			t.Fatalf("%s: message %d is %s/%d/%v %q key %q, want %+v", what, i, m.Stream, m.Shard, m.Seq, m.Value, m.Key, w)
		}
	}
}

// readAll opens a source that does not follow and reads all it gives.
func readAll(ctx context.Context, t *testing.T, r *rig, c driver.SourceConfig) (all []streamer.Message) {
	t.Helper()
	cfg := r.cfg
	cfg.NoFollow = true
	b, err := newBackend(cfg)
	r.ok(err)
	defer b.Close(r.ctx)
	src, err := b.OpenSource(r.ctx, c)
	r.ok(err)
	defer func() { r.ok(src.Close(r.ctx)) }()
	for {
		if err := src.Fetch(ctx, func(ms []streamer.Message) { all = append(all, ms...) }); err != nil {
			return all
		}
	}
}

// openAndClose leaves a group where a source was opened.
func openAndClose(t *testing.T, r *rig, c driver.SourceConfig) {
	t.Helper()
	b, err := newBackend(r.cfg)
	r.ok(err)
	defer b.Close(r.ctx)
	src, err := b.OpenSource(r.ctx, c)
	r.ok(err)
	r.ok(src.Close(r.ctx))
}

// TestPositionsOverSeveralShards: Each gives every shard its own, AtTime all of
// them the same.
func TestPositionsOverSeveralShards(t *testing.T) {
	for seed := range uint64(6) {
		b, all := madeUp(seed, 1024, seed%2 == 0)
		r := newRig(t)
		r.write(b)
		when := streamer.AtTime(time.UnixMilli(int64(all[200].ms)))
		each := map[streamer.StreamShard]streamer.Position{}
		by := map[streamer.StreamShard][]msg{}
		for i, m := range all {
			by[m.at] = append(by[m.at], m)
			if i%7 == 0 {
				each[m.at] = streamer.At(streamer.SeqUint(m.seq))
			}
		}
		for what, start := range map[string]streamer.Position{"Each": streamer.Each(each), "AtTime": when} {
			for _, streams := range [][]string{{wildcard}, {"busy", "other", "rare"}, {"rare"}, {"other", "busy"}} {
				c := sourceConfig("")
				c.Streams, c.Start = streams, start
				got := map[streamer.StreamShard][]streamer.Message{}
				for _, m := range readAll(t.Context(), t, r, c) {
					at := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
					got[at] = append(got[at], m)
				}
				for at, of := range by {
					p, ok := start.Of(at)
					want := of[first(of, p):]
					if !ok || streams[0] != wildcard && !contains(streams, at.Stream) {
						want = nil
					}
					if len(got[at]) != len(want) {
						t.Fatalf("seed %d, %s of %v: %d messages of %v, want %d", seed, what, streams, len(got[at]), at, len(want))
					}
					for i := range want {
						if got[at][i].Seq.Uint() != want[i].seq {
							t.Fatalf("seed %d, %s of %v: message %d of %v is %v, want %d", seed, what, streams, i, at, got[at][i].Seq, want[i].seq)
						}
					}
				}
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// TestSeek is SeaStreamer's: read everything, go back to several places, read
// on from there exactly.
func TestSeek(t *testing.T) {
	r := newRig(t)
	metas := r.produce("a", numbers(0, 100)...)
	for _, mode := range []streamer.ConsumerOptions{earliest(), resumable("g")} {
		c := r.consumer(r.connect(), mode, "a")
		r.expect(c, numbers(0, 100)...)
		for _, n := range []int{0, 25, 50, 75, 99} {
			r.ok(c.Rewind(r.ctx, streamer.At(metas[n].Seq)))
			r.expect(c, numbers(n, 100)...)
		}
		r.ok(c.Rewind(r.ctx, streamer.Beginning()))
		r.expect(c, numbers(0, 100)...)
		r.ok(c.Rewind(r.ctx, streamer.End()))
		r.produce("b", "x")
		ctx, cancel := context.WithTimeout(r.ctx, 20*time.Millisecond)
		if m, err := c.Next(ctx); err == nil {
			t.Errorf("behind the end there is %q", m.Value)
		}
		cancel()
	}
}

// TestBeaconsLeadToTheSegment: a shard is found without reading the log from
// its beginning (SeaStreamer picks beacons at random).
func TestBeaconsLeadToTheSegment(t *testing.T) {
	const interval, n = 1024, 4000
	f := newForeign(interval)
	for i := range n {
		f.sendAt("a", 0, 1700000000000+uint64(i), "message")
		f.sendAt("b", 0, 1700000000000+uint64(i), "message")
	}
	src := &counting{b: f.b}
	v := &logfile.View{Src: src, Interval: interval, Size: int64(len(f.b))}
	for seq := uint64(1); seq <= n; seq += 97 {
		src.reads = 0
		beacon, _, err := v.SeqBefore("a", 0, func(s uint64) bool { return s < seq })
		if err != nil {
			t.Fatal(err)
		}
		if src.reads > 60 {
			t.Errorf("%d reads to find message %d among %d beacons", src.reads, seq, v.Beacons())
		}
		b, _, err := v.Beacon(beacon + 1)
		if beacon < v.Beacons() && err == nil {
			if i, ok := logfile.Find(b, "a", 0); ok && i.Seq < seq {
				t.Errorf("message %d: beacon %d is not the last before it", seq, beacon)
			}
		}
	}
}

type counting struct {
	b           bytesAt
	reads, read int // calls, and bytes
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	n, err := c.b.ReadAt(p, off)
	c.read += n
	return n, err
}

// TestTheEndBehindALargeMessageTakesOneReading: not one for each of the beacons
// that it spans.
func TestTheEndBehindALargeMessageTakesOneReading(t *testing.T) {
	f := newForeign(1024)
	f.send("a", "small")
	small := len(f.b)
	f.send("a", strings.Repeat("large", 1<<18))
	whole := len(f.b)
	for what, c := range map[string]struct{ size, end int }{
		"whole":      {whole, whole},
		"torn":       {whole - 1, small},
		"half there": {whole / 2, small},
	} {
		src := &counting{b: f.b[:c.size]}
		v := &logfile.View{Src: src, Interval: 1024, Size: int64(c.size)}
		e, err := v.Ending(t.Context())
		if err != nil || e.End != int64(c.end) {
			t.Errorf("%s: the end is %d, %v, want %d", what, e.End, err, c.end)
		}
		if src.read > 2*c.size {
			t.Errorf("%s: %d bytes were read of %d", what, src.read, c.size)
		}
	}
}

// TestSurveyor is SeaStreamer's: which beacon is before message 3 of ten
// beacons, beacon n naming message n, when only some name the shard.
func TestSurveyor(t *testing.T) {
	for _, c := range []struct {
		named []int64
		want  int64
	}{
		{nil, 0}, {[]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 2}, {[]int64{1, 2, 3, 5, 6, 7, 8, 9, 10}, 2}, {[]int64{1, 2, 5, 6}, 2},
		{[]int64{1, 8, 9}, 1}, {[]int64{8, 9}, 0}, {[]int64{3}, 0}, {[]int64{8}, 0}, {[]int64{2}, 2},
	} {
		const interval = 1024
		b := make(bytesAt, 11*interval)
		for _, n := range c.named {
			e := ss.NewEncoder(interval, n*interval)
			e.See(&ss.Frame{Key: []byte("a"), Seq: uint64(n)})
			copy(b[n*interval:], e.Start(nil))
		}
		v := &logfile.View{Src: b, Interval: interval, Size: int64(len(b))}
		if got, _, err := v.SeqBefore("a", 0, func(s uint64) bool { return s < 3 }); err != nil || got != c.want {
			t.Errorf("named by %v: beacon %d, %v; want %d", c.named, got, err, c.want)
		}
	}
}

// TestLagCountsWhatIsOnItsWayUntilItIsEmitted: a message that Fetch has read
// and not handed over is not read yet.
func TestLagCountsWhatIsOnItsWayUntilItIsEmitted(t *testing.T) {
	r := newRig(t, func(c *Config) { c.NoFollow = true })
	r.produce("a", numbers(0, 10)...)
	r.produce("b", numbers(0, 5)...)
	b, err := newBackend(r.cfg)
	r.ok(err)
	defer b.Close(r.ctx)
	c := sourceConfig(wildcard)
	c.MaxBatch = 4
	src, err := b.OpenSource(r.ctx, c)
	r.ok(err)
	defer src.Close(r.ctx)
	lag := func() (n int64) {
		all, err := src.(driver.Lagger).Lag(r.ctx)
		r.ok(err)
		for _, l := range all {
			n += l.Messages
		}
		return n
	}
	for left := int64(15); left > 0; {
		r.ok(src.Fetch(r.ctx, func(slab []streamer.Message) {
			if n := lag(); n != left {
				t.Errorf("before %d messages are emitted: %d, want %d", len(slab), n, left)
			}
			left -= int64(len(slab))
		}))
		if n := lag(); n != left {
			t.Errorf("after: %d, want %d", n, left)
		}
	}
}
