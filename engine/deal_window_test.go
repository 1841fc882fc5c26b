package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// workOff has each member work on its messages, each taking what its index in
// paces says, until all n were done or an hour has passed. It returns how many
// were.
func (r *rig) workOff(list []*consumer, paces []time.Duration, n int) (done int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, c := range list {
		wg.Go(func() {
			for {
				m, err := c.Next(ctx)
				if err != nil {
					return
				}
				time.Sleep(paces[i])
				m.Ack()
				mu.Lock()
				if done++; done == n {
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return done
}

func TestASlowMemberDoesNotStopItsGroup(t *testing.T) {
	tests := []struct {
		name    string
		members int
		slow    time.Duration
		window  int
		keys    int
	}{
		{"two members", 2, 100 * time.Millisecond, 1000, 0},
		{"two members, a small window", 2, 100 * time.Millisecond, 7, 0},
		{"ten members, one 20 times slower", 10, 20 * time.Millisecond, 1000, 0},
		{"ten members, keys", 10, 20 * time.Millisecond, 1000, 50},
		{"ten members, keys, a window of one", 10, 20 * time.Millisecond, 1, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				const n = 5000
				for i := range n {
					var key []byte
					if tt.keys > 0 && i%2 == 0 {
						key = fmt.Append(nil, i%tt.keys)
					}
					r.addKeyed(0, key, 1)
				}
				list := r.members(tt.members, streamer.ConsumerOptions{Ack: streamer.AckManual, MaxInFlight: tt.window})
				paces := slices.Repeat([]time.Duration{time.Millisecond}, tt.members)
				paces[0] = tt.slow
				if done := r.workOff(list, paces, n); done != n {
					t.Fatalf("the group stands still after %d of %d", done, n)
				}
			})
		})
	}
}

func TestAKeyKeepsItsOrderBehindAFullWindow(t *testing.T) {
	for round := range 20 {
		inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.shards = 2
			const n = 300
			for i := range n {
				r.addKeyed(streamer.ShardID(i%2), fmt.Append(nil, "k", rand.IntN(5)), 1)
			}
			list := r.members(3, streamer.ConsumerOptions{Ack: streamer.AckManual, MaxInFlight: 1 + round%5})
			last := map[string]uint64{}
			for done := 0; done < n; {
				was := done
				for _, c := range list {
					got := r.drainSome(c, 1+rand.IntN(3))
					rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
					ackAll(got)
					slices.SortFunc(got, byEmission)
					for _, m := range got {
						k := fmt.Sprint(m.Shard, string(m.Key))
						if m.Seq.Uint() < last[k] {
							t.Fatalf("%s: %d is delivered after %d", k, m.Seq.Uint(), last[k])
						}
						last[k] = m.Seq.Uint()
					}
					done += len(got)
				}
				if done == was {
					t.Fatalf("the group stands still after %d of %d", done, n)
				}
			}
		})
	}
}

func TestADealtGroupKeepsToItsWindow(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 500)
		list := r.members(3, streamer.ConsumerOptions{Ack: streamer.AckManual, MaxInFlight: 20})
		held := 0
		for _, c := range list {
			held += len(r.drain(c))
		}
		if held != 20 {
			t.Fatalf("%d messages are in flight, MaxInFlight is 20", held)
		}
	})
}

// One that waits and can get nothing would wake the next, and that one the
// first: time would stand still in the bubble.
func TestMembersThatWaitAtTheEndOfInputSleep(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.finite = true
		r.addKeyed(0, []byte("k"), 5000) // a keeper's backlog, more than its share
		list := r.members(3, streamer.ConsumerOptions{Ack: streamer.AckManual, Prefetch: 20_000, MaxInFlight: 10_000})
		busy := slices.IndexFunc(list, func(c *consumer) bool { return len(r.drainSome(c, 1)) > 0 })
		r.sleep(time.Second) // its pace is known: one a second
		var waits []func() error
		for i, c := range list {
			if i == busy {
				continue
			}
			waits = append(waits, background(func() error {
				_, err := c.Next(context.Background())
				return err
			}))
		}
		r.sleep(time.Minute)
		r.drain(list[busy])
		for _, wait := range waits {
			if err := wait(); err != io.EOF {
				t.Errorf("Next = %v at the end of input", err)
			}
		}
	})
}

