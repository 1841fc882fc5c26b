package file

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

// spread stores n values in turn over two shards of a stream, and makes
// segments of them.
func (r *rig) spread(stream string, n int) {
	r.Helper()
	s := r.connect(func(c *Config) { c.Shards = 2 })
	p := r.producer(s, stream)
	for i := range n {
		r.send(p, streamer.Record{Value: fmt.Append(nil, i), Shard: new(streamer.ShardID(i % 2))})
	}
	r.ok(s.Close())
}

// finish has a group acknowledge and commit what it has in one shard, or in
// all, up to the present end of the log.
func (r *rig) finish(o streamer.ConsumerOptions, stream string) (seqs []uint64) {
	r.Helper()
	s := r.connect(func(c *Config) { c.NoFollow = true })
	c := r.consumer(s, o, stream)
	for {
		m, err := c.Next(r.ctx)
		if err != nil {
			break
		}
		seqs = append(seqs, m.Seq.Uint())
		m.Ack()
	}
	r.ok(c.Commit(r.ctx))
	r.ok(s.Close())
	return seqs
}

// tidy opens a producer that drops what every group has done, and returns how
// many segments there are then.
func (r *rig) tidy(stream string) int {
	r.Helper()
	s := r.connect(func(c *Config) { c.RetainCommitted = true })
	r.send(r.producer(s, stream), streamer.Record{Value: []byte("more"), Shard: new(streamer.ShardID(0))})
	r.ok(s.Close())
	return len(r.segments())
}

func member(group string, shards ...streamer.ShardID) streamer.ConsumerOptions {
	o := resumable(group)
	o.Shards = shards
	return o
}

// ascending fails unless the numbers are from first on without a gap, n of
// them.
func (r *rig) ascending(what string, seqs []uint64, first uint64, n int) {
	r.Helper()
	for i, seq := range seqs {
		if seq != first+uint64(i) {
			r.Fatalf("%s: message %d is number %d, want %d", what, i+1, seq, first+uint64(i))
		}
	}
	if len(seqs) != n {
		r.Fatalf("%s: %d messages, want %d", what, len(seqs), n)
	}
}

// TestRetainCommittedKeepsWhatNoMemberOfAGroupHasRead: a group with one program
// for each shard, of which only one has run. Its other shard is not done.
func TestRetainCommittedKeepsWhatNoMemberOfAGroupHasRead(t *testing.T) {
	r := newSegmented(t)
	r.spread("a", 800)
	before := len(r.segments())
	r.ascending("shard 0", r.finish(member("g", 0), "a"), 1, 400)
	if n := r.tidy("a"); n < before {
		t.Fatalf("%d of %d segments are left, and shard 1 is unread", n, before)
	}
	r.ascending("shard 1", r.finish(member("g", 1), "a"), 1, 400)
	r.finish(member("g", 0), "a")
	if n := r.tidy("a"); n >= before {
		t.Fatalf("all is done, and %d segments are left", n)
	}
}

// TestRetainCommittedAsksEveryGroup for what it has done.
func TestRetainCommittedAsksEveryGroup(t *testing.T) {
	r := newSegmented(t)
	r.spread("a", 800)
	before := len(r.segments())
	r.finish(resumable("whole"), "a")
	r.finish(member("halves", 1), "a")
	if n := r.tidy("a"); n < before {
		t.Fatalf("%d of %d segments are left, and a group has not read shard 0", n, before)
	}
	r.ascending("shard 0", r.finish(member("halves", 0), "a")[:400], 1, 400)
}

// TestRetainCommittedDropsWhatAnUnreadShardHasNothingIn: its first message
// bounds what is kept.
func TestRetainCommittedDropsWhatAnUnreadShardHasNothingIn(t *testing.T) {
	r := newSegmented(t)
	r.trickle("a", numbers(0, 800)...)
	without := r.segments()
	r.spread("a", 800)
	r.finish(member("g", 0), "a")
	r.tidy("a")
	left := r.segments()
	if left[0] < without[len(without)-2] {
		t.Errorf("%d segments are left, %s is the first; shard 1 has nothing before %s", len(left), filepath.Base(left[0]), filepath.Base(without[len(without)-1]))
	}
	r.ascending("shard 1", r.finish(member("g", 1), "a"), 1, 400)
}

// TestRetainCommittedKeepsANewShard that appears while no member of the group
// runs, of the group's stream or, with "*", of any.
func TestRetainCommittedKeepsANewShard(t *testing.T) {
	for _, streams := range []string{"a", "*"} {
		for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
			t.Run(fmt.Sprint(streams, mode), func(t *testing.T) {
				r := newSegmented(t)
				o := resumable("g")
				o.Mode = mode
				r.trickle("a", numbers(0, 400)...)
				r.finish(o, streams)
				stream := strings.ReplaceAll(streams, "*", "new")
				r.spread(stream, 800)
				r.finish(member("g", 0), "a")
				before := len(r.segments())
				r.tidy("a")
				if n := len(r.segments()); n < before-5 || n == before {
					t.Errorf("%d of %d segments are left", n, before)
				}
				if got := r.finish(o, streams); !slices.Contains(got, 1) || len(r.gone) > 0 {
					t.Errorf("the new shard starts with another message than the first: %d came; %v", len(got), r.gone)
				}
			})
		}
	}
}

// TestRetainCommittedForgetsPositionsOfAnotherLog: a directory that was removed
// and recreated has nothing done, whatever positions are left beside it.
func TestRetainCommittedForgetsPositionsOfAnotherLog(t *testing.T) {
	r := newSegmented(t)
	r.spread("a", 800)
	r.finish(resumable("g"), "a")
	r.removeLog()
	r.spread("a", 400)
	before := len(r.segments())
	if n := r.tidy("a"); n < before {
		t.Errorf("%d of %d segments are left, and the group has read none of them", n, before)
	}
}

// TestRetainCommittedIgnoresStreamsThatAGroupDoesNotRead.
func TestRetainCommittedIgnoresStreamsThatAGroupDoesNotRead(t *testing.T) {
	r := newSegmented(t)
	r.spread("other", 400)
	r.spread("a", 400)
	before := len(r.segments())
	r.finish(resumable("g"), "a")
	if n := r.tidy("a"); n > 3 {
		t.Errorf("%d of %d segments are left, and the only group is done", n, before)
	}
}

// TestRetainCommittedWithOtherReasons: a segment is dropped for any reason that
// is set; what the groups have not done is held by none of the others.
func TestRetainCommittedWithOtherReasons(t *testing.T) {
	r := newSegmented(t)
	r.spread("a", 800)
	r.finish(member("g", 0), "a")
	s := r.connect(func(c *Config) { c.RetainCommitted, c.RetainBytes = true, 10<<10 })
	r.send(r.producer(s, "a"), records("more")...)
	r.ok(s.Close())
	if n := len(r.segments()); n > 4 {
		t.Errorf("%d segments are left, of 4 KiB each, and 10 KiB are to be kept", n)
	}
	got := r.finish(member("g", 1), "a")
	if r.ascending("shard 1", got, got[0], len(got)); got[0] == 1 || len(r.gone) > 0 && r.gone[0].Shard != 1 {
		t.Errorf("from %d on, and what is told is %v", got[0], r.gone)
	}
}
