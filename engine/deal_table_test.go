package engine

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestMembersMustHaveTheSameOptions(t *testing.T) {
	one := streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Streams: []string{"s"}}
	tests := []struct {
		name   string
		change func(o *streamer.ConsumerOptions)
		want   error
	}{
		{"the same", func(o *streamer.ConsumerOptions) {}, nil},
		{"another name", func(o *streamer.ConsumerOptions) { o.Name = "me" }, nil},
		{"an equal Start", func(o *streamer.ConsumerOptions) { o.Start = streamer.Position{} }, nil},
		{"ack", func(o *streamer.ConsumerOptions) { o.Ack = streamer.AckDelayed }, streamer.ErrInvalid},
		{"commit", func(o *streamer.ConsumerOptions) { o.CommitEvery = time.Minute }, streamer.ErrInvalid},
		{"reset", func(o *streamer.ConsumerOptions) { o.AutoReset = streamer.ResetError }, streamer.ErrInvalid},
		{"start", func(o *streamer.ConsumerOptions) { o.Start = streamer.Beginning() }, streamer.ErrInvalid},
		{"window", func(o *streamer.ConsumerOptions) { o.MaxInFlight = 3 }, streamer.ErrInvalid},
		{"prefetch", func(o *streamer.ConsumerOptions) { o.Prefetch = 3 }, streamer.ErrInvalid},
		{"overlapping streams", func(o *streamer.ConsumerOptions) { o.Streams = []string{"s", "t"} }, streamer.ErrInvalid},
		{"other streams", func(o *streamer.ConsumerOptions) { o.Streams = []string{"t"} }, nil},
		{"another group", func(o *streamer.ConsumerOptions) { o.Group, o.Prefetch = "h", 3 }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.consumer(one)
				o := one
				tt.change(&o)
				if _, err := r.tryConsumer(o); !errors.Is(err, tt.want) {
					t.Fatalf("Consumer = %v, want %v", err, tt.want)
				}
			})
		})
	}
}

func TestEqualEachAreTheSameStart(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		each := func(n uint64) streamer.Position {
			return streamer.Each(map[streamer.StreamShard]streamer.Position{{Stream: "s", Shard: 0}: streamer.At(streamer.SeqUint(n))})
		}
		r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Start: each(1)})
		r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Start: each(1)})
		if _, err := r.tryConsumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Start: each(2)}); !errors.Is(err, streamer.ErrInvalid) {
			t.Fatalf("Consumer = %v, want ErrInvalid", err)
		}
	})
}

func TestTheLastMemberClosesTheSource(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(3, streamer.ConsumerOptions{})
		r.history()
		for _, c := range list[:2] {
			_ = c.Close()
		}
		r.called(nil)
		_ = list[2].Close()
		r.called(nil, "close")
		r.members(1, streamer.ConsumerOptions{}) // a new group of the same name
		r.called([]string{"open load-balanced"}, "open resumable committed")
	})
}

func TestAGroupWithoutPositionsReadsInRealTime(t *testing.T) {
	can := dealtCan
	can.forgetful, can.cursor = true, false
	inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{})
		r.called([]string{"open load-balanced"}, "open resumable committed", "open realtime committed")
		r.change(func() { clear(r.source0().next) })
		r.add(0, 4)
		r.expect(list[0], "0/1", "0/3")
		_ = list[0].Close()
		r.expect(list[1], upTo(0, 1, 4)...) // also here a leaving member's work continues
	})
}

func TestAFailedOpenIsTheFirstMembersAlone(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		release := r.hold("open")
		first := background(func() error {
			_, err := r.tryConsumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
			return err
		})
		synctest.Wait()
		r.fails("open", driver.ErrNoGroups, streamer.ErrBusy) // load-balanced, then resumable
		second := background(func() error {
			_, err := r.tryConsumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
			return err
		})
		synctest.Wait()
		release()
		errs := []error{first(), second()}
		failed := 0
		for _, err := range errs {
			if errors.Is(err, streamer.ErrBusy) {
				failed++
			} else if err != nil {
				t.Errorf("Consumer = %v", err)
			}
		}
		if failed != 1 {
			t.Errorf("Consumer = %v, want one failure: the other tries by itself", errs)
		}
	})
}

