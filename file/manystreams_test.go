package file

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// crowd stores one message in each of n streams, or of n shards of one: more
// than beacons have room to name.
func (r *rig) crowd(n int, of func(i int) streamer.Record) {
	r.Helper()
	s := r.connect()
	p, err := s.Producer(r.ctx, streamer.ProducerOptions{})
	r.ok(err)
	for i := range n {
		rec := of(i)
		rec.Value = fmt.Append(nil, i)
		p.Send(r.ctx, rec)
	}
	r.ok(p.Close())
	r.ok(s.Close())
}

func inStreams(i int) streamer.Record { return streamer.Record{Stream: fmt.Sprintf("s%05d", i)} }

func inShards(i int) streamer.Record {
	at := streamer.ShardID(i)
	return streamer.Record{Stream: "s", Shard: &at}
}

// drain takes messages up to io.EOF, acknowledges them, and says how many
// different ones there were.
func (r *rig) drain(c streamer.Consumer) int {
	r.Helper()
	seen := map[string]bool{}
	for {
		m, err := c.Next(r.ctx)
		if err == io.EOF {
			return len(seen)
		}
		r.ok(err)
		seen[string(m.Value)] = true
		m.Ack()
	}
}

// crowdSize is many more than the beacons of crowds have room for.
const crowdSize = 300

// crowds are logs with more streams, or shards, than their beacons name.
func crowds(t *testing.T, f func(r *rig, streams string)) {
	for form, rig := range map[string]func(*testing.T, ...func(*Config)) *rig{"file": newRig, "directory": newSegmented} {
		for what, of := range map[string]func(int) streamer.Record{wildcard: inStreams, "s": inShards} {
			t.Run(fmt.Sprintf("%s, %q", form, what), func(t *testing.T) {
				r := rig(t)
				r.crowd(crowdSize, of)
				f(r, what)
			})
		}
	}
}

// TestFiniteInputEndsWhenTheWholeLogWasRead: io.EOF comes behind the messages
// of shards that only reading finds, in every mode.
func TestFiniteInputEndsWhenTheWholeLogWasRead(t *testing.T) {
	crowds(t, func(r *rig, streams string) {
		r.cfg.NoFollow = true
		for i, o := range []streamer.ConsumerOptions{earliest(), resumable("r"), balanced("b")} {
			if got := r.drain(r.consumer(r.connect(), o, streams)); got != crowdSize {
				r.Errorf("mode %d: %d messages of %d", i, got, crowdSize)
			}
		}
	})
}

// behind is how many messages are left in all shards.
func (r *rig) behind(c streamer.Consumer) (n int64) {
	r.Helper()
	lag, err := c.Lag(r.ctx)
	r.ok(err)
	for _, l := range lag {
		n += l.Messages
	}
	return n
}

// TestLagCountsShardsThatReadingHasNotComeTo in every mode: their messages are
// not done.
func TestLagCountsShardsThatReadingHasNotComeTo(t *testing.T) {
	crowds(t, func(r *rig, streams string) {
		for i, o := range []streamer.ConsumerOptions{earliest(), resumable("r"), balanced("b")} {
			c := r.consumer(r.connect(), o, streams)
			r.await("the lag", func() bool { return r.behind(c) == crowdSize }) // what is being fetched may count twice
			all := c.Assignment()
			if len(all) != crowdSize || !slices.IsSortedFunc(all, streamer.StreamShard.Compare) {
				r.Errorf("mode %d: %d shards assigned, want %d", i, len(all), crowdSize)
			}
		}
	})
}

// TestAskingAboutEveryStreamReadsTheLogOnce: what Admin has read it does not
// read again for the next stream, and Lag continues where it was.
func TestAskingAboutEveryStreamReadsTheLogOnce(t *testing.T) {
	const n, each = crowdSize, 16 << 10 // of a call: the header, the end of what is known, the last beacons
	crowds(t, func(r *rig, streams string) {
		read := new(atomic.Int64)
		r.log().under = func(h logfile.Handle) logfile.Handle { return countedBytes{h, read} }
		s := r.connect()
		size := r.size()
		names, err := s.Admin().Streams(r.ctx, "")
		r.ok(err)
		for i := range n {
			_, err := s.Admin().Describe(r.ctx, names[i%len(names)])
			r.ok(err)
		}
		if got, most := read.Load(), 2*size+n*each; got > most {
			r.Errorf("describing read %d bytes of a log of %d, want at most %d", got, size, most)
		}
		c := r.consumer(s, resumable("g"), streams)
		read.Store(0)
		for range n {
			r.behind(c)
		}
		if got, most := read.Load(), 2*size+n*each; got > most {
			r.Errorf("lag read %d bytes of a log of %d, want at most %d", got, size, most)
		}
	})
}

