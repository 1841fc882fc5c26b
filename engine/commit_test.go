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

func TestCommitEvery(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: 3 * time.Second})
		ackAll(r.take(c, 4))
		r.sleep(2999 * time.Millisecond)
		r.called([]string{"open"})
		r.sleep(time.Millisecond)
		r.called(nil, "commit 0=4")
		r.sleep(time.Hour) // nothing new: nothing to commit
		r.called(nil)
		ackAll(r.take(c, 2))
		r.sleep(3 * time.Second)
		r.called(nil, "commit 0=6")
	})
}

func TestCommitEveryNever(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		ackAll(r.take(c, 4))
		r.sleep(time.Hour)
		r.called([]string{"open"})
		if err := c.Commit(t.Context()); err != nil || r.mark(0) != 4 {
			t.Fatalf("Commit = %v, committed %d", err, r.mark(0))
		}
		ackAll(r.take(c, 1))
		if err := c.Close(); err != nil || r.mark(0) != 5 {
			t.Fatalf("Close = %v, committed %d", err, r.mark(0))
		}
	})
}

func TestCommitStopsAtAGap(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		list := r.take(c, 10)
		ackAll(list[:3])
		ackAll(list[4:])
		r.sleep(time.Second)
		if r.mark(0) != 3 {
			t.Fatalf("committed %d over a gap, want 3", r.mark(0))
		}
		list[3].Ack()
		r.sleep(time.Second)
		if r.mark(0) != 10 {
			t.Fatalf("committed %d, want 10", r.mark(0))
		}
	})
}

func TestPerMessageCommitTellsExactlyTheAcknowledged(t *testing.T) {
	inBubble(t, abilities{acker: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
		list := r.take(c, 5)
		list[4].Ack()
		list[1].Ack()
		r.sleep(time.Second)
		list[2].Ack()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if got := r.ackedOf(0); !slices.Equal(got, []uint64{2, 5, 3}) {
			t.Fatalf("told %v, want 2 5 and then 3", got)
		}
	})
}

func TestAFailedCommitStaysAndIsRetried(t *testing.T) {
	for _, can := range []abilities{{cursor: true}, {acker: true}} {
		var commits seen[streamer.CommitEvent]
		var retried seen[streamer.RetryEvent]
		hooks := streamer.Hooks{
			Committed: commits.add,
			Retrying:  retried.add,
		}
		inBubble(t, can, streamer.StreamerOptions{Hooks: hooks}, func(t *testing.T, r *rig) {
			lost := errors.New("connection lost")
			r.fails("commit", lost, driver.Transient(lost, 0))
			r.fails("ack", lost, driver.Transient(lost, 0))
			r.add(0, 3)
			c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
			ackAll(r.take(c, 2))
			r.sleep(3 * time.Second)
			synctest.Wait()
			if can.cursor && r.mark(0) != 2 || can.acker && !slices.Equal(r.ackedOf(0), []uint64{1, 2}) {
				t.Fatalf("committed %d, acknowledged %v after two failures; want 2", r.mark(0), r.ackedOf(0))
			}
			r.add(0, 1)
			r.expect(c, "0/3", "0/4") // the consumer continues
			events, retries := commits.all(), retried.all()
			if len(events) != 3 || !errors.Is(events[0].Err, lost) || events[2].Err != nil || events[2].Group != "g" || events[2].Shards != 1 {
				t.Errorf("Committed reported %+v", events)
			}
			if len(retries) != 2 || retries[0].Op != "commit" || !errors.Is(retries[0].Err, lost) || retries[0].After != time.Second {
				t.Errorf("Retrying reported %+v", retries)
			}
		})
	}
}

func TestACommitThatCannotSucceedEndsTheConsumer(t *testing.T) {
	for _, kind := range []error{streamer.ErrFenced, streamer.ErrDenied, streamer.ErrNotFound} {
		inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.fails("commit", kind)
			r.add(0, 3)
			c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
			ackAll(r.take(c, 3))
			if _, err := c.Next(t.Context()); !errors.Is(err, kind) {
				t.Fatalf("Next = %v, want %v", err, kind)
			}
		})
	}
}

func TestCommitRetriesUntilItsContextEnds(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		lost := errors.New("connection lost")
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		ackAll(r.take(c, 2))
		r.fails("commit", driver.Transient(lost, 0), driver.Transient(lost, time.Second))
		if err := c.Commit(t.Context()); err != nil || r.mark(0) != 2 {
			t.Fatalf("Commit = %v, committed %d; want 2", err, r.mark(0))
		}

		ackAll(r.take(c, 1))
		r.fails("commit", slices.Repeat([]error{driver.Transient(lost, time.Second)}, 20)...)
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		if err := c.Commit(ctx); err != context.DeadlineExceeded {
			t.Fatalf("Commit = %v, want the context's own error", err)
		}
		r.change(func() { r.faults = map[string][]error{} })
		if err := c.Commit(t.Context()); err != nil || r.mark(0) != 3 {
			t.Fatalf("Commit = %v, committed %d; want 3", err, r.mark(0))
		}
	})
}

