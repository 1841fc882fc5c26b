package engine

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
)

func TestAMoveIsANewSession(t *testing.T) {
	tests := []struct {
		name  string
		mode  streamer.ConsumerMode
		to    streamer.Position
		calls []string
		next  string
	}{
		{"realtime opens before it closes", streamer.RealTime, streamer.Beginning(), []string{"open realtime beginning", "close"}, "0/1"},
		{"realtime to a time", streamer.RealTime, streamer.AtTime(fakeTime(7)), []string{"open realtime at 1970-01-01T00:00:07Z", "close"}, "0/7"},
		{"realtime at", streamer.RealTime, streamer.At(streamer.SeqUint(6)), []string{"open realtime at 6", "close"}, "0/6"},
		{"realtime after", streamer.RealTime, streamer.After(streamer.SeqUint(6)), []string{"open realtime after 6", "close"}, "0/7"},
		{"resumable commits and closes first", streamer.Resumable, streamer.At(streamer.SeqUint(5)), []string{"commit 0=2", "close", "open resumable at 5"}, "0/5"},
		{"resumable back to what is committed", streamer.Resumable, streamer.Committed(), []string{"commit 0=2", "close", "open resumable committed"}, "0/3"},
		{"a member leaves its group", streamer.LoadBalanced, streamer.Beginning(), []string{"commit 0=2", "open realtime beginning", "close"}, "0/1"},
		{"a member that stays opens anew", streamer.LoadBalanced, streamer.Committed(), []string{"commit 0=2", "close", "open load-balanced committed"}, "0/3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 10)
				c := r.consumer(streamer.ConsumerOptions{Mode: tt.mode, CommitEvery: streamer.Never})
				list := r.take(c, 4)
				ackAll(list[:2])
				r.history()
				if err := c.Rewind(t.Context(), tt.to); err != nil {
					t.Fatal(err)
				}
				r.called(nil, tt.calls...)
				if list[2].Ack() {
					t.Error("an Ack of before the move counted")
				}
				r.expect(c, tt.next)
				r.sleep(time.Minute)
				r.called(nil) // no commit of the old position lands after
			})
		})
	}
}

func TestSeekIsRewindToATime(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		if err := c.Seek(t.Context(), fakeTime(4)); err != nil {
			t.Fatal(err)
		}
		r.expect(c, "0/4")
		if err := c.Seek(t.Context(), fakeTime(100)); err != nil {
			t.Fatal(err)
		}
		r.add(0, 1)
		r.expect(c, "0/11")
	})
}

func TestRewindToCommittedJoinsTheGroupAgain(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		ackAll(r.take(c, 2))
		if err := c.Rewind(t.Context(), streamer.At(streamer.SeqUint(8))); err != nil {
			t.Fatal(err)
		}
		if m := r.expect(c, "0/8")[0]; m.Ack() {
			t.Error("an Ack counted outside the group")
		}
		if err := c.Commit(t.Context()); !errors.Is(err, streamer.ErrUnsupported) {
			t.Errorf("Commit outside the group = %v, want ErrUnsupported", err)
		}
		r.history()
		if err := c.Rewind(t.Context(), streamer.Committed()); err != nil {
			t.Fatal(err)
		}
		r.called(nil, "open load-balanced committed", "close")
		ackAll(r.expect(c, "0/3"))
		if err := c.Commit(t.Context()); err != nil || r.mark(0) != 3 {
			t.Errorf("Commit = %v, committed %d; want 3", err, r.mark(0))
		}
	})
}

