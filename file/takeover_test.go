package file

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
)

// handingOver is a process that has begun to give its shard 3 of four up to
// another, and holds messages of it. Shard 0 is dead's, which is no member.
func handingOver(r *rig) (c streamer.Consumer, other streamer.Streamer, dead *group.Group, given *atomic.Bool) {
	given = &atomic.Bool{}
	r.cfg.Shards = 4
	r.produce("a", numbers(0, 40)...)
	first := r.apart()
	r.consumer(first, balanced("g"), "a") // positions
	r.ok(first.Close())
	dead = group.New(r.cfg.Path, "g", false)
	r.ok(dead.Lock(streamer.StreamShard{Stream: "a"}))
	hooks := r.o.Hooks
	r.o.Hooks.Assigned = func(e streamer.AssignEvent) {
		if len(e.Revoked) > 0 {
			given.Store(true)
		}
	}
	c = r.consumer(r.apart(), balanced("g"), "a")
	r.o.Hooks = hooks
	r.owns([]int{3}, c)
	for range 30 {
		r.next(c)
	}
	other = r.apart()
	r.consumer(other, balanced("g"), "a")
	r.await("the hand-over", func() bool { return len(c.Assignment()) == 2 })
	return c, other, dead, given
}

func ownsShard(c streamer.Consumer, id streamer.ShardID) bool {
	return slices.Contains(c.Assignment(), streamer.StreamShard{Stream: "a", Shard: id})
}

// TestAFreedShardIsTakenWhileAnotherIsGivenUp: a hand-over waits for what is in
// work; the process looks after the group all the same.
func TestAFreedShardIsTakenWhileAnotherIsGivenUp(t *testing.T) {
	r := newRig(t)
	c, other, dead, given := handingOver(r)
	r.ok(other.Close())
	r.ok(dead.Unlock())
	r.await("the freed shard", func() bool { return ownsShard(c, 0) })
	if given.Load() {
		t.Error("the freed shard was not taken before the other one was given up")
	}
	r.await("the other one", func() bool { return ownsShard(c, 3) })
}

// TestAFreedShardIsTakenSoonAfterAHandOver: how long that took does not put off
// the next look at the group.
func TestAFreedShardIsTakenSoonAfterAHandOver(t *testing.T) {
	r := newRig(t)
	c, other, _, given := handingOver(r)
	r.await("the hand-over", given.Load)
	r.ok(other.Close())
	freed := time.Now()
	r.await("the shard that the other process had", func() bool { return ownsShard(c, 3) })
	if late := time.Since(freed); late > 20*time.Second {
		t.Errorf("it was taken after %v", late)
	}
}
