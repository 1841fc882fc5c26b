package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// nextWithin takes one message on another goroutine; wait returns Next's error.
func nextWithin(c *consumer, d time.Duration) (wait func() error) {
	wait = background(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		_, err := c.Next(ctx)
		return err
	})
	synctest.Wait()
	return wait
}

func TestAMoveThatFailedGoesOnFetching(t *testing.T) {
	for name, can := range map[string]abilities{"shared": sharedCan, "dealt": dealtCan} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckManual})
				next := nextWithin(c, time.Hour)
				let := r.hold("open")
				r.fails("open", errAway)
				moved := background(func() error { return c.Rewind(t.Context(), streamer.End()) })
				synctest.Wait()
				r.fails("fetch", driver.Transient(errAway, time.Second))
				r.change(func() {}) // Fetch fails while nothing is handed out
				r.sleep(10 * time.Second)
				let()
				if err := moved(); err == nil {
					t.Fatal("Rewind = nil, want the failure to open")
				}
				r.add(0, 3)
				if err := next(); err != nil {
					t.Fatalf("Next = %v though three messages are there", err)
				}
			})
		})
	}
}

func TestAMemberThatLeavesWakesTheFetcher(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		o := streamer.ConsumerOptions{Ack: streamer.AckDelayed, AckDelay: time.Hour, MaxInFlight: 5}
		leaves := r.members(1, o)[0]
		r.add(0, 5)
		r.expect(leaves, upTo(0, 1, 5)...)
		stays := r.members(1, o)[0]
		r.fails("fetch", driver.Transient(errAway, time.Millisecond))
		r.change(func() {})
		r.sleep(time.Second)
		next := nextWithin(stays, 30*time.Minute)
		if err := leaves.Close(); err != nil {
			t.Fatal(err)
		}
		r.add(0, 3)
		if err := next(); err != nil {
			t.Fatalf("Next = %v though three messages are there", err)
		}
	})
}

func TestShutdownDuringAMoveFreesWhoWaits(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckManual})
		offered := c.Stream(t.Context())
		next := nextWithin(c, time.Hour)
		r.hold("open")
		moved := background(func() error { return c.Rewind(t.Context(), streamer.Beginning()) })
		synctest.Wait()
		from := time.Now()
		if err := r.s.Close(); err != nil || time.Since(from) > time.Second {
			t.Errorf("Close = %v after %v", err, time.Since(from))
		}
		if err := moved(); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("Rewind = %v, want ErrClosed", err)
		}
		if err := next(); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("Next = %v, want ErrClosed", err)
		}
		if _, open := <-offered; open {
			t.Error("Stream delivers after Close")
		}
	})
}

func TestShutdownDoesNotWaitForWhatIsOnlyFetched(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckManual})
		r.producer(streamer.ProducerOptions{})
		ackAll(r.expect(c, "0/1"))
		from := time.Now()
		if err := r.s.Close(); err != nil || time.Since(from) > 0 {
			t.Fatalf("Close = %v after %v, and nothing was in work", err, time.Since(from))
		}
	})
}

func TestARevocationDoesNotWaitForWhatGoesBackToTheGroup(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckManual})
		let := r.hold("release")
		r.sleep(700 * time.Millisecond)
		wait := r.revoke(false)
		let()
		if took := wait(); took > 0 {
			t.Fatalf("Revoked took %v, and nothing was in work", took)
		}
	})
}

func TestAFailedReleaseKeepsTheOrder(t *testing.T) {
	for _, ack := range []streamer.AckPolicy{streamer.AckManual, streamer.AckOnDelivery} {
		t.Run(fmt.Sprint(ack), func(t *testing.T) {
			inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 3)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: ack})
				r.expect(c, "0/1")
				r.add(0, 4)
				synctest.Wait()
				r.fails("release", slices.Repeat([]error{errAway}, 10)...)
				r.sleep(700 * time.Millisecond)
				r.expect(c, upTo(0, 2, 7)...)
			})
		})
	}
}

func TestWhatAStreamGivesBackDuringAFailedReleaseComesFirst(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckManual})
		ctx, cancel := context.WithCancel(t.Context())
		offered := c.Stream(ctx)
		synctest.Wait()
		let := r.hold("release")
		r.fails("release", errAway)
		r.sleep(700 * time.Millisecond)
		cancel()
		for range offered {
		}
		synctest.Wait()
		let()
		synctest.Wait()
		r.expect(c, upTo(0, 1, 5)...)
	})
}

