package engine

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func shardList(ids ...streamer.ShardID) []streamer.StreamShard {
	var list []streamer.StreamShard
	for _, id := range ids {
		list = append(list, streamer.StreamShard{Stream: "s", Shard: id})
	}
	return list
}

// revoke takes shard 0 away and returns how long that took.
func (r *rig) revoke(lost bool) (wait func() time.Duration) {
	from := time.Now()
	wait = background(func() time.Duration {
		r.source(0).c.Revoked(shardList(0), lost)
		return time.Since(from)
	})
	synctest.Wait()
	return wait
}

func TestRevokedWaitsForWorkInProgressAndCommitsIt(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		list := r.expect(c, upTo(0, 1, 4)...)
		wait := r.revoke(false)
		r.nothing(c, time.Second) // what was not handed out is another's
		ackAll(list[:3])
		r.sleep(time.Second)
		r.called([]string{"open"}) // 0/4 is still in progress
		list[3].Ack()
		if d := wait(); d != 2*time.Second {
			t.Errorf("Revoked took %v, want until the last Ack", d)
		}
		r.called(nil, "commit 0=4")
		if n := len(c.Assignment()); n != 0 {
			t.Errorf("%d shards are left", n)
		}
	})
}

func TestRevokedWaitsFiveSecondsAtMost(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		list := r.take(c, 4)
		ackAll(list[:2])
		if d := r.revoke(false)(); d != 5*time.Second {
			t.Errorf("Revoked took %v, want 5s", d)
		}
		if r.called([]string{"open"}, "commit 0=2"); list[2].Ack() {
			t.Error("an Ack after the shard was lost counted")
		}
		if err := c.Close(); err != nil || r.mark(0) != 2 {
			t.Errorf("Close = %v, committed %d; want 2", err, r.mark(0))
		}
	})
}

func TestALostShardIsNotCommitted(t *testing.T) {
	var events seen[streamer.AssignEvent]
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{Assigned: events.add}}
	inBubble(t, abilities{cursor: true}, o, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
		list := r.take(c, 4)
		ackAll(list[:2])
		if d := r.revoke(true)(); d != 0 {
			t.Errorf("Revoked took %v for a lost shard", d)
		}
		if list[2].Ack() {
			t.Error("an Ack after the loss counted")
		}
		r.nothing(c, time.Second)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		r.called([]string{"open"}, "close")
		want := []streamer.AssignEvent{{Group: "g", Gained: shardList(0, 1)}, {Group: "g", Revoked: shardList(0), Lost: true}}
		if got := events.all(); !slices.EqualFunc(got, want, equalAssign) {
			t.Errorf("Assigned reported %+v, want %+v", got, want)
		}
	})
}

func equalAssign(a, b streamer.AssignEvent) bool {
	return a.Group == b.Group && a.Lost == b.Lost && slices.Equal(a.Gained, b.Gained) && slices.Equal(a.Revoked, b.Revoked)
}

// comesBack assigns shard 0 again, which continues behind its first done
// messages.
func (r *rig) comesBack(done int) {
	r.change(func() { r.source0().all = nil })
	r.source(0).c.Assigned(shardList(0))
	r.change(func() {
		r.source0().all, r.source0().next[streamer.StreamShard{Stream: "s", Shard: 0}] = shardList(0), done
	})
}

// After Commit has returned nil, no committed message may be redelivered.
func TestCommitSaysOnceThatALostShardIsNotCommitted(t *testing.T) {
	for name, last := range map[string]func(list []*streamer.Message){
		"acknowledged before": func(list []*streamer.Message) { ackAll(list) },
		"acknowledged after":  func([]*streamer.Message) {},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 10)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
				list := r.take(c, 4)
				last(list)
				r.revoke(true)()
				ackAll(list)
				for _, want := range []error{streamer.ErrFenced, nil} {
					if err := c.Commit(t.Context()); !errors.Is(err, want) {
						t.Errorf("Commit = %v, want %v", err, want)
					}
				}
			})
		})
	}
}

func TestCommitSaysNothingOfALostShardThatCameBackAndIsCommitted(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		ackAll(r.take(c, 4))
		r.revoke(true)()
		r.comesBack(0)
		ackAll(r.take(c, 4))
		if err := c.Commit(t.Context()); err != nil {
			t.Errorf("Commit = %v: all came again and was acknowledged", err)
		}
	})
}