// size is how many bytes the log has.
func (r *rig) size() int64 {
	r.Helper()
	v, err := logfile.OpenView(r.cfg.Path)
	r.ok(err)
	defer v.Close()
	return v.Size
}

// countedBytes counts what is read.
type countedBytes struct {
	logfile.Handle
	n *atomic.Int64
}

func (c countedBytes) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Handle.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}

// TestAdminSeesWhatBecameOfALog: it grew, was rewritten, cut off, or lost
// segments since Admin read it.
func TestAdminSeesWhatBecameOfALog(t *testing.T) {
	for form, rig := range map[string]func(*testing.T, ...func(*Config)) *rig{"file": newRig, "directory": newSegmented} {
		t.Run(form, func(t *testing.T) {
			r := rig(t)
			r.produce("a", numbers(0, 500)...)
			s := r.connect()
			shard := func(stream string) streamer.ShardInfo {
				info, err := s.Admin().Describe(r.ctx, stream)
				r.ok(err)
				return info.Shards[0]
			}
			is := func(what string, got streamer.ShardInfo, first, next uint64) {
				t.Helper()
				if got.First != streamer.SeqUint(first) || got.Next != streamer.SeqUint(next) {
					t.Errorf("%s: %v to %v, want %d to %d", what, got.First, got.Next, first, next)
				}
			}
			is("at first", shard("a"), 1, 501)
			r.produce("a", "500")
			r.produce("b", "0")
			is("grown", shard("a"), 1, 502)
			is("grown", shard("b"), 1, 2)
			if form == "directory" {
				r.ok(os.Remove(r.segments()[0]))
				if got := shard("a"); got.First.Compare(streamer.SeqUint(1)) <= 0 || got.Next != streamer.SeqUint(502) {
					t.Errorf("without the first segment: %v to %v", got.First, got.Next)
				}
			}
			r.removeLog()
			r.produce("a", numbers(0, 3)...)
			is("made anew", shard("a"), 1, 4)
			_, err := s.Admin().Describe(r.ctx, "b")
			r.is(err, streamer.ErrNotFound)
			if form == "file" {
				b := r.read()
				r.produce("a", "more")
				is("grown again", shard("a"), 1, 5)
				r.write(b)
				is("cut off", shard("a"), 1, 4)
			}
			r.removeLog()
			_, err = s.Admin().Describe(r.ctx, "a")
			r.is(err, streamer.ErrNotFound)
		})
	}
}

// TestStreamsThatSeaStreamerForgets: its beacons do not name what an earlier
// session wrote; who reads the log, or asks how much is left, finds it all the
// same.
func TestStreamsThatSeaStreamerForgets(t *testing.T) {
	for i, o := range []streamer.ConsumerOptions{earliest(), resumable("r"), balanced("b")} {
		t.Run(fmt.Sprint("mode ", i), func(t *testing.T) {
			r := newRig(t)
			f := newForeign(4 << 10)
			for n := range 200 {
				f.send(fmt.Sprint("s", n), fmt.Sprint("x", n))
				if n == 100 {
					f.session()
				}
			}
			f.session()
			f.send("last", numbers(0, 100)...)
			r.write(f.b)
			s := r.connect()
			c := r.consumer(s, o, wildcard)
			r.await("a lag of 300", func() bool { return r.behind(c) == 300 })
			if n := len(c.Assignment()); n != 201 {
				t.Errorf("%d shards assigned, want 201", n)
			}
			r.ok(s.Close())
			r.cfg.NoFollow, o.Group = true, "other"
			if i == 0 {
				o.Group = ""
			}
			if n := r.drain(r.consumer(r.connect(), o, wildcard)); n != 300 {
				t.Errorf("%d messages of 300 before io.EOF", n)
			}
		})
	}
}

// TestLagOfAGroupThatStartsAtTheEnd counts what came since, though no beacon
// names the shard.
func TestLagOfAGroupThatStartsAtTheEnd(t *testing.T) {
	crowds(t, func(r *rig, streams string) {
		for i, o := range []streamer.ConsumerOptions{{}, resumable("r"), balanced("b")} {
			o.AutoReset = streamer.Latest
			c := r.consumer(r.connect(), o, streams)
			if n := r.behind(c); n != 0 {
				r.Errorf("mode %d: behind by %d at the start", i, n)
			}
			of := inStreams
			if streams == "s" {
				of = inShards
			}
			r.crowd(50, of)
			r.await("a lag of 50", func() bool { return r.behind(c) == 50 })
			r.ok(c.Close())
		}
	})
}
