package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestWhatGoesBackToTheGroupWasNotAcknowledgedAhead(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 30)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckOnDelivery})
		got := 0
		for range 30 {
			m := r.drainSome(c, 1)
			if len(m) == 0 {
				break
			}
			got++
			r.sleep(700 * time.Millisecond)
		}
		back := r.releasedOf(0)
		for _, seq := range r.ackedOf(0) {
			if slices.Contains(back, seq) {
				t.Errorf("%d was acknowledged and then given back: it is lost", seq)
			}
		}
		if got+len(back) != 30 {
			t.Errorf("%d were delivered and %d given back, of 30", got, len(back))
		}
	})
}

func TestAtMostOnceTakesBackNothingBelowADelivery(t *testing.T) {
	for _, how := range []string{"Close", "revocation"} {
		t.Run(how, func(t *testing.T) {
			inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 13)
				list := r.members(2, streamer.ConsumerOptions{Ack: streamer.AckOnDelivery})
				first, second := list[:1], list[1:]
				a := r.take(first[0], 1) // the rest of its share stays in its ring
				b := r.take(second[0], 3)
				if how == "Close" {
					if err := errors.Join(second[0].Close(), first[0].Close()); err != nil {
						t.Fatal(err)
					}
				} else {
					r.revoke(false)()
				}
				newest := uint64(0)
				for _, m := range append(a, b...) {
					newest = max(newest, m.Seq.Uint())
				}
				if got := r.mark(0); got != newest {
					t.Fatalf("committed %d, and %d was handed out: what lies between comes twice", got, newest)
				}
			})
		})
	}
}

func TestNoCommitAheadLandsAfterTheLast(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery})
		r.take(c, 4)
		s := c.q.Load().s
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		for range 100 { // of an ended ctx and a free slot select chooses by chance
			s.commits.ahead = []*ledger{s.owned.ledgers[streamer.StreamShard{Stream: "s", Shard: 0}]}
			s.commitAhead(stopped())
		}
		if got := r.mark(0); got != 4 {
			t.Fatalf("committed %d, want what was handed out: 4", got)
		}
	})
}

// stopped is a context that has ended.
func stopped() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestCloseDoesNotRetryTheMarkOfAShardLostMeanwhile(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckOnDelivery})
		r.take(c, 4)
		r.fails("commit", slices.Repeat([]error{driver.Transient(streamer.ErrFenced, time.Second)}, 100)...)
		from := time.Now()
		closed := background(c.Close)
		synctest.Wait()
		r.revoke(true)()
		if err := closed(); err != nil || time.Since(from) > 2*time.Second {
			t.Errorf("Close = %v after %v, want it to leave the shard to its owner", err, time.Since(from))
		}
	})
}

// A source that acknowledges by message ahead of delivery learns what it may
// take back of a shard that it gives up.
func TestInFlightOutlastsARevocationThatIsAhead(t *testing.T) {
	inBubble(t, abilities{acker: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckOnDelivery})
		r.take(c, 4)
		r.revoke(false)()
		var back []string
		for seq, handedOut := range r.source(0).c.InFlight(streamer.StreamShard{Stream: "s", Shard: 0}) {
			back = append(back, fmt.Sprint(seq.Uint(), handedOut))
		}
		if want := []string{"5 false", "6 false", "7 false", "8 false", "9 false", "10 false"}; !slices.Equal(back, want) {
			t.Fatalf("in flight %v, want %v", back, want)
		}
		r.source(0).c.Assigned(shardList(0))
		for seq := range r.source(0).c.InFlight(streamer.StreamShard{Stream: "s", Shard: 0}) {
			t.Fatalf("%v is in flight in a new assignment", seq)
		}
	})
}
