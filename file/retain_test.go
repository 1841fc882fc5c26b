package file

import (
	"os"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// TestRetention drops whole segments, oldest first, for each reason, and never
// the one that is written.
func TestRetention(t *testing.T) {
	t.Run("bytes", retainBytes)
	t.Run("age", retainAge)
	t.Run("committed", retainCommitted)
	t.Run("not the one that is written", func(t *testing.T) {
		r := newSegmented(t, func(c *Config) { c.RetainBytes = 1; c.Segment = 1 << 20 })
		r.trickle("a", numbers(0, 100)...)
		r.same("messages", values(r.all("a")), numbers(0, 100))
	})
}

func retainBytes(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.RetainBytes = 20 << 10 })
	r.trickle("a", numbers(0, 3000)...)
	total := int64(0)
	all, err := logfile.ListSegments(r.cfg.Path)
	r.ok(err)
	for _, g := range all {
		total += g.Size
	}
	if total > 30<<10 || total < 12<<10 {
		t.Errorf("%d bytes are left", total)
	}
	got := values(r.all("a"))
	r.same("messages", got, numbers(3000-len(got), 3000))
	info, err := r.connect().Admin().Describe(r.ctx, "a")
	r.ok(err)
	if sh := info.Shards[0]; sh.First != streamer.SeqUint(uint64(3001-len(got))) || sh.Next != streamer.SeqUint(3001) {
		t.Errorf("%+v", sh)
	}
}

func retainAge(t *testing.T) {
	r := newSegmented(t)
	r.trickle("a", numbers(0, 1000)...)
	segments := r.segments()
	long := time.Now().Add(-time.Hour)
	for _, path := range segments[:3] {
		r.ok(os.Chtimes(path, long, long))
	}
	s := r.connect(func(c *Config) { c.RetainAge = time.Minute })
	r.send(r.producer(s, "a"), records("more")...)
	r.same("segments", r.segments(), segments[3:])
}

func retainCommitted(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.RetainCommitted = true })
	r.trickle("a", numbers(0, 1000)...)
	segments := r.segments()
	s := r.connect()
	p := r.producer(s, "a")
	r.send(p, records("1000")...)
	r.same("segments, without a group", r.segments(), segments)
	fast, slow := r.consumer(s, resumable("fast"), "a"), r.consumer(s, resumable("slow"), "a")
	for range 1001 {
		r.next(fast).Ack()
	}
	r.ok(fast.Commit(r.ctx))
	for range 500 {
		r.next(slow).Ack()
	}
	r.ok(slow.Commit(r.ctx))
	r.await("segments to be dropped", func() bool {
		r.send(p, records("more")...)
		return len(r.segments()) < len(segments)
	})
	for i := 500; i < 1001; i++ {
		if m := r.next(slow); m.Seq != streamer.SeqUint(uint64(i+1)) {
			t.Fatalf("the slow group gets %v, want %d", m.Seq, i+1)
		}
	}
}
