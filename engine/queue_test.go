package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
)

func TestAnEndedContextWinsOverAWaitingMessage(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if m, err := c.Next(ctx); err != context.Canceled || m != nil {
			t.Errorf("Next = %v, %v", m, err)
		}
		if b, err := c.NextBatch(ctx, 3); err != context.Canceled || b != nil {
			t.Errorf("NextBatch = %v, %v", b, err)
		}
		for m, err := range c.Messages(ctx) {
			t.Errorf("Messages yielded %v, %v", m, err)
		}
		if m, ok := <-c.Stream(ctx); ok {
			t.Errorf("Stream gave %s", m.Value)
		}
		if err := c.Err(); err != context.Canceled {
			t.Errorf("Err = %v", err)
		}
		r.expect(c, upTo(0, 1, 3)...) // still usable, nothing lost
	})
}

func TestNWaitersAndNMessagesNobodyStarves(t *testing.T) {
	for _, n := range []int{1, 2, 50} {
		inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			c := r.consumer(streamer.ConsumerOptions{})
			var wg sync.WaitGroup
			var mu sync.Mutex
			var got []string
			for range n {
				wg.Go(func() {
					m := r.take(c, 1)[0]
					mu.Lock()
					defer mu.Unlock()
					got = append(got, string(m.Value))
				})
			}
			synctest.Wait()
			r.add(0, n) // one slab: one wake-up has to become n
			wg.Wait()
			slices.Sort(got)
			if want := slices.Sorted(slices.Values(upTo(0, 1, n))); !slices.Equal(got, want) {
				t.Fatalf("%d waiters got %v", n, got)
			}
		})
	}
}

func TestAWaiterThatGivesUpPassesTheWakeUpOn(t *testing.T) {
	for range 100 {
		inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			c := r.consumer(streamer.ConsumerOptions{})
			ctx, cancel := context.WithCancel(t.Context())
			first := background(func() error { _, err := c.Next(ctx); return err })
			synctest.Wait()
			second := background(func() error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err := c.Next(ctx)
				return err
			})
			synctest.Wait()
			s := c.q.Load().s
			s.emit([]streamer.Message{{Meta: streamer.Meta{Stream: "s", Seq: streamer.SeqUint(1)}}}) // wakes the first
			s.mu.Lock()                                                                              // who mostly cannot look before its context has ended
			cancel()
			s.mu.Unlock()
			if first() == nil {
				r.add(0, 1) // it was quicker
			}
			if err := second(); err != nil {
				t.Fatalf("a message waits beside a Next that ended with %v", err)
			}
		})
	}
}

func TestStreamGivesBackWhatNobodyReceived(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: streamer.AckManual})
		ctx, cancel := context.WithCancel(t.Context())
		stream := c.Stream(ctx)
		if m := <-stream; string(m.Value) != "0/1" {
			t.Fatalf("got %s", m.Value)
		}
		synctest.Wait() // offers 0/2
		cancel()
		r.expect(c, upTo(0, 2, 5)...)
		if m, ok := <-stream; ok {
			t.Fatalf("the channel gave %s after its ctx ended", m.Value)
		}
	})
}

func TestSeveralStreamsGiveBackInOrder(t *testing.T) {
	for range 10 {
		inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.shards = 2
			c := r.consumer(streamer.ConsumerOptions{})
			for range 10 {
				r.add(0, 1)
				r.add(1, 1)
			}
			ctx, cancel := context.WithCancel(t.Context())
			for range 7 {
				c.Stream(ctx)
			}
			synctest.Wait()
			cancel()
			synctest.Wait()
			last := map[streamer.ShardID]uint64{}
			for _, m := range r.take(c, 20) {
				if m.Seq.Uint() != last[m.Shard]+1 {
					t.Fatalf("shard %d: %v came after %d", m.Shard, m.Seq, last[m.Shard])
				}
				last[m.Shard]++
			}
		})
	}
}

func TestNextBatchTakesWhatIsThere(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Prefetch: 100})
		for _, want := range [][]string{upTo(0, 1, 3), upTo(0, 4, 5)} {
			b, err := c.NextBatch(t.Context(), 3)
			if err != nil || !slices.Equal(valuesOf(b), want) {
				t.Fatalf("NextBatch = %v, %v; want %v", valuesOf(b), err, want)
			}
		}
		if _, err := c.NextBatch(t.Context(), 0); !errors.Is(err, streamer.ErrInvalid) {
			t.Fatalf("NextBatch of 0 = %v, want ErrInvalid", err)
		}
	})
}

func TestMessagesAcknowledgesWhenItsBodyReturns(t *testing.T) {
	tests := []struct {
		name string
		ack  streamer.AckPolicy
		want uint64 // committed at Close, when the third body breaks
	}{
		{"on return", streamer.AckOnReturn, 2},
		{"manual", streamer.AckManual, 0},
		{"delayed", streamer.AckDelayed, 3},
		{"on delivery", streamer.AckOnDelivery, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 5)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: tt.ack})
				n := 0
				for range c.Messages(t.Context()) {
					if n++; n == 3 {
						break
					}
				}
				if err := c.Close(); err != nil || r.mark(0) != tt.want {
					t.Fatalf("committed %d, %v; want %d", r.mark(0), err, tt.want)
				}
			})
		})
	}
}

func TestCloseWhileBlocked(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		next := background(func() error { _, err := c.Next(t.Context()); return err })
		loop := background(func() error {
			for _, err := range c.Messages(t.Context()) {
				return err
			}
			return nil
		})
		stream := c.Stream(t.Context())
		synctest.Wait()
		first, second := background(c.Close), background(c.Close)
		if err := errors.Join(first(), second(), c.Close()); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := next(); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("Next = %v, want ErrClosed", err)
		}
		if err := loop(); err != nil {
			t.Errorf("Messages yielded %v, want an ordinary end", err)
		}
		if _, ok := <-stream; ok || !errors.Is(c.Err(), streamer.ErrClosed) {
			t.Errorf("Stream is open, or Err = %v", c.Err())
		}
		if _, ok := <-c.Stream(t.Context()); ok {
			t.Error("Stream after Close is open")
		}
		r.called([]string{"open"}, "close")
	})
}

func TestAnOfferOfAShardThatIsRevokedIsWithdrawn(t *testing.T) {
	for _, lost := range []bool{false, true} {
		inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.shards = 2
			r.add(0, 3)
			r.add(1, 1)
			c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced})
			stream := c.Stream(t.Context())
			synctest.Wait() // it offers 0/1
			if d := r.revoke(lost)(); d != 0 {
				t.Errorf("Revoked took %v: nobody has received the message", d)
			}
			if m := <-stream; string(m.Value) != "1/1" {
				t.Errorf("got %s, want what is left", m.Value)
			}
		})
	}
}

func TestTheEndWaitsForAnOfferThatMayComeBack(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.finite = true
		r.add(0, 1)
		c := r.consumer(streamer.ConsumerOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		c.Stream(ctx)
		synctest.Wait() // it offers the last message
		r.nothing(c, time.Second)
		cancel()
		r.expect(c, "0/1")
	})
}