// A commit whose answer was lost may have arrived: the shard continues behind
// it.
func TestCommitSaysNothingOfALostShardThatGoesOnBehindIt(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		ackAll(r.take(c, 4))
		r.revoke(true)()
		r.comesBack(4)
		r.expect(c, "0/5")
		if err := c.Commit(t.Context()); err != nil {
			t.Errorf("Commit = %v: the group has gone on behind what was acknowledged", err)
		}
	})
}

func TestCommitSaysNothingOfALostShardThatIsCommitted(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		ackAll(r.take(c, 4))
		if err := c.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.revoke(true)()
		if err := c.Commit(t.Context()); err != nil {
			t.Errorf("Commit = %v: all was committed", err)
		}
	})
}

func TestARevokedShardGoesAndOthersStay(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 10)
		r.add(1, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, MaxInFlight: 2})
		r.expect(c, "0/1", "0/2", "1/1") // shard 0 is full and parked
		r.revoke(true)()
		r.expect(c, "1/2")
		r.change(func() { r.source0().all = shardList(1) })
		r.source(0).c.Assigned(shardList(0, 1)) // and it comes back, from what is committed
		if got := c.Assignment(); !slices.Equal(got, shardList(0, 1)) {
			t.Fatalf("assigned %v", got)
		}
		r.change(func() {
			f := r.source0()
			f.all, f.next[streamer.StreamShard{Stream: "s", Shard: 0}] = shardList(0, 1), 0
		})
		r.expect(c, "0/1", "0/2")
	})
}

// source0 is the first source, for one who holds the lock.
func (r *rig) source0() *fakeSource { return r.sources[0] }

func TestMessagesOfAShardThatIsNotOursAreDropped(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
		r.revoke(true)()
		r.add(0, 5) // emitted late
		r.add(1, 1)
		r.expect(c, "1/1")
		r.nothing(c, time.Second)
	})
}

func TestRevokedDuringCloseDoesNotWait(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		ackAll(r.take(c, 4)[:2])
		release := r.hold("close")
		closed := background(c.Close)
		synctest.Wait()
		if d := r.revoke(false)(); d != 0 {
			t.Errorf("Revoked took %v while closing", d)
		}
		release()
		if err := closed(); err != nil || r.mark(0) != 2 {
			t.Errorf("Close = %v, committed %d; want 2", err, r.mark(0))
		}
	})
}

func TestAFailedCommitOfARevokedShardIsBounded(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		ackAll(r.take(c, 4))
		r.fails("commit", slices.Repeat([]error{driver.Transient(errors.New("lost"), time.Second)}, 100)...)
		if d := r.revoke(false)(); d > 10*time.Second {
			t.Errorf("Revoked took %v", d)
		}
		r.change(func() { r.faults = map[string][]error{} })
	})
}

func TestInFlightIsWhatIsEmittedAndNotCommitted(t *testing.T) {
	inBubble(t, abilities{acker: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 4)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		list := r.take(c, 3)
		list[1].Ack()
		if err := c.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := maps.Collect(r.source(0).c.InFlight(streamer.StreamShard{Stream: "s", Shard: 0}))
		want := map[streamer.SeqNo]bool{streamer.SeqUint(1): true, streamer.SeqUint(3): true, streamer.SeqUint(4): false}
		if !maps.Equal(got, want) {
			t.Fatalf("in flight %v, want %v", got, want)
		}
		for range r.source(0).c.InFlight(streamer.StreamShard{Stream: "s", Shard: 9}) {
			t.Fatal("a shard that is not ours has something in flight")
		}
		for range r.source(0).c.InFlight(streamer.StreamShard{Stream: "s", Shard: 0}) {
			break // an iteration may be broken off
		}
	})
}

func TestInFlightInRealTimeIsWhatIsBuffered(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 4)
		r.add(1, 1)
		r.take(r.consumer(streamer.ConsumerOptions{}), 3)
		got := maps.Collect(r.source(0).c.InFlight(streamer.StreamShard{Stream: "s", Shard: 0}))
		if want := map[streamer.SeqNo]bool{streamer.SeqUint(4): false}; !maps.Equal(got, want) {
			t.Fatalf("in flight %v, want %v", got, want)
		}
	})
}