// The source says how long it wants to be left alone.
// TestManyAcknowledgementsAreToldBeforeTheirTime: each costs the source as much
// later as it does now, and waiting they cost memory.
func TestManyAcknowledgementsAreToldBeforeTheirTime(t *testing.T) {
	for _, x := range []struct {
		can   abilities
		every time.Duration
		early bool
	}{
		{abilities{acker: true}, time.Hour, true},
		{abilities{acker: true}, streamer.Never, false},
		{abilities{cursor: true}, time.Hour, false}, // any number is one position
	} {
		inBubble(t, x.can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			const total = 3 * crowdedAfter
			r.add(0, total)
			c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: x.every})
			for range total {
				ackAll(r.take(c, 1))
			}
			r.sleep(time.Minute)
			told := len(r.ackedOf(0))
			if early := told >= crowdedAfter; early != x.early || r.mark(0) != 0 {
				t.Errorf("commits every %v: %d of %d are told, committed %d", x.every, told, total, r.mark(0))
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if told := len(r.ackedOf(0)); x.can.acker && told != total {
				t.Errorf("%d of %d are told in the end", told, total)
			}
		})
	}
}

// TestACommitThatRestsIsNotHurried by many acknowledgements.
func TestACommitThatRestsIsNotHurried(t *testing.T) {
	inBubble(t, abilities{acker: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		const failures = 20
		r.add(0, 3*crowdedAfter)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: 10 * time.Millisecond, MaxInFlight: streamer.NoLimit})
		r.fails("ack", slices.Repeat([]error{driver.Transient(errors.New("busy"), time.Second)}, failures)...)
		ackAll(r.take(c, 10))
		r.sleep(20 * time.Millisecond)
		ackAll(r.take(c, 2*crowdedAfter))
		r.sleep(900 * time.Millisecond)
		r.change(func() {
			if tries := failures - len(r.faults["ack"]); tries != 1 {
				t.Errorf("%d tries within the second that the source has asked for, want 1", tries)
			}
		})
	})
}

func TestThePeriodicCommitRestsAsLongAsItIsAsked(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: 10 * time.Millisecond})
		r.fails("commit", slices.Repeat([]error{driver.Transient(errors.New("busy"), time.Second)}, 20)...)
		ackAll(r.take(c, 2))
		r.sleep(3500 * time.Millisecond)
		r.change(func() {
			if tries := 20 - len(r.faults["commit"]); tries != 4 {
				t.Errorf("%d tries in 3.5 s, want one at once and one each second", tries)
			}
		})
	})
}

func TestCommitReportsAFinalFailure(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 1)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		ackAll(r.take(c, 1))
		r.fails("commit", streamer.ErrFenced)
		err := c.Commit(t.Context())
		e, ok := errors.AsType[*streamer.Error](err)
		if !ok || e.Kind != streamer.ErrFenced || e.Op != "commit" || e.Backend != "fake" {
			t.Fatalf("Commit = %v, want ErrFenced of commit", err)
		}
	})
}

func TestCommitWithAnEndedContextDoesNothing(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 1)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		ackAll(r.take(c, 1))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Commit(ctx); err != context.Canceled {
			t.Fatalf("Commit = %v", err)
		}
		r.called([]string{"open"})
	})
}

func TestShardsAreCommittedInOneRequest(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 3
		for id := range 3 {
			r.add(streamer.ShardID(id), 2)
		}
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		ackAll(r.take(c, 5))
		r.sleep(time.Second)
		r.called([]string{"open"}, "commit 0=2 1=2 2=1")
	})
}

func TestCommitInRealTimeIsNothing(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 1)
		c := r.consumer(streamer.ConsumerOptions{})
		ackAll(r.take(c, 1))
		if err := c.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.sleep(time.Hour)
		r.called([]string{"open"})
	})
}

func TestSkippedAndProgressAreCommitted(t *testing.T) {
	var skipped seen[streamer.SkipEvent]
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{Skipped: skipped.add}}
	inBubble(t, abilities{cursor: true}, o, func(t *testing.T, r *rig) {
		at := streamer.StreamShard{Stream: "s", Shard: 0}
		r.add(0, 2)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		list := r.take(c, 2)
		broken := errors.New("not a message")
		r.source(0).c.Skipped(at, streamer.SeqUint(3), broken)
		r.source(0).c.Progress(driver.Mark{StreamShard: at, Seq: streamer.SeqUint(7)})
		list[0].Ack()
		r.sleep(time.Second)
		r.called([]string{"open"}, "commit 0=1")
		list[1].Ack()
		r.sleep(time.Second)
		r.called(nil, "commit 0=7")
		skips := skipped.all()
		if len(skips) != 1 || skips[0].Seq != streamer.SeqUint(3) || skips[0].StreamShard != at || skips[0].Err != broken {
			t.Errorf("Skipped reported %+v", skips)
		}
	})
}

func TestCommitWaitsForTheOneUnderWayUntilItsContextEnds(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 2)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		ackAll(r.take(c, 1))
		release := r.hold("commit")
		r.sleep(time.Second) // the periodic one hangs
		ackAll(r.take(c, 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Commit(ctx); err != context.DeadlineExceeded {
			t.Errorf("Commit = %v", err)
		}
		committed := background(func() error { return c.Commit(context.Background()) })
		synctest.Wait()
		release()
		if err := committed(); err != nil || r.mark(0) != 2 {
			t.Errorf("Commit = %v, committed %d; want 2", err, r.mark(0))
		}
	})
}
