package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
)

var dealtCan = abilities{cursor: true, dealt: true, room: true}

// members opens n members of one group.
func (r *rig) members(n int, o streamer.ConsumerOptions) []*consumer {
	r.t.Helper()
	o.Mode = streamer.LoadBalanced
	var list []*consumer
	for range n {
		list = append(list, r.consumer(o))
	}
	return list
}

// drain takes what a member can have without waiting for others.
func (r *rig) drain(c *consumer) []*streamer.Message { return r.drainSome(c, math.MaxInt) }

// drainSome takes n messages, or fewer when none comes for a millisecond.
func (r *rig) drainSome(c *consumer, n int) []*streamer.Message {
	var list []*streamer.Message
	for len(list) < n {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		m, err := c.Next(ctx)
		if cancel(); err != nil {
			break
		}
		list = append(list, m)
	}
	return list
}

func TestMembersTakeTurnsAtMessagesWithoutAKey(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(3, streamer.ConsumerOptions{})
		r.add(0, 9)
		var got [][]string
		for _, c := range list {
			got = append(got, valuesOf(r.drain(c)))
		}
		want := [][]string{{"0/1", "0/4", "0/7"}, {"0/2", "0/5", "0/8"}, {"0/3", "0/6", "0/9"}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("dealt %v, want %v", got, want)
		}
		r.called([]string{"open load-balanced"}, "open resumable committed") // one source for all
	})
}

func TestAKeyStaysWithItsKeeper(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(3, streamer.ConsumerOptions{})
		keeper := map[string]int{}
		for range 20 {
			for k := range 8 {
				r.addKeyed(0, fmt.Appendf(nil, "k%d", k), 1)
			}
			for i, c := range list {
				for _, m := range r.drain(c) {
					if was, ok := keeper[string(m.Key)]; ok && was != i {
						t.Fatalf("key %s moved from member %d to %d", m.Key, was, i)
					}
					keeper[string(m.Key)] = i
					m.Ack()
				}
			}
		}
		if len(keeper) != 8 {
			t.Fatalf("keys %v arrived, want 8", keeper)
		}
	})
}

func TestAFullMemberIsPassedOverAndHoldsUpItsKeys(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{})
		r.addKeyed(0, []byte("k"), 1)
		keeper, other := list[0], list[1]
		if len(r.drain(keeper)) == 0 {
			keeper, other = other, keeper
			r.drain(keeper)
		}
		r.addKeyed(0, []byte("k"), 30) // more than the keeper may hold
		r.add(0, 5)
		if got, want := valuesOf(r.drain(other)), upTo(0, 32, 36); !slices.Equal(got, want) {
			t.Errorf("the other got %v while the keeper is busy, want what has no key: %v", got, want)
		}
		if n := keeper.q.Load().available(); n > 2*minShare {
			t.Errorf("the keeper holds %d, want at most %d", n, 2*minShare)
		}
		if got, want := valuesOf(r.drain(keeper)), upTo(0, 2, 31); !slices.Equal(got, want) {
			t.Errorf("the keeper got %v, want its key's messages in order", got)
		}
	})
}

func TestWhatALeavingMemberHeldComesAgainOnce(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{CommitEvery: streamer.Never})
		a, b := list[0], list[1]
		r.add(0, 8) // a: 1 3 5 7, b: 2 4 6 8
		held := r.expect(a, "0/1", "0/3", "0/5")
		ackAll(r.expect(b, "0/2", "0/4", "0/6", "0/8"))
		held[1].Ack()
		if err := a.Close(); err != nil || r.mark(0) != 0 {
			t.Fatalf("Close = %v, committed %d; want nothing beyond 0/1", err, r.mark(0))
		}
		again := r.expect(b, "0/1", "0/5", "0/7")
		r.nothing(b, time.Second)
		if held[0].Ack() || held[2].Ack() {
			t.Error("a late Ack of what was given up counted")
		}
		for _, m := range again {
			if !m.Ack() {
				t.Errorf("Ack of %s, which came again, did not count", m.Value)
			}
		}
		if err := b.Close(); err != nil || r.mark(0) != 8 {
			t.Fatalf("Close = %v, committed %d; want 8", err, r.mark(0))
		}
	})
}