func TestJoiningAGroupThatIsBeingOpenedEndsWithItsContext(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		var d dealTable
		opened := make(chan struct{})
		o := r.s.(*engine).observer("g")
		opening := background(func() error {
			return d.join(t.Context(), "g", groupOptions{streams: []string{"s"}}, newQueue(nil, o), func(*session) error {
				<-opened
				return streamer.ErrBusy
			})
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := d.join(ctx, "g", groupOptions{streams: []string{"s"}}, newQueue(nil, o), func(*session) error { return nil })
		if err != context.DeadlineExceeded {
			t.Errorf("join = %v", err)
		}
		close(opened)
		if err := opening(); !errors.Is(err, streamer.ErrBusy) {
			t.Errorf("the first join = %v", err)
		}
		if n := d.Members("s", "g"); n != 0 {
			t.Errorf("%d members of a group that was not opened", n)
		}
	})
}

// dealerFake is a fakeBackend whose log outlives a Streamer.
type dealerFake struct {
	*fakeBackend
	deals *driver.Deals
}

func (d dealerFake) Deals() *driver.Deals { return d.deals }

func TestAGroupSpansStreamersWhereTheBackendKeepsTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := dealerFake{newFake(dealtCan), &driver.Deals{}}
		var rigs []*rig
		var list []*consumer
		for range 2 {
			s, err := New(b, streamer.StreamerOptions{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			r := &rig{b.fakeBackend, t, s}
			rigs, list = append(rigs, r), append(list, r.members(1, streamer.ConsumerOptions{})...)
		}
		if n := b.deals.Members("s", "g"); n != 2 {
			t.Errorf("%d members, want 2", n)
		}
		if n := b.deals.Members("t", "g") + b.deals.Members("s", "h"); n != 0 {
			t.Errorf("%d members of other groups", n)
		}
		b.add(0, 2)
		rigs[0].expect(list[0], "0/1")
		if err := rigs[0].s.Close(); err != nil {
			t.Error(err)
		}
		ackAll(rigs[1].expect(list[1], "0/1", "0/2"))
		if err := rigs[1].s.Close(); err != nil || b.mark(0) != 2 {
			t.Errorf("Close = %v, committed %d; want 2", err, b.mark(0))
		}
		if n := b.deals.Members("s", "g"); n != 0 {
			t.Errorf("%d members are left", n)
		}
	})
}

func TestAMemberThatMovesLeavesItsGroupAndCanComeBack(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{CommitEvery: streamer.Never})
		r.add(0, 4)
		held := r.expect(list[0], "0/1", "0/3")
		if err := list[0].Rewind(t.Context(), streamer.After(streamer.SeqUint(3))); err != nil {
			t.Fatal(err)
		}
		r.expect(list[0], "0/4")
		if held[0].Ack() {
			t.Error("an Ack of before the move counted")
		}
		ackAll(r.expect(list[1], upTo(0, 1, 4)...))
		if err := list[0].Rewind(t.Context(), streamer.Committed()); err != nil {
			t.Fatal(err)
		}
		r.add(0, 2)
		got := append(valuesOf(r.drain(list[0])), valuesOf(r.drain(list[1]))...)
		if len(got) != 2 {
			t.Fatalf("the members got %v, want both messages once", got)
		}
	})
}

func TestAMemberThatComesWhileTheLastLeavesOpensAnew(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		last := r.members(1, streamer.ConsumerOptions{})[0]
		release := r.hold("close")
		closed := background(last.Close)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		o := streamer.ConsumerOptions{Streams: []string{"s"}, Mode: streamer.LoadBalanced, Group: "g", Prefetch: 3} // other options: the old group is over
		if _, err := r.s.Consumer(ctx, o); err != context.DeadlineExceeded {
			t.Fatalf("Consumer = %v, want the context's own error", err)
		}
		joined := background(func() error { _, err := r.s.Consumer(t.Context(), o); return err })
		synctest.Wait()
		r.called([]string{"open"}, "close")
		release()
		if err := errors.Join(closed(), joined()); err != nil {
			t.Fatal(err)
		}
		r.called([]string{"open load-balanced"}, "open resumable committed")
	})
}

func TestARevokedShardOfAGroupForgetsWhatIsOnItsWayToAnother(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{CommitEvery: streamer.Never})
		r.add(0, 4)
		r.expect(list[0], "0/1", "0/3")
		_ = list[0].Close()
		held := r.expect(list[1], "0/1", "0/2") // 0/3 and 0/4 are not handed out
		wait := r.revoke(false)
		ackAll(held)
		if wait(); r.mark(0) != 2 {
			t.Errorf("committed %d, want 2", r.mark(0))
		}
		r.nothing(list[1], time.Second)
		if n := r.fetchedAndHeld(list[1]); n != 0 {
			t.Errorf("%d messages are held", n)
		}
	})
}
