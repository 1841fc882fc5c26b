package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestNothingIsDeliveredAfterACommitFailedForGood(t *testing.T) {
	for name, can := range map[string]abilities{"alone": {cursor: true}, "dealt": dealtCan} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 5000)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: time.Second, Prefetch: 100})
				ackAll(r.take(c, 10))
				r.fails("commit", streamer.ErrFenced)
				r.sleep(2 * time.Second)
				for range 3 {
					if m, err := c.Next(t.Context()); !errors.Is(err, streamer.ErrFenced) {
						t.Fatalf("Next = %v, %v; want ErrFenced", valuesOf([]*streamer.Message{m}), err)
					}
				}
				if batch, err := c.NextBatch(t.Context(), 10); !errors.Is(err, streamer.ErrFenced) {
					t.Fatalf("NextBatch = %d messages, %v; want ErrFenced", len(batch), err)
				}
				for m := range c.Stream(t.Context()) {
					t.Fatalf("Stream delivers %s", m.Value)
				}
				if err := c.Err(); !errors.Is(err, streamer.ErrFenced) {
					t.Fatalf("Err = %v, want ErrFenced", err)
				}
				was := r.source(0).fetched()
				r.add(0, 1000)
				if r.sleep(time.Minute); r.source(0).fetched() != was {
					t.Error("messages are still fetched")
				}
				_ = c.Close()
			})
		})
	}
}

func TestATransientCommitOfALostShardDoesNotStopTheConsumer(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 4)
		r.add(1, 4)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: time.Second})
		ackAll(r.take(c, 4))
		r.fails("commit", driver.Transient(streamer.ErrFenced, 0), driver.Transient(streamer.ErrNotFound, 0))
		r.sleep(5 * time.Second)
		ackAll(r.take(c, 4))
		r.add(0, 4)
		ackAll(r.expect(c, upTo(0, 5, 8)...))
		r.sleep(2 * time.Second)
		if r.mark(0) != 8 || r.mark(1) != 4 {
			t.Fatalf("committed %d and %d, want 8 and 4", r.mark(0), r.mark(1))
		}
	})
}

func TestCloseEndsACommitThatIsRetried(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 4)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		ackAll(r.take(c, 4))
		r.fails("commit", slices.Repeat([]error{driver.Transient(errors.New("away"), time.Minute)}, 3)...)
		commit := background(func() error { return c.Commit(context.Background()) })
		r.sleep(time.Second)
		r.change(func() { delete(r.faults, "commit") })
		from := time.Now()
		if err := c.Close(); err != nil || time.Since(from) > time.Second {
			t.Errorf("Close = %v after %v, want it not to wait for the retries of Commit", err, time.Since(from))
		}
		if err := commit(); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("Commit = %v, want ErrClosed", err)
		}
		if got := r.mark(0); got != 4 {
			t.Errorf("committed %d, want 4", got)
		}
	})
}

func TestCommitSaysThatAShardWhoseRunsAreForgottenWasLost(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 200)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never, Prefetch: 20})
		ackAll(r.take(c, 100))
		r.sleep(2 * time.Second) // their runs are forgotten
		r.revoke(true)()
		r.comesBack(0)
		ackAll(r.expect(c, upTo(0, 1, 1)...))
		if err := c.Commit(t.Context()); !errors.Is(err, streamer.ErrFenced) {
			t.Fatalf("Commit = %v, want ErrFenced: what was acknowledged comes a second time", err)
		}
	})
}

// A move that ignores its context finishes some time after Close.
func TestAMoveThatCloseGaveUpOnLeavesNothingOpen(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		t.Run(modeName(mode), func(t *testing.T) {
			b := &deafBackend{fakeBackend: newFake(abilities{cursor: true}), hold: make(chan struct{})}
			synctest.Test(t, func(t *testing.T) {
				b.hold = make(chan struct{})
				b.changed = make(chan struct{})
				s, err := New(b, streamer.StreamerOptions{Logger: quiet, CloseTimeout: time.Second})
				if err != nil {
					t.Fatal(err)
				}
				r := &rig{b.fakeBackend, t, s}
				r.add(0, 10)
				c := r.consumer(streamer.ConsumerOptions{Mode: mode, CommitEvery: streamer.Never})
				r.take(c, 2)
				b.deaf.Store(true)
				move := background(func() error { return c.Rewind(context.Background(), streamer.Beginning()) })
				synctest.Wait()
				_ = c.Close()
				close(b.hold)
				if err := move(); !errors.Is(err, streamer.ErrClosed) {
					t.Errorf("Rewind = %v after Close, want ErrClosed", err)
				}
				_ = s.Close()
				synctest.Wait()
				for i, src := range r.sources {
					if !src.closed {
						t.Errorf("source %d is still open", i)
					}
				}
				for _, breach := range r.breaches {
					t.Error(breach)
				}
			})
		})
	}
}

var quiet = slog.New(slog.DiscardHandler)

// deafBackend opens a source when its test lets it, whatever happens to the
// context.
type deafBackend struct {
	*fakeBackend
	deaf atomic.Bool
	hold chan struct{}
}

func (b *deafBackend) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	if b.deaf.Load() {
		<-b.hold
		ctx = context.WithoutCancel(ctx)
	}
	return b.fakeBackend.OpenSource(ctx, c)
}

// An Ack either is committed by Close or says that it did not count.
func TestAnAckThatRacesWithCloseIsCommittedOrDoesNotCount(t *testing.T) {
	for _, can := range []abilities{{cursor: true}, {acker: true}} {
		inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.add(0, 4)
			c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
			list := r.take(c, 4)
			ackAll(list[:2])
			op := map[bool]string{true: "commit", false: "ack"}[can.cursor]
			release := r.hold(op)
			closed := background(c.Close)
			synctest.Wait() // the last commit is under way
			if list[2].Ack() {
				t.Error("an Ack that came after the last commit began counted")
			}
			release()
			if err := closed(); err != nil {
				t.Fatal(err)
			}
			if list[3].Ack() {
				t.Error("an Ack after Close counted")
			}
		})
	}
}
