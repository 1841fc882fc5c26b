package streamer

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPrefetchBoundsWhatIsFetchedAhead(t *testing.T) {
	for _, prefetch := range []int{1, 2, 3, 10, 1000, -1} {
		inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
			r.add(0, 3000)
			c := r.consumer(ConsumerOptions{Prefetch: prefetch})
			limit := max(prefetch, 1)
			if n := r.source(0).fetched(); n > limit || n == 0 {
				t.Fatalf("prefetch %d: %d fetched before anything was taken", prefetch, n)
			}
			r.expect(c, upTo(0, 1, 500)...)
			synctest.Wait()
			if n := r.source(0).fetched(); n > 500+limit {
				t.Fatalf("prefetch %d: %d fetched after 500 were taken", prefetch, n)
			}
		})
	}
}

func TestBufferBytesBoundWhatIsFetchedAhead(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 999)
		c := r.consumer(ConsumerOptions{BufferBytes: 10, Prefetch: 10}) // the values of a fetch of 5 have 15 bytes
		if n := r.source(0).fetched(); n != 5 {
			t.Fatalf("%d fetched, want one fetch of 5", n)
		}
		r.expect(c, "0/1", "0/2")
		synctest.Wait()
		if n := r.source(0).fetched(); n != 10 {
			t.Fatalf("%d fetched, want another fetch once 9 bytes are left", n)
		}
	})
}

func TestAFullWindowParksOneShardAndOthersGoOn(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 200)
		r.add(1, 200)
		c := r.consumer(ConsumerOptions{Mode: Resumable, MaxInFlight: 5, Prefetch: 20, CommitEvery: Never})
		held := r.expect(c, upTo(0, 1, 5)...)
		for i := 1; i <= 200; i++ { // shard 1 alone
			ackAll(r.expect(c, upTo(1, i, i)...))
		}
		r.nothing(c, time.Second)
		r.called([]string{"open", "commit"}, "pause 0 true")

		held[0].Ack()
		r.expect(c, "0/6")
		ackAll(held[1:])
		ackAll(r.expect(c, upTo(0, 7, 10)...))
		synctest.Wait()
		if calls := r.history(); len(calls) == 0 || calls[0] != "pause 0 false" {
			t.Fatalf("calls %q, want the shard to be resumed", calls)
		}
	})
}

func TestWithoutPauserAFullWindowStopsTheConsumer(t *testing.T) {
	inBubble(t, abilities{cursor: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 100)
		c := r.consumer(ConsumerOptions{Mode: Resumable, MaxInFlight: 5, Prefetch: 20, CommitEvery: Never})
		held := r.expect(c, upTo(0, 1, 5)...)
		r.add(1, 100)
		r.nothing(c, time.Minute)
		if n := r.source(0).fetched(); n > 25 {
			t.Fatalf("%d fetched behind a full window", n)
		}
		ackAll(held)
		ackAll(r.expect(c, upTo(0, 6, 100)[:5]...))
	})
}

func TestAnAckInTheMiddleDoesNotMakeRoom(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(ConsumerOptions{Mode: Resumable, MaxInFlight: 3})
		held := r.expect(c, upTo(0, 1, 3)...)
		held[1].Ack()
		r.nothing(c, time.Second)
		held[0].Ack()
		r.expect(c, "0/4", "0/5") // two are contiguous now
		r.nothing(c, time.Second)
	})
}

func TestNegativeMaxInFlightIsNoLimit(t *testing.T) {
	inBubble(t, abilities{cursor: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5000)
		r.take(r.consumer(ConsumerOptions{Mode: Resumable, MaxInFlight: -1}), 5000)
	})
}

func TestRealTimeHasNoWindow(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 50)
		c := r.consumer(ConsumerOptions{MaxInFlight: 2})
		for _, m := range r.take(c, 50) {
			if m.Ack() {
				t.Fatal("an Ack counted in RealTime")
			}
		}
	})
}

func TestAnEndedContextWinsOverAWaitingMessage(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(ConsumerOptions{})
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
		inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
			c := r.consumer(ConsumerOptions{})
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
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(ConsumerOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		for range 10 {
			go func() { _, _ = c.Next(ctx) }() // ends with ctx
		}
		got := background(func() string { return string(r.take(c, 1)[0].Value) })
		synctest.Wait()
		r.add(0, 1)
		cancel() // races the wake-up: the message must reach one of those who took or the one who still waits
		r.add(0, 10)
		got()
	})
}

func TestStreamGivesBackWhatNobodyReceived(t *testing.T) {
	inBubble(t, abilities{cursor: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(ConsumerOptions{Mode: Resumable, Ack: AckManual})
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
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 20)
		c := r.consumer(ConsumerOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			c.Stream(ctx)
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		r.expect(c, upTo(0, 1, 20)...)
	})
}