func TestWhatWentBackToTheGroupIsNotInFlight(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckOnDelivery})
		r.expect(c, "0/1")
		r.add(0, 4)
		synctest.Wait()
		r.sleep(700 * time.Millisecond)
		back := r.releasedOf(0)
		if len(back) == 0 {
			t.Fatal("nothing went back")
		}
		for seq := range r.source(0).c.InFlight(streamer.StreamShard{Stream: "s", Shard: 0}) {
			if slices.Contains(back, seq.Uint()) {
				t.Errorf("%v went back to the group and is in flight", seq)
			}
		}
	})
}

func TestAShardThatVanishedIsResumed(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 20)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckManual, MaxInFlight: 5})
		r.expect(c, upTo(0, 1, 5)...)
		r.nothing(c, time.Second)
		r.add(0, 1)
		synctest.Wait() // Fetch returns, and the shard is paused
		r.source(0).c.Vanished(shardList(0))
		synctest.Wait()
		if r.source(0).paused[streamer.StreamShard{Stream: "s", Shard: 0}] {
			t.Fatal("the shard is still paused")
		}
	})
}

// What a Stream offers lies below what another member was handed: a revocation
// waits for it as for what that one works on.
func TestARevocationWaitsForWhatAStreamOffers(t *testing.T) {
	for _, ack := range []streamer.AckPolicy{streamer.AckManual, streamer.AckOnDelivery} {
		t.Run(fmt.Sprint(ack), func(t *testing.T) {
			inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				list := r.members(2, streamer.ConsumerOptions{Ack: ack})
				offered := list[0].Stream(t.Context())
				synctest.Wait()
				r.add(0, 2)
				synctest.Wait()
				ackAll(r.expect(list[1], "0/2"))
				wait := r.revoke(false)
				r.sleep(100 * time.Millisecond)
				select {
				case m := <-offered:
					m.Ack()
				case <-time.After(time.Second):
					t.Error("0/1 is never delivered")
				}
				wait()
				if got := r.mark(0); got != 2 {
					t.Errorf("committed %d, want 2", got)
				}
			})
		})
	}
}

func TestACommitThatCloseCutsShortIsNoEndOfTheProgramsContext(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 1)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckManual, CommitEvery: streamer.Never})
		ackAll(r.take(c, 1))
		let := r.hold("commit")
		commit := background(func() error { return c.Commit(context.Background()) })
		synctest.Wait()
		time.AfterFunc(time.Second, let)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := commit(); errors.Is(err, context.Canceled) || !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("Commit = %v, want ErrClosed", err)
		}
	})
}

func TestEachMemberIsToldOfAShardThatWasLost(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{Ack: streamer.AckManual, CommitEvery: streamer.Never})
		r.add(0, 2)
		for _, c := range list {
			r.take(c, 1)
		}
		r.revoke(true)()
		for i, c := range list {
			if err := c.Commit(t.Context()); !errors.Is(err, streamer.ErrFenced) {
				t.Errorf("Commit of member %d = %v, want ErrFenced", i, err)
			}
			if err := c.Commit(t.Context()); err != nil {
				t.Errorf("the second Commit of member %d = %v", i, err)
			}
		}
	})
}

// askingHandler asks the consumer that logs.
type askingHandler struct {
	slog.Handler
	c *atomic.Pointer[consumer]
}

func (h askingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h askingHandler) Handle(context.Context, slog.Record) error {
	if c := h.c.Load(); c != nil {
		c.Assignment()
	}
	return nil
}

func TestALogHandlerMayAskTheConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, h := newFake(abilities{cursor: true}), askingHandler{slog.DiscardHandler, new(atomic.Pointer[consumer])}
		s, err := New(b, streamer.StreamerOptions{Logger: slog.New(h)})
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{b, t, s}
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		h.c.Store(c)
		r.fails("fetch", streamer.ErrDenied)
		r.add(0, 1)
		if _, err := c.Next(t.Context()); !errors.Is(err, streamer.ErrDenied) {
			t.Errorf("Next = %v, want ErrDenied", err)
		}
		_ = s.Close()
	})
}
