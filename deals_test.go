package streamer

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestMembersMustHaveTheSameOptions(t *testing.T) {
	one := ConsumerOptions{Mode: LoadBalanced, Streams: []string{"s"}}
	tests := []struct {
		name   string
		change func(o *ConsumerOptions)
		want   error
	}{
		{"the same", func(o *ConsumerOptions) {}, nil},
		{"another name", func(o *ConsumerOptions) { o.Name = "me" }, nil},
		{"an equal Start", func(o *ConsumerOptions) { o.Start = Position{} }, nil},
		{"ack", func(o *ConsumerOptions) { o.Ack = AckDelayed }, ErrInvalid},
		{"commit", func(o *ConsumerOptions) { o.CommitEvery = time.Minute }, ErrInvalid},
		{"reset", func(o *ConsumerOptions) { o.AutoReset = ResetError }, ErrInvalid},
		{"start", func(o *ConsumerOptions) { o.Start = Beginning() }, ErrInvalid},
		{"window", func(o *ConsumerOptions) { o.MaxInFlight = 3 }, ErrInvalid},
		{"prefetch", func(o *ConsumerOptions) { o.Prefetch = 3 }, ErrInvalid},
		{"overlapping streams", func(o *ConsumerOptions) { o.Streams = []string{"s", "t"} }, ErrInvalid},
		{"other streams", func(o *ConsumerOptions) { o.Streams = []string{"t"} }, nil},
		{"another group", func(o *ConsumerOptions) { o.Group, o.Prefetch = "h", 3 }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, dealtCan, StreamerOptions{}, func(t *testing.T, r *rig) {
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
	inBubble(t, dealtCan, StreamerOptions{}, func(t *testing.T, r *rig) {
		each := func(n uint64) Position { return Each(map[StreamShard]Position{{"s", 0}: At(SeqUint(n))}) }
		r.consumer(ConsumerOptions{Mode: LoadBalanced, Start: each(1)})
		r.consumer(ConsumerOptions{Mode: LoadBalanced, Start: each(1)})
		if _, err := r.tryConsumer(ConsumerOptions{Mode: LoadBalanced, Start: each(2)}); !errors.Is(err, ErrInvalid) {
			t.Fatalf("Consumer = %v, want ErrInvalid", err)
		}
	})
}

func TestTheLastMemberClosesTheSource(t *testing.T) {
	inBubble(t, dealtCan, StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(3, ConsumerOptions{})
		r.history()
		for _, c := range list[:2] {
			_ = c.Close()
		}
		r.called(nil)
		_ = list[2].Close()
		r.called(nil, "close")
		r.members(1, ConsumerOptions{}) // a new group of the same name
		r.called([]string{"open load-balanced"}, "open resumable committed")
	})
}

func TestAGroupWithoutPositionsReadsInRealTime(t *testing.T) {
	can := dealtCan
	can.forgetful, can.cursor = true, false
	inBubble(t, can, StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, ConsumerOptions{})
		r.called([]string{"open load-balanced"}, "open resumable committed", "open realtime committed")
		r.change(func() { clear(r.source0().next) })
		r.add(0, 4)
		r.expect(list[0], "0/1", "0/3")
		_ = list[0].Close()
		r.expect(list[1], upTo(0, 1, 4)...) // also here a leaving member's work goes on
	})
}

func TestAFailedOpenIsTheFirstMembersAlone(t *testing.T) {
	inBubble(t, dealtCan, StreamerOptions{}, func(t *testing.T, r *rig) {
		release := r.hold("open")
		first := background(func() error { _, err := r.tryConsumer(ConsumerOptions{Mode: LoadBalanced}); return err })
		synctest.Wait()
		r.fails("open", ErrNoGroups, ErrBusy) // load-balanced, then resumable
		second := background(func() error { _, err := r.tryConsumer(ConsumerOptions{Mode: LoadBalanced}); return err })
		synctest.Wait()
		release()
		errs := []error{first(), second()}
		failed := 0
		for _, err := range errs {
			if errors.Is(err, ErrBusy) {
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
	inBubble(t, dealtCan, StreamerOptions{}, func(t *testing.T, r *rig) {
		var d dealTable
		opened := make(chan struct{})
		o := r.s.(*engine).observer("g")
		opening := background(func() error {
			return d.join(t.Context(), "g", groupOptions{streams: []string{"s"}}, newQueue(nil, o), func(*session) error {
				<-opened
				return ErrBusy
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
		if err := opening(); !errors.Is(err, ErrBusy) {
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
	deals *Deals
}

func (d dealerFake) Deals() *Deals { return d.deals }

func TestAGroupSpansStreamersWhereTheBackendKeepsTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := dealerFake{newFake(dealtCan), &Deals{}}
		var rigs []*rig
		var list []*consumer
		for range 2 {
			s, err := New(b, StreamerOptions{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			r := &rig{b.fakeBackend, t, s}
			rigs, list = append(rigs, r), append(list, r.members(1, ConsumerOptions{})...)
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
	inBubble(t, dealtCan, StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, ConsumerOptions{CommitEvery: Never})
		r.add(0, 4)
		held := r.expect(list[0], "0/1", "0/3")
		if err := list[0].Rewind(t.Context(), After(SeqUint(3))); err != nil {
			t.Fatal(err)
		}
		r.expect(list[0], "0/4")
		if held[0].Ack() {
			t.Error("an Ack of before the move counted")
		}
		ackAll(r.expect(list[1], upTo(0, 1, 4)...))
		if err := list[0].Rewind(t.Context(), Committed()); err != nil {
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
	inBubble(t, dealtCan, StreamerOptions{}, func(t *testing.T, r *rig) {
		last := r.members(1, ConsumerOptions{})[0]
		release := r.hold("close")
		closed := background(last.Close)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		o := ConsumerOptions{Streams: []string{"s"}, Mode: LoadBalanced, Group: "g", Prefetch: 3} // other options: the old group is over
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
	inBubble(t, dealtCan, StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, ConsumerOptions{CommitEvery: Never})
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