func TestEndOfInputComesAfterTheLastMessage(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.finite = true
		r.add(0, 3)
		c := r.consumer(ConsumerOptions{Prefetch: 2})
		r.expect(c, upTo(0, 1, 3)...)
		for range 2 {
			if _, err := c.Next(t.Context()); err != io.EOF {
				t.Fatalf("Next = %v, want io.EOF", err)
			}
		}
		for range c.Messages(t.Context()) {
			t.Fatal("Messages yielded after the end")
		}
		if c.Err() != io.EOF {
			t.Fatalf("Err = %v, want io.EOF", c.Err())
		}
	})
}

func TestEndOfInputWakesEveryWaiter(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(ConsumerOptions{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := c.Next(t.Context()); err != io.EOF {
					t.Errorf("Next = %v, want io.EOF", err)
				}
			})
		}
		synctest.Wait()
		r.change(func() { r.finite = true })
		wg.Wait()
	})
}

func TestAFinalFetchErrorComesFromEveryCall(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 2)
		c := r.consumer(ConsumerOptions{})
		r.expect(c, "0/1", "0/2")
		r.fails("fetch", ErrDenied)
		for range 2 {
			if _, err := c.Next(t.Context()); !errors.Is(err, ErrDenied) {
				t.Fatalf("Next = %v, want ErrDenied", err)
			}
		}
		n := 0
		for _, err := range c.Messages(t.Context()) {
			if n++; !errors.Is(err, ErrDenied) {
				t.Fatalf("Messages yielded %v, want ErrDenied", err)
			}
		}
		if n != 1 || !errors.Is(c.Err(), ErrDenied) {
			t.Fatalf("Messages yielded the error %d times, Err = %v", n, c.Err())
		}
	})
}

func TestATransientFetchErrorIsRetriedAndReported(t *testing.T) {
	var retries seen[RetryEvent]
	o := StreamerOptions{Hooks: Hooks{Retrying: retries.add}}
	inBubble(t, abilities{}, o, func(t *testing.T, r *rig) {
		lost := errors.New("connection lost")
		r.fails("fetch", Transient(lost, time.Minute), Transient(lost, 0), Transient(lost, 0))
		r.add(0, 1)
		from := time.Now()
		c := r.consumer(ConsumerOptions{})
		m, err := c.Next(t.Context())
		if err != nil || string(m.Value) != "0/1" {
			t.Fatalf("Next = %v, %v", m, err)
		}
		if d := time.Since(from); d != time.Minute+30*time.Millisecond {
			t.Errorf("it took %v, want what was asked and then 10 and 20 ms", d)
		}
		seen := retries.all()
		if len(seen) != 3 || !errors.Is(seen[0].Err, lost) || seen[0].After != time.Minute || seen[0].Op != "read" {
			t.Errorf("reported %+v", seen)
		}
	})
}

func TestNextBatchTakesWhatIsThere(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(ConsumerOptions{Prefetch: 100})
		for _, want := range [][]string{upTo(0, 1, 3), upTo(0, 4, 5)} {
			b, err := c.NextBatch(t.Context(), 3)
			if err != nil || !slices.Equal(valuesOf(b), want) {
				t.Fatalf("NextBatch = %v, %v; want %v", valuesOf(b), err, want)
			}
		}
		if _, err := c.NextBatch(t.Context(), 0); !errors.Is(err, ErrInvalid) {
			t.Fatalf("NextBatch of 0 = %v, want ErrInvalid", err)
		}
	})
}

func TestMessagesAcknowledgesWhenItsBodyReturns(t *testing.T) {
	tests := []struct {
		name string
		ack  AckPolicy
		want uint64 // committed at Close, when the third body breaks
	}{
		{"on return", AckOnReturn, 2},
		{"manual", AckManual, 0},
		{"delayed", AckDelayed, 3},
		{"on delivery", AckOnDelivery, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 5)
				c := r.consumer(ConsumerOptions{Mode: Resumable, Ack: tt.ack})
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
	inBubble(t, abilities{cursor: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(ConsumerOptions{Mode: Resumable})
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
		if err := next(); !errors.Is(err, ErrClosed) {
			t.Errorf("Next = %v, want ErrClosed", err)
		}
		if err := loop(); err != nil {
			t.Errorf("Messages yielded %v, want an ordinary end", err)
		}
		if _, ok := <-stream; ok || !errors.Is(c.Err(), ErrClosed) {
			t.Errorf("Stream is open, or Err = %v", c.Err())
		}
		if _, ok := <-c.Stream(t.Context()); ok {
			t.Error("Stream after Close is open")
		}
		r.called([]string{"open"}, "close")
	})
}