func TestWhatCameAgainCanBeGivenUpAgain(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		last := r.members(1, streamer.ConsumerOptions{CommitEvery: streamer.Never})[0]
		r.add(0, 3)
		first := r.expect(last, upTo(0, 1, 3)...)
		for range 4 { // the new member takes over, holds all, and is left in turn
			next := r.members(1, streamer.ConsumerOptions{CommitEvery: streamer.Never})[0]
			if err := last.Close(); err != nil {
				t.Fatal(err)
			}
			first = append(first, r.expect(next, upTo(0, 1, 3)...)...)
			last = next
		}
		for i, m := range first {
			if want := i >= len(first)-3; m.Ack() != want {
				t.Errorf("delivery %d of %s: Ack counted: %v", i/3, m.Value, !want)
			}
		}
		if err := last.Commit(t.Context()); err != nil || r.mark(0) != 3 {
			t.Fatalf("Commit = %v, committed %d; want 3", err, r.mark(0))
		}
	})
}

func TestALeavingMemberAcknowledgesAsItsPolicySays(t *testing.T) {
	for _, tt := range []struct {
		ack   streamer.AckPolicy
		again int
	}{{streamer.AckManual, 2}, {streamer.AckDelayed, 0}, {streamer.AckOnDelivery, 0}} {
		inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			list := r.members(2, streamer.ConsumerOptions{Ack: tt.ack})
			r.add(0, 4)
			r.expect(list[0], "0/1", "0/3")
			if err := list[0].Close(); err != nil {
				t.Fatal(err)
			}
			if n := len(r.drain(list[1])); n != 2+tt.again {
				t.Fatalf("policy %d: the other got %d, want its own 2 and %d", tt.ack, n, tt.again)
			}
		})
	}
}

func TestAKeysMessagesStayInOrderWhenMembersComeAndGo(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(1, streamer.ConsumerOptions{MaxInFlight: streamer.NoLimit})
		last := map[string]streamer.SeqNo{}
		note := func(got []*streamer.Message) {
			for _, m := range got {
				if s := last[string(m.Key)]; m.Seq.Compare(s) <= 0 {
					t.Fatalf("%s of key %s came after %v", m.Seq, m.Key, s)
				}
				last[string(m.Key)] = m.Seq
				m.Ack()
			}
		}
		for step := range 60 {
			for range 20 {
				r.addKeyed(0, fmt.Appendf(nil, "k%d", rand.IntN(5)), 1)
			}
			switch step % 5 {
			case 1:
				list = append(list, r.members(1, streamer.ConsumerOptions{MaxInFlight: streamer.NoLimit})...)
			case 4:
				i := rand.IntN(len(list))
				_ = list[i].Close() // what it has undelivered goes to the others
				list = slices.Delete(list, i, i+1)
			}
			c := list[rand.IntN(len(list))]
			if n := c.q.Load().available(); n > 0 {
				note(r.take(c, rand.IntN(n)))
			}
		}
		for range 3 {
			for _, c := range list {
				note(r.drain(c))
			}
		}
		total := len(r.log[streamer.StreamShard{Stream: "s", Shard: 0}])
		r.sleep(2 * time.Second)
		if r.mark(0) != uint64(total) {
			t.Fatalf("committed %d of %d", r.mark(0), total)
		}
	})
}

// census has members that take, acknowledge and leave at random, each on its
// own goroutine, and counts.
type census struct {
	*rig
	mu      sync.Mutex
	counted map[streamer.SeqNo]int
	held    []*streamer.Message // of members that are gone, too
}

// live is one member's life.
func (x *census) live() {
	c, err := x.tryConsumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, MaxInFlight: streamer.NoLimit})
	if err != nil {
		x.t.Errorf("Consumer = %v", err)
		return
	}
	got := x.drainSome(c, rand.IntN(30))
	x.mu.Lock()
	x.held = append(x.held, got...)
	rand.Shuffle(len(x.held), func(i, j int) { x.held[i], x.held[j] = x.held[j], x.held[i] })
	n := len(x.held) / 2
	now := slices.Clone(x.held[:n])
	x.held = x.held[n:]
	x.mu.Unlock()
	for _, m := range now {
		if m.Ack() {
			x.mu.Lock()
			x.counted[m.Seq]++
			x.mu.Unlock()
		}
	}
	if err := c.Close(); err != nil {
		x.t.Errorf("Close = %v", err)
	}
}

