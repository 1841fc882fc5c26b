package engine

import (
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// The session of an in-process group may lose shards to another process and get
// them back.

func TestADealtShardIsRevokedFromAllMembers(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		list := r.members(2, streamer.ConsumerOptions{CommitEvery: streamer.Never})
		r.add(0, 6)
		r.add(1, 2)
		a := r.expect(list[0], "0/1", "0/3")
		b := r.expect(list[1], "0/2", "0/4")
		wait := r.revoke(false)
		ackAll(a)
		r.expect(list[0], "1/1")
		r.expect(list[1], "1/2")
		r.nothing(list[0], time.Second) // 0/5 is another process's
		ackAll(b)
		if d := wait(); d != time.Second {
			t.Errorf("Revoked took %v, want until the last Ack", d)
		}
		r.called([]string{"open"}, "commit 0=4")
		r.comesBack(4)
		r.expect(list[0], "0/5")
		r.expect(list[1], "0/6")
	})
}

func TestWhatALeavingMemberHeldOfALeavingShardIsAnothersToDo(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{CommitEvery: streamer.Never})
		r.add(0, 4)
		r.expect(list[0], "0/1", "0/3")
		ackAll(r.expect(list[1], "0/2", "0/4"))
		wait := r.revoke(false)
		if err := list[0].Close(); err != nil {
			t.Fatal(err)
		}
		if d := wait(); d != 0 {
			t.Errorf("Revoked took %v, though nobody holds a message", d)
		}
		r.nothing(list[1], time.Second)
		if got := r.mark(0); got != 0 {
			t.Errorf("committed %d, and 0/1 was given up", got)
		}
	})
}

func TestCloseDoesNotWaitForWorkThatARevocationWaitsFor(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.members(1, streamer.ConsumerOptions{CommitEvery: streamer.Never})[0]
		r.add(0, 4)
		held := r.expect(c, "0/1", "0/2")
		held[0].Ack()
		wait := r.revoke(false)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if d := wait(); d != 0 {
			t.Errorf("Revoked took %v", d)
		}
		if got := r.mark(0); got != 1 {
			t.Errorf("committed %d, want 1", got)
		}
	})
}

func TestADealtSourceMayHaveNoShardAtFirst(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 0
		c := r.members(1, streamer.ConsumerOptions{})[0]
		r.add(0, 1)
		if n := len(c.Assignment()); n != 0 {
			t.Errorf("%d shards", n)
		}
		if !r.source(0).c.Dealt {
			t.Error("the source is not told that it is dealt")
		}
		r.nothing(c, time.Second)
		r.comesBack(0)
		r.expect(c, "0/1")
	})
}

// What one member has done must not be repeated only because another had not
// come to what lies before it.
func TestWhatLiesBetweenMessagesInWorkIsDoneBeforeAShardLeaves(t *testing.T) {
	for _, ack := range []streamer.AckPolicy{streamer.AckManual, streamer.AckOnDelivery} {
		inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			list := r.members(2, streamer.ConsumerOptions{CommitEvery: streamer.Never, Ack: ack})
			r.add(0, 8)
			ackAll(r.expect(list[0], "0/1", "0/3", "0/5"))
			wait := r.revoke(false)
			r.sleep(time.Second)
			ackAll(r.expect(list[1], "0/2", "0/4"))
			if d := wait(); d != time.Second {
				t.Errorf("Revoked took %v", d)
			}
			if got := r.mark(0); got != 5 {
				t.Errorf("committed %d, want 5", got)
			}
			r.nothing(list[0], time.Second) // 0/7 is another process's
			r.nothing(list[1], time.Second)
		})
	}
}

func TestAShardLeavesThoughNobodyTakesWhatLiesBetween(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{CommitEvery: streamer.Never})
		r.add(0, 8)
		ackAll(r.expect(list[0], "0/1", "0/3", "0/5"))
		if d := r.revoke(false)(); d != revokeWait {
			t.Errorf("Revoked took %v", d)
		}
		r.nothing(list[1], time.Second)
		if got := r.mark(0); got != 1 {
			t.Errorf("committed %d, want 1", got)
		}
	})
}
