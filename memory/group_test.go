package memory

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func (r *rig) member(group, name string, mode streamer.ConsumerMode) *reader {
	r.Helper()
	return r.open(driver.SourceConfig{Streams: []string{"s"}, Mode: mode, Group: group, Name: name})
}

func TestResumableGoesOnAfterWhatIsCommitted(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	r.send("s", 0, 0, 1000)
	rd := r.member("g", "", streamer.Resumable)
	rd.cfg.MaxBatch = 100
	rd.read(100)
	r.ok(rd.commit("s", 0, 9))
	rd.close()
	rd = r.member("g", "", streamer.Resumable)
	if m := rd.read(100)[0]; m.Seq != streamer.SeqUint(10) {
		t.Errorf("goes on at %v", m.Seq)
	}
	r.is(r.tryMember("g"), streamer.ErrBusy)
	rd.close()
	r.is(r.tryMember("g"), nil)
}

func (r *rig) tryMember(group string) error {
	rd, err := r.tryOpen(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: group})
	if err == nil {
		rd.close()
	}
	return err
}

func TestTheFirstPositionIsCommittedAtOpen(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		for _, acks := range []Acks{ByCursor, ByMessage} {
			r := newRig(t, Config{Acks: acks})
			r.create("s", 2)
			r.send("s", 0, 0, 5)
			c := driver.SourceConfig{Streams: []string{"s"}, Mode: mode, Group: "g", Reset: streamer.Latest}
			r.open(c).close()
			r.send("s", 0, 5, 5)
			r.send("s", 1, 20, 1)
			rd := r.open(c)
			got := rd.values(6)
			slices.Sort(got)
			equal(t, got, []string{"20", "5", "6", "7", "8", "9"})
			rd.close()
			Drop(t.Name())
		}
	}
}

func TestAStartReplacesWhatWasCommitted(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		r := newRig(t, Config{Acks: acks})
		r.create("s", 1)
		r.send("s", 0, 0, 20)
		c := driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"}
		r.open(c).close()
		moved := c
		moved.Start = streamer.At(streamer.SeqUint(15))
		r.open(moved).close()
		equal(t, r.open(c).values(5), numbers(15, 5))
		Drop(t.Name())
	}
}

func TestFallbackAndResetDecideOnlyTheFirstTime(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	r.send("s", 0, 0, 20)
	c := driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g", Reset: streamer.ResetError}
	_, err := r.tryOpen(c)
	r.is(err, streamer.ErrPositionGone)
	c.Fallback = streamer.At(streamer.SeqUint(3))
	r.open(c).close()
	c.Fallback = streamer.End()
	equal(t, r.open(c).values(17), numbers(3, 17))
}

func TestAHigherOrLowerMarkMovesTheGroupWithinTheShard(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	r.send("s", 0, 0, 20)
	reopened := func(commit func(rd *reader) error) streamer.SeqNo {
		rd := r.member("g", "", streamer.Resumable)
		r.ok(commit(rd))
		rd.close()
		rd = r.member("g", "", streamer.Resumable)
		defer rd.close()
		r.send("s", 0, 0, 1)
		slab, err := rd.fetch()
		r.ok(err)
		return slab[0].Seq
	}
	for _, c := range []struct{ mark, next uint64 }{{10, 11}, {4, 5}, {1<<64 - 1, 22}} {
		if got := reopened(func(rd *reader) error { return rd.commit("s", 0, c.mark) }); got != streamer.SeqUint(c.next) {
			t.Errorf("mark %d: goes on at %v, want %d", c.mark, got, c.next)
		}
	}
}

func TestShardsAreSharedOutAndMoveWithTheirCommits(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 7)
	for id := range streamer.ShardID(7) {
		r.send("s", id, 0, 10)
	}
	a := r.member("g", "a", streamer.LoadBalanced)
	equal(t, a.shards(), []streamer.ShardID{0, 1, 2, 3, 4, 5, 6})
	a.read(70)
	a.onTake = func(gone []streamer.StreamShard, lost bool) {
		if lost {
			t.Error("lost without a reason")
		}
		for _, at := range gone {
			r.ok(a.commit("s", at.Shard, 3)) // the last commit happens while the shard is given up
		}
	}
	b := r.member("g", "b", streamer.LoadBalanced)
	r.eventually("b has its share", func() bool { return len(b.shards()) == 3 })
	if len(a.shards()) != 4 {
		t.Fatalf("a has %v", a.shards())
	}
	for _, m := range b.read(18) {
		if m.Seq.Uint() < 4 {
			t.Errorf("shard %d: %v comes again though it is committed", m.Shard, m.Seq)
		}
	}
	r.is(a.commit("s", b.shards()[0], 9), streamer.ErrFenced)
	a.nothing()
	b.close()
	r.eventually("a has everything again", func() bool { return len(a.shards()) == 7 })
	a.read(18)
}