func TestEveryMessageCountsOnceWhileMembersComeAndGo(t *testing.T) {
	const n = 300
	for _, can := range []abilities{dealtCan, {acker: true, dealt: true, room: true}} {
		inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			x := &census{rig: r, counted: map[streamer.SeqNo]int{}}
			first := r.members(1, streamer.ConsumerOptions{MaxInFlight: streamer.NoLimit})[0] // it takes nothing, and keeps the group alive
			r.add(0, n)
			for range 10 {
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						for range 10 {
							x.live()
						}
					})
				}
				wg.Wait()
			}
			for _, m := range r.drain(first) {
				if m.Ack() {
					x.counted[m.Seq]++
				}
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			for i := range uint64(n) {
				if x.counted[streamer.SeqUint(i+1)] != 1 {
					t.Errorf("message %d counted %d times", i+1, x.counted[streamer.SeqUint(i+1)])
				}
			}
			told := r.ackedOf(0)
			if slices.Sort(told); can.acker && (len(told) != n || told[n-1] != n) || can.cursor && r.mark(0) != n {
				t.Errorf("committed %d, acknowledged %d messages; want %d", r.mark(0), len(told), n)
			}
		})
	}
}

func TestASlowMembersMessagesGoToAnIdleOne(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{})
		r.add(0, 8)
		r.expect(list[0], "0/1")                                           // and then it works for hours
		r.expect(list[1], "0/2", "0/4", "0/6", "0/8", "0/3", "0/5", "0/7") // the last three come from the slow one
	})
}

func TestASlowMemberKeepsItsKeys(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{})
		for k := range 6 {
			r.addKeyed(0, fmt.Appendf(nil, "k%d", k), 1)
		}
		ackAll(r.drain(list[1]))
		r.nothing(list[1], time.Minute) // the rest is list[0]'s, who takes nothing
	})
}

func TestASlowMemberKeepsItsMessagesWhileNobodyWaits(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{})
		r.add(0, 6)
		r.sleep(time.Minute)
		r.expect(list[1], "0/2", "0/4", "0/6")
		r.expect(list[0], "0/1", "0/3", "0/5")
	})
}

func TestAFullWindowOfAGroupOpensAgain(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		list := r.members(2, streamer.ConsumerOptions{MaxInFlight: 2})
		r.add(0, 6)
		held := append(r.expect(list[0], "0/1"), r.expect(list[1], "0/2")...)
		r.nothing(list[0], time.Second)
		ackAll(held)
		if n := len(r.drain(list[0])) + len(r.drain(list[1])); n != 2 {
			t.Fatalf("%d messages are handed out, want a window of 2", n)
		}
	})
}

func TestAWaitingMemberGetsWhatBecomesFree(t *testing.T) {
	tests := []struct {
		name   string
		free   func(other *consumer, held *streamer.Message)
		within time.Duration
	}{
		{"another leaves", func(other *consumer, _ *streamer.Message) { _ = other.Close() }, 0},
		{"a window opens, perhaps for another, who is slow", func(_ *consumer, held *streamer.Message) { held.Ack() }, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				list := r.members(2, streamer.ConsumerOptions{MaxInFlight: 2})
				r.add(0, 4)
				held := r.expect(list[0], "0/1")[0]
				r.expect(list[1], "0/2")
				got := background(func() error {
					ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
					defer cancel()
					_, err := list[1].Next(ctx)
					return err
				})
				synctest.Wait()
				from := time.Now()
				tt.free(list[0], held)
				if err := got(); err != nil || time.Since(from) > tt.within {
					t.Fatalf("Next = %v after %v, want a message within %v", err, time.Since(from), tt.within)
				}
			})
		})
	}
}