func TestAFailedMoveLeavesTheConsumerWhereItWas(t *testing.T) {
	tests := []struct {
		name  string
		mode  streamer.ConsumerMode
		op    string
		err   error
		calls []string
		next  string
	}{
		{"realtime", streamer.RealTime, "open", streamer.ErrDenied, []string{"open realtime beginning"}, "0/4"},
		{"resumable that cannot commit", streamer.Resumable, "commit", streamer.ErrThrottled, []string{"commit 0=2"}, "0/4"},
		{"group that cannot commit", streamer.LoadBalanced, "commit", streamer.ErrThrottled, []string{"commit 0=2"}, "0/4"},
		{"group that cannot leave", streamer.LoadBalanced, "open", streamer.ErrDenied, []string{"commit 0=2", "open realtime beginning"}, "0/4"},
		{"resumable that cannot open falls back to what is committed", streamer.Resumable, "open", streamer.ErrDenied,
			[]string{"commit 0=2", "close", "open resumable beginning", "open resumable committed"}, "0/3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 10)
				c := r.consumer(streamer.ConsumerOptions{Mode: tt.mode, CommitEvery: streamer.Never})
				ackAll(r.take(c, 3)[:2])
				r.history()
				r.fails(tt.op, tt.err)
				if err := c.Rewind(t.Context(), streamer.Beginning()); !errors.Is(err, tt.err) {
					t.Fatalf("Rewind = %v, want %v", err, tt.err)
				}
				r.called(nil, tt.calls...)
				r.expect(c, tt.next)
				if err := c.Rewind(t.Context(), streamer.Beginning()); err != nil {
					t.Fatalf("the next Rewind = %v", err)
				}
				r.expect(c, "0/1")
			})
		})
	}
}

func TestAFailedMoveKeepsAcksOfWhatIsHeld(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		list := r.take(c, 3)
		r.fails("open", streamer.ErrDenied)
		if err := c.Rewind(t.Context(), streamer.Beginning()); err == nil {
			t.Fatal("Rewind succeeded")
		}
		ackAll(list)
		if err := c.Commit(t.Context()); err != nil || r.mark(0) != 3 {
			t.Fatalf("Commit = %v, committed %d; want 3", err, r.mark(0))
		}
	})
}

func TestAResumableThatCannotFallBackIsStoppedUntilTheNextMove(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		blocked := background(func() error { r.take(c, 10); _, err := c.Next(t.Context()); return err })
		synctest.Wait()
		r.fails("open", streamer.ErrBusy, streamer.ErrDenied)
		if err := c.Rewind(t.Context(), streamer.Beginning()); !errors.Is(err, streamer.ErrBusy) {
			t.Fatalf("Rewind = %v, want ErrBusy", err)
		}
		if err := blocked(); !errors.Is(err, streamer.ErrBusy) {
			t.Errorf("a blocked Next = %v, want ErrBusy", err)
		}
		_, next := c.Next(t.Context())
		_, lag := c.Lag(t.Context())
		for name, err := range map[string]error{"Next": next, "Lag": lag, "Commit": c.Commit(t.Context())} {
			if !errors.Is(err, streamer.ErrBusy) {
				t.Errorf("%s = %v, want ErrBusy", name, err)
			}
		}
		if n := len(c.Assignment()); n != 0 {
			t.Errorf("%d shards assigned", n)
		}
		if err := c.Rewind(t.Context(), streamer.Beginning()); err != nil {
			t.Fatalf("the next Rewind = %v", err)
		}
		r.expect(c, "0/1")
	})
}

func TestAStoppedConsumerCloses(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		r.fails("open", streamer.ErrBusy, streamer.ErrBusy)
		_ = c.Rewind(t.Context(), streamer.Beginning())
		if err := c.Close(); err != nil {
			t.Fatalf("Close = %v", err)
		}
		if _, err := c.Next(t.Context()); !errors.Is(err, streamer.ErrClosed) {
			t.Fatalf("Next = %v, want ErrClosed", err)
		}
	})
}

func TestAMoveWhoseContextEnds(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.add(0, 10)
			c := r.consumer(streamer.ConsumerOptions{Mode: mode})
			ackAll(r.take(c, 2))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			release := r.hold("open")
			time.AfterFunc(2*time.Second, release)
			if err := c.Rewind(ctx, streamer.Beginning()); err != context.DeadlineExceeded {
				t.Fatalf("mode %d: Rewind = %v, want the context's own error", mode, err)
			}
			r.expect(c, "0/3")
			if err := c.Rewind(ctx, streamer.Beginning()); err != context.DeadlineExceeded {
				t.Fatalf("mode %d: Rewind with an ended context = %v", mode, err)
			}
			r.expect(c, "0/4")
		})
	}
}

