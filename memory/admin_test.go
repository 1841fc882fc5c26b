package memory

import (
	"math"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestAdminTellsTheTruth(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		t.Run(acks.String(), func(t *testing.T) {
			r := newRig(t, Config{Acks: acks, Shards: 2})
			r.create("s", 0)
			r.create("s2", 3)
			r.is(r.Create(t.Context(), "s", 1), streamer.ErrExists)
			r.is(r.Create(t.Context(), "x", -1), streamer.ErrInvalid)
			r.is(r.Create(t.Context(), "x", math.MaxInt), streamer.ErrInvalid)
			r.is(r.Create(t.Context(), "", 1), streamer.ErrInvalid)
			names, err := r.Streams(t.Context(), "s")
			r.ok(err)
			equal(t, names, []string{"s", "s2"})
			names, err = r.Streams(t.Context(), "s2")
			r.ok(err)
			equal(t, names, []string{"s2"})

			r.send("s", 1, 0, 10)
			r.ok(r.log.Trim(at("s", 1), streamer.SeqUint(4)))
			info, err := r.Describe(t.Context(), "s")
			r.ok(err)
			equal(t, info.Shards, []streamer.ShardInfo{
				{ID: 0, First: streamer.SeqUint(0), Next: streamer.SeqUint(0), Open: true},
				{ID: 1, First: streamer.SeqUint(4), Next: streamer.SeqUint(10), Open: true},
			})
			_, err = r.Describe(t.Context(), "none")
			r.is(err, streamer.ErrNotFound)
		})
	}
}

func TestLagCountsWhatIsNotCommitted(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		t.Run(acks.String(), func(t *testing.T) {
			r := newRig(t, Config{Acks: acks})
			r.create("s", 1)
			r.send("s", 0, 0, 10)
			rd := r.member("g", "a", streamer.Resumable)
			lag := func() streamer.ShardLag {
				t.Helper()
				own, err := rd.src.(driver.Lagger).Lag(t.Context())
				r.ok(err)
				groups, err := r.backend.Groups(t.Context(), "s")
				r.ok(err)
				if len(own) != 1 || len(groups) != 1 || groups[0].Members != 1 || groups[0].Lag[0].Messages != own[0].Messages {
					t.Fatalf("source %v, admin %v", own, groups)
				}
				return own[0]
			}
			if l := lag(); l.Messages != 10 || l.Time <= 0 {
				t.Errorf("%+v", l)
			}
			got := rd.read(10)
			for _, m := range got[:7] {
				r.ok(rd.finish(m))
			}
			if l := lag(); l.Messages != 3 || l.Time <= 0 {
				t.Errorf("%+v", l)
			}
			for _, m := range got[7:] {
				r.ok(rd.finish(m))
			}
			if l := lag(); l != (streamer.ShardLag{StreamShard: at("s", 0)}) {
				t.Errorf("%+v", l)
			}
		})
	}
}

func TestRealTimeLagCountsWhatWasNotEmitted(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}, MaxBatch: 4})
	r.send("s", 0, 0, 10)
	rd.read(4)
	lag, err := rd.src.(driver.Lagger).Lag(t.Context())
	r.ok(err)
	if lag[0].Messages != 6 || lag[0].Time <= 0 || lag[0].Time > time.Hour {
		t.Errorf("%+v", lag)
	}
}

func TestRealTimeLagCountsWhatIsOnItsWayUntilItIsEmitted(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 2)
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}, MaxBatch: 4})
	lag := func() (n int64) {
		all, err := rd.src.(driver.Lagger).Lag(t.Context())
		r.ok(err)
		for _, l := range all {
			n += l.Messages
		}
		return n
	}
	r.send("s", 0, 0, 3)
	r.send("s", 1, 0, 3)
	for left := int64(6); left > 0; {
		r.ok(rd.src.Fetch(t.Context(), func(slab []streamer.Message) {
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

func TestAGroupIsResetAndDeletedOnlyWhileIdle(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		t.Run(acks.String(), func(t *testing.T) {
			r := newRig(t, Config{Acks: acks})
			r.create("s", 2)
			r.send("s", 0, 0, 10)
			r.send("s", 1, 10, 10)
			reset := func(to streamer.Position) error { return r.ResetGroup(t.Context(), "s", "g", to) }
			r.is(reset(streamer.End()), streamer.ErrNotFound)
			r.is(r.DeleteGroup(t.Context(), "s", "g"), streamer.ErrNotFound)
			rd := r.member("g", "a", streamer.Resumable)
			rd.read(20)
			r.is(reset(streamer.End()), streamer.ErrBusy)
			r.is(r.DeleteGroup(t.Context(), "s", "g"), streamer.ErrBusy)
			rd.close()

			r.ok(reset(streamer.End()))
			rd = r.member("g", "a", streamer.Resumable)
			rd.nothing()
			rd.close()
			r.is(reset(streamer.At(streamer.SeqUint(3))), streamer.ErrInvalid)
			r.ok(reset(streamer.Each(map[streamer.StreamShard]streamer.Position{at("s", 1): streamer.At(streamer.SeqUint(8))})))
			rd = r.member("g", "a", streamer.Resumable)
			equal(t, rd.values(2), numbers(18, 2))
			rd.close()
			r.ok(r.DeleteGroup(t.Context(), "s", "g"))
			r.member("g", "a", streamer.Resumable).read(20)
		})
	}
}
