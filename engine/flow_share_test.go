package engine

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// sharedCan is a group that the server knows: members are sources of their own,
// and give back what they do not get to.
var sharedCan = abilities{acker: true, releaser: true, room: true}

func (r *rig) releasedOf(shard streamer.ShardID) []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return uints(r.released[streamer.StreamShard{Stream: "s", Shard: shard}])
}

func TestABusyMemberGivesBackWhatItDoesNotGetTo(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 100)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
		if n := r.source(0).fetched(); n != minShare {
			t.Fatalf("fetched %d ahead, want %d while its pace is not known", n, minShare)
		}
		m := r.expect(c, "0/1")[0]
		r.sleep(time.Second) // it works on the first
		if got := r.releasedOf(0); !slices.Equal(got, []uint64{2, 3, 4, 5, 6, 7, 8, 9, 10}) {
			t.Fatalf("gave back %v, want 2 to 10", got)
		}
		r.sleep(time.Hour)
		if n := r.source(0).fetched(); n != minShare {
			t.Fatalf("fetched %d, want no more while it is busy", n)
		}
		m.Ack()
		r.expect(c, "0/11") // and continues when it asks again
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if got := r.ackedOf(0); !slices.Equal(got, []uint64{1}) {
			t.Fatalf("acknowledged %v, want what was acknowledged alone", got)
		}
	})
}

func TestAFailedReleaseKeepsTheMessages(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
		r.expect(c, "0/1")
		r.fails("release", slices.Repeat([]error{errors.New("lost")}, 1000)...)
		r.sleep(time.Second)
		r.expect(c, upTo(0, 2, 5)...)
	})
}

func TestAMemberThatKeepsUpGivesNothingBack(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 300)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
		for i := range 300 {
			ackAll(r.expect(c, upTo(0, i+1, i+1)...))
			r.sleep(10 * time.Millisecond)
			if n := r.fetchedAndHeld(c); n > 2*20 {
				t.Fatalf("holds %d, want at most what it works off in %v", n, shareTime)
			}
		}
		if got := r.releasedOf(0); len(got) > 0 {
			t.Fatalf("gave back %v", got)
		}
	})
}

func TestWhatIsGivenBackWhileTheShardIsRevokedIsDropped(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
		r.expect(c, "0/1")
		release := r.hold("release")
		r.sleep(time.Second)
		r.revoke(true)()
		r.fails("release", errors.New("lost"))
		release()
		r.nothing(c, time.Second)
		if n := r.fetchedAndHeld(c); n != 0 {
			t.Fatalf("%d messages are held of a shard that is not ours", n)
		}
	})
}