func TestAsFewShardsAsPossibleMove(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 12)
	var members []*reader
	for i := range 4 {
		before := make([][]streamer.ShardID, len(members))
		for i, other := range members {
			before[i] = other.shards()
		}
		members = append(members, r.member("g", fmt.Sprint(i), streamer.LoadBalanced))
		share := 12 / len(members)
		r.eventually("the shares are equal", func() bool {
			return !slices.ContainsFunc(members, func(m *reader) bool { return len(m.shards()) != share })
		})
		for i := range before {
			for _, id := range members[i].shards() {
				if !slices.Contains(before[i], id) {
					t.Errorf("member %d got shard %d, which nobody had to give up", i, id)
				}
			}
		}
	}
}

func TestADeadMembersShardsGoToTheOthersAndItIsFenced(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		r := newRig(t, Config{})
		r.create("s", 2)
		r.send("s", 0, 0, 3)
		a := r.member("g", "a", mode)
		a.read(3)
		r.is(r.log.Expel("g", "nobody"), streamer.ErrNotFound)
		r.ok(r.log.Expel("g", "a"))
		b := r.member("g", "b", mode)
		equal(t, b.shards(), []streamer.ShardID{0, 1})
		equal(t, b.values(3), numbers(0, 3))
		r.is(a.commit("s", 0, 2), streamer.ErrFenced)
		equal(t, a.log(), []string{"assigned 2"})
		a.nothing()
		a.close()
		r.ok(b.commit("s", 0, 2))
		Drop(t.Name())
	}
}

func TestMembersOfOneGroupAgreeOnMode(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	a := r.member("g", "a", streamer.LoadBalanced)
	r.is(r.tryMember("g"), streamer.ErrBusy)
	other, err := newBackend(Config{Log: t.Name(), Acks: ByMessage})
	r.ok(err)
	_, err = (&rig{T: t, log: r.log, backend: other.(*backend)}).tryOpen(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.LoadBalanced, Group: "g"})
	r.is(err, streamer.ErrInvalid)
	a.close()
	_, err = (&rig{T: t, log: r.log, backend: other.(*backend)}).tryOpen(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.LoadBalanced, Group: "g"})
	r.is(err, streamer.ErrInvalid)
}

func TestDealtGroupsAreTheEngines(t *testing.T) {
	r := newRig(t, Config{Groups: Dealt})
	r.create("s", 1)
	_, err := r.tryOpen(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.LoadBalanced, Group: "g"})
	r.is(err, driver.ErrNoGroups)
	other, err := newBackend(Config{Log: t.Name(), Groups: Dealt})
	r.ok(err)
	if other.(driver.Dealer).Deals() != r.Deals() {
		t.Error("two Streamers on one log have two tables")
	}
}

func TestAtMostOnceTakesBackWhatWasNeverHandedOut(t *testing.T) {
	r := newRig(t, Config{Acks: ByMessage}) // a position is the engine's to take back
	r.create("s", 1)
	r.send("s", 0, 0, 30)
	c := driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g", AtMostOnce: true}
	rd := r.open(c)
	got := rd.read(30)
	r.ok(rd.ack(got...))
	rd.held = map[streamer.StreamShard][]streamer.SeqNo{}
	for _, m := range got[12:] {
		rd.held[at("s", 0)] = append(rd.held[at("s", 0)], m.Seq)
	}
	rd.close()
	equal(t, r.open(c).values(18), numbers(12, 18))
}

func TestAForgottenGroupIsRestoredWhereItWas(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		for _, acks := range []Acks{ByCursor, ByMessage} {
			t.Run(fmt.Sprint(mode, acks), func(t *testing.T) {
				r := newRig(t, Config{Acks: acks})
				r.create("s", 1)
				r.send("s", 0, 0, 10)
				rd := r.member("g", "a", mode)
				got := rd.read(10)
				done := func(i int) error {
					if acks == ByCursor {
						return rd.commit("s", 0, uint64(i))
					}
					return rd.ack(got[:i+1]...)
				}
				r.ok(done(3))
				r.ok(r.log.Forget("s", "g"))
				if groups, err := r.backend.Groups(t.Context(), "s"); err != nil || len(groups) != 0 {
					t.Fatalf("%v %v", groups, err)
				}
				r.send("s", 0, 10, 1)
				equal(t, rd.values(1), numbers(10, 1))
				equal(t, rd.log(), []string{"assigned 1", "retrying group", "group works again"})
				r.ok(r.log.Forget("s", "g"))
				r.ok(done(5))
				rd.close()
				rd = r.member("g", "a", mode)
				equal(t, rd.values(5), numbers(6, 5))
			})
		}
	}
	r := newRig(t, Config{})
	r.create("t", 1)
	rd := r.open(driver.SourceConfig{Streams: []string{"t"}, Mode: streamer.Resumable, Group: "g", Reset: streamer.Latest})
	r.ok(r.log.Forget("t", "g"))
	_, err := r.log.AddShard("t")
	r.ok(err)
	equal(t, rd.shards(), []streamer.ShardID{0, 1})
	r.ok(r.log.Forget("t", "g"))
	rd.close()
	if groups, err := r.backend.Groups(t.Context(), "t"); err != nil || len(groups) != 1 {
		t.Errorf("a member that closed left %v, %v", groups, err)
	}
	r.is(r.log.Forget("s", "g"), streamer.ErrNotFound)
	r.create("s", 1)
	r.is(r.log.Forget("s", "g"), streamer.ErrNotFound)
}