func TestShutdownOfOneStreamerLeavesTheWindowsOfTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := sharedDeals{newFake(dealtCan), new(driver.Deals)}
		open := func() (*rig, *consumer) {
			s, err := New(b, streamer.StreamerOptions{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			r := &rig{b.fakeBackend, t, s}
			return r, r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckManual, MaxInFlight: 4})
		}
		r, stays := open()
		defer r.s.Close()
		leaving, _ := open()
		if _, err := leaving.s.Producer(t.Context(), streamer.ProducerOptions{Stream: "s"}); err != nil {
			t.Fatal(err)
		}
		r.add(0, 8)
		held := r.drainSome(stays, 2)
		if err := leaving.s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		held = append(held, r.drain(stays)...) // the window fills now
		done := 0
		for len(held) > 0 {
			done += len(held)
			ackAll(held)
			held = r.drain(stays)
		}
		if done != 8 {
			t.Fatalf("the other Streamer's member stands still after %d of 8", done)
		}
	})
}

// sharedDeals is a backend whose groups span Streamers.
type sharedDeals struct {
	*fakeBackend
	deals *driver.Deals
}

func (b sharedDeals) Deals() *driver.Deals { return b.deals }

func TestRewindIntoAGroupThatFailedSaysSo(t *testing.T) {
	inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 4)
		list := r.members(2, streamer.ConsumerOptions{Ack: streamer.AckManual, CommitEvery: time.Second})
		if err := list[0].Rewind(t.Context(), streamer.Beginning()); err != nil { // leaves the group
			t.Fatal(err)
		}
		r.fails("commit", slices.Repeat([]error{streamer.ErrFenced}, 100)...)
		ackAll(r.drain(list[1]))
		r.sleep(2 * time.Second)
		if err := list[0].Rewind(t.Context(), streamer.Committed()); err == nil {
			_, err := list[0].Next(t.Context())
			t.Fatalf("Rewind = nil into a group that has failed; Next = %v", err)
		}
		r.fails("commit")
		_ = list[1].Close()
	})
}

func TestAllThatALeavingMemberHeldIsDealtAgain(t *testing.T) {
	for _, n := range []int{63, 64, 65, 128, 200} {
		for leaving := range 2 { // between them they have each slot of a word
			inBubble(t, abilities{cursor: true, dealt: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, n) // one slab
				list := r.members(2, streamer.ConsumerOptions{Ack: streamer.AckManual})
				held := map[*consumer]int{}
				for range n {
					for _, c := range list {
						held[c] += len(r.drainSome(c, 1))
					}
				}
				if err := list[leaving].Close(); err != nil {
					t.Fatal(err)
				}
				if got := len(r.drain(list[1-leaving])); got != held[list[leaving]] {
					t.Fatalf("%d of %d messages are dealt again", got, held[list[leaving]])
				}
			})
		}
	}
}

// What a Stream offers while a member joins is dealt again with the rest: its
// key may be the new member's.
func TestAJoinTakesBackWhatAStreamOffers(t *testing.T) {
	for range 20 {
		inBubble(t, dealtCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			const keys = 8
			for i := range 2 * keys {
				r.addKeyed(0, fmt.Append(nil, i%keys), 1)
			}
			list := r.members(1, streamer.ConsumerOptions{Ack: streamer.AckManual})
			offered := list[0].Stream(t.Context())
			synctest.Wait()
			list = append(list, r.members(1, streamer.ConsumerOptions{Ack: streamer.AckManual})...)
			keeper := map[string]int{}
			note := func(member int, m *streamer.Message) {
				if was, ok := keeper[string(m.Key)]; ok && was != member {
					t.Fatalf("key %s went to both members", m.Key)
				}
				keeper[string(m.Key)] = member
			}
			for _, m := range r.drain(list[1]) {
				note(1, m)
			}
			for range 2 * keys {
				synctest.Wait()
				select {
				case m := <-offered:
					note(0, m)
				default:
				}
			}
			if len(keeper) != keys {
				t.Fatalf("%d of %d keys arrived", len(keeper), keys)
			}
		})
	}
}