func TestTakersBlockedDuringAMoveGetTheNewSessionsMessage(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.add(0, 10)
			c := r.consumer(streamer.ConsumerOptions{Mode: mode})
			r.take(c, 3)
			stream := c.Stream(t.Context())
			synctest.Wait() // it offers 0/4
			release := r.hold("open")
			moved := background(func() error { return c.Rewind(t.Context(), streamer.At(streamer.SeqUint(9))) })
			synctest.Wait()
			r.nothing(c, time.Second)
			next := background(func() []string { return valuesOf(r.take(c, 2)) })
			synctest.Wait()
			release()
			if err := moved(); err != nil {
				t.Fatal(err)
			}
			r.add(0, 1)
			got := append(next(), string((<-stream).Value))
			slices.Sort(got)
			if want := []string{"0/10", "0/11", "0/9"}; !slices.Equal(got, want) {
				t.Fatalf("mode %d: got %v, want %v", mode, got, want)
			}
		})
	}
}

func TestMovesAreSerialised(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		r.history()
		release := r.hold("open")
		var moves []func() error
		for i := range 5 {
			moves = append(moves, background(func() error { return c.Rewind(t.Context(), streamer.At(streamer.SeqUint(uint64(i+1)))) }))
		}
		commit := background(func() error { return c.Commit(t.Context()) })
		synctest.Wait()
		if calls := r.history("commit"); len(calls) != 2 {
			t.Fatalf("calls %q while the first move is under way, want one close and one open", calls)
		}
		release()
		for _, wait := range moves {
			if err := wait(); err != nil {
				t.Errorf("Rewind = %v", err)
			}
		}
		if err := commit(); err != nil {
			t.Errorf("Commit = %v", err)
		}
		calls := r.history("commit")
		for i, call := range calls {
			if want := []string{"close", "open "}[i%2]; call[:5] != want {
				t.Fatalf("calls %q, want close and open in turn", calls)
			}
		}
		last := calls[len(calls)-1]
		r.expect(c, "0/"+last[len(last)-1:])
	})
}

func TestCloseDuringAMove(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.add(0, 10)
			c := r.consumer(streamer.ConsumerOptions{Mode: mode, CommitEvery: streamer.Never})
			ackAll(r.take(c, 2))
			r.hold("open")
			moved := background(func() error { return c.Rewind(t.Context(), streamer.Beginning()) })
			synctest.Wait()
			if err := c.Close(); err != nil {
				t.Errorf("mode %d: Close = %v", mode, err)
			}
			if err := moved(); !errors.Is(err, streamer.ErrClosed) {
				t.Errorf("mode %d: Rewind = %v, want ErrClosed", mode, err)
			}
			if _, err := c.Next(t.Context()); !errors.Is(err, streamer.ErrClosed) {
				t.Errorf("mode %d: Next = %v, want ErrClosed", mode, err)
			}
			if mode != streamer.RealTime && r.mark(0) != 2 {
				t.Errorf("mode %d: committed %d, want 2", mode, r.mark(0))
			}
		})
	}
}

func TestAfterCloseNothingMoves(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		_ = c.Close()
		_, lag := c.Lag(t.Context())
		errs := map[string]error{
			"Rewind": c.Rewind(t.Context(), streamer.Beginning()), "Seek": c.Seek(t.Context(), fakeTime(1)), "Commit": c.Commit(t.Context()),
			"Assign": c.Assign("s", 0), "Unassign": c.Unassign("s", 0), "Lag": lag,
		}
		for name, err := range errs {
			if !errors.Is(err, streamer.ErrClosed) {
				t.Errorf("%s = %v, want ErrClosed", name, err)
			}
		}
		if c.Assignment() != nil {
			t.Error("shards are assigned")
		}
	})
}

func TestWhatWaitsForAMoveEndsWithItsContext(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		release := r.hold("open")
		moved := background(func() error { return c.Rewind(context.Background(), streamer.Beginning()) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, next := c.Next(ctx)
		_, lag := c.Lag(ctx)
		for name, err := range map[string]error{"Next": next, "Lag": lag, "Commit": c.Commit(ctx), "Rewind": c.Rewind(ctx, streamer.End())} {
			if err != context.DeadlineExceeded {
				t.Errorf("%s = %v, want the context's own error", name, err)
			}
		}
		release()
		if err := moved(); err != nil {
			t.Error(err)
		}
	})
}

func TestAMoveSucceedsThoughTheOldSourceDoesNotClose(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{})
		r.take(c, 2)
		r.fails("close", errors.New("lost"))
		if err := c.Rewind(t.Context(), streamer.Beginning()); err != nil {
			t.Fatal(err)
		}
		r.expect(c, "0/1")
	})
}
