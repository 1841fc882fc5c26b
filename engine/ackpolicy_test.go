package engine

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestAckDelayedAcknowledgesAckDelayAfterTheHandOut(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 4)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckDelayed, AckDelay: 8 * time.Second, CommitEvery: time.Second})
		r.take(c, 2)
		r.sleep(4 * time.Second)
		r.take(c, 1)
		r.sleep(3900 * time.Millisecond)
		if r.mark(0) != 0 {
			t.Fatalf("committed %d before AckDelay was over", r.mark(0))
		}
		r.sleep(2100 * time.Millisecond) // an eighth of AckDelay, and CommitEvery
		if r.mark(0) != 2 {
			t.Fatalf("committed %d, want 2", r.mark(0))
		}
		r.sleep(4 * time.Second)
		if r.mark(0) != 3 {
			t.Fatalf("committed %d, want 3: not what was never handed out", r.mark(0))
		}
	})
}

func TestAckDelayedOpensTheWindow(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 100)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckDelayed, AckDelay: time.Second, MaxInFlight: 5, Prefetch: 10})
		from := time.Now()
		r.take(c, 20) // as if the program never said that it is done
		if d := time.Since(from); d < 3*time.Second || d > 5*time.Second {
			t.Fatalf("20 messages took %v, want a window of 5 a second", d)
		}
	})
}

func TestAckDelayedAcknowledgesAllThatWasHandedOutOnClose(t *testing.T) {
	for _, can := range []abilities{{cursor: true}, {acker: true}} {
		inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.add(0, 4)
			c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckDelayed, AckDelay: time.Hour})
			r.take(c, 3)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if can.cursor && r.mark(0) != 3 || can.acker && !slices.Equal(r.ackedOf(0), []uint64{1, 2, 3}) {
				t.Fatalf("committed %d, acknowledged %v; want 3", r.mark(0), r.ackedOf(0))
			}
		})
	}
}

func TestAckDelayedAcknowledgesOnRevocationWithoutWaiting(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 4)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckDelayed, AckDelay: time.Hour, CommitEvery: streamer.Never})
		r.take(c, 3)
		if d := r.revoke(false)(); d != 0 || r.mark(0) != 3 {
			t.Fatalf("Revoked took %v, committed %d; want 3 at once", d, r.mark(0))
		}
	})
}

func TestAckOnDeliveryCommitsBeforeItHandsOut(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery, Prefetch: 8})
		release := r.hold("commit")
		got := background(func() string { return string(r.take(c, 1)[0].Value) })
		synctest.Wait()
		r.called([]string{"open"}, "commit 0=8")
		if n := r.fetchedAndHeld(c); n != 8 {
			t.Fatalf("%d messages are held back, want 8", n)
		}
		release()
		if v := got(); v != "0/1" {
			t.Fatalf("got %s", v)
		}
		r.expect(c, upTo(0, 2, 8)...)
		r.called(nil) // one commit for all that was fetched
		r.expect(c, "0/9")
		r.called(nil, "commit 0=10")
	})
}

// fetchedAndHeld counts what was fetched and not delivered.
func (r *rig) fetchedAndHeld(c *consumer) int {
	s := c.q.Load().s
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flow.buffered.messages
}

func TestAckOnDeliveryTellsAMessageAckerBeforeItHandsOut(t *testing.T) {
	inBubble(t, abilities{acker: true, room: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckOnDelivery})
		r.expect(c, "0/1")
		if got := r.ackedOf(0); !slices.Equal(got, []uint64{1, 2, 3}) {
			t.Fatalf("told %v before the first was handed out, want all that was fetched", got)
		}
		r.expect(c, "0/2", "0/3")
		r.add(0, 1)
		r.expect(c, "0/4")
		if got := r.ackedOf(0); !slices.Equal(got, []uint64{1, 2, 3, 4}) {
			t.Fatalf("told %v, want each once", got)
		}
	})
}

func TestAckOnDeliveryTakesBackWhatWasNotHandedOut(t *testing.T) {
	tests := []struct {
		name  string
		taken int
		end   func(r *rig, c *consumer)
	}{
		{"close", 3, func(r *rig, c *consumer) { _ = c.Close() }},
		{"close with all handed out", 8, func(r *rig, c *consumer) { _ = c.Close() }},
		{"revocation", 3, func(r *rig, c *consumer) { r.revoke(false)() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 20)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery, Prefetch: 8})
				r.take(c, tt.taken)
				if r.mark(0) != 8 {
					t.Fatalf("committed %d ahead, want 8", r.mark(0))
				}
				if tt.end(r, c); r.mark(0) != uint64(tt.taken) {
					t.Fatalf("committed %d, want what was handed out: %d", r.mark(0), tt.taken)
				}
			})
		})
	}
}

func TestAckOnDeliveryTakesBackWhatAStreamOfferedInVain(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery})
		stream := c.Stream(t.Context())
		<-stream
		<-stream
		synctest.Wait() // it offers 0/3
		if err := c.Close(); err != nil || r.mark(0) != 2 {
			t.Fatalf("Close = %v, committed %d; want the two that were received", err, r.mark(0))
		}
	})
}

func TestAckOnDeliveryTakesBackAllWhenNothingWasReceived(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery})
		c.Stream(t.Context())
		synctest.Wait() // it offers 0/1, so 5 is committed
		if err := c.Close(); err != nil || r.mark(0) != 0 {
			t.Fatalf("Close = %v, committed %d; want nothing", err, r.mark(0))
		}
	})
}

func TestAckOnDeliveryHandsOutNothingWhileItsCommitFails(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.fails("commit", driver.Transient(errors.New("lost"), time.Minute))
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery})
		r.nothing(c, 50*time.Second)
		r.sleep(10 * time.Second)
		r.expect(c, upTo(0, 1, 5)...)
	})
}

func TestAckOnDeliveryEndsWithAFinalCommitFailure(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.fails("commit", streamer.ErrFenced)
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.Next(ctx); !errors.Is(err, streamer.ErrFenced) {
			t.Fatalf("Next = %v, want ErrFenced", err)
		}
	})
}

func TestAckOnDeliveryTakesBackWhatMayBeCommitted(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.fails("commit", errors.New("the answer was lost"))
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery})
		if _, err := c.Next(t.Context()); err == nil {
			t.Fatal("a message was handed out and its commit is not known")
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		r.called([]string{"open"}, "commit 0=5", "commit 0=", "close")
	})
}

func TestAckOnDeliveryOpensTheWindowWhenAStreamsOfferIsReceived(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckOnDelivery, MaxInFlight: 1})
		stream := c.Stream(t.Context())
		for i := 1; i <= 10; i++ {
			synctest.Wait()
			if m := <-stream; m.Seq != streamer.SeqUint(uint64(i)) {
				t.Fatalf("got %v, want %d", m.Seq, i)
			}
		}
	})
}

func TestAckOnDeliveryCommitsNothingOfAShardThatIsLostMeanwhile(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.fails("commit", driver.Transient(errors.New("lost"), time.Second))
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckOnDelivery})
		r.nothing(c, 500*time.Millisecond) // the first try has failed
		r.revoke(true)()
		r.nothing(c, time.Minute)
		r.called([]string{"open"}, "commit 0=5")
	})
}
