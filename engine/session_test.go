package engine

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestPrefetchBoundsWhatIsFetchedAhead(t *testing.T) {
	for _, prefetch := range []int{1, 2, 3, 10, 1000} {
		inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.add(0, 3000)
			c := r.consumer(streamer.ConsumerOptions{Prefetch: prefetch})
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
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 999)
		c := r.consumer(streamer.ConsumerOptions{BufferBytes: 3*(3+messageSize) + 1, Prefetch: 10}) // each value has 3 bytes
		if n := r.source(0).fetched(); n != 5 {
			t.Fatalf("%d fetched, want one fetch of 5", n)
		}
		r.expect(c, "0/1", "0/2")
		synctest.Wait()
		if n := r.source(0).fetched(); n != 10 {
			t.Fatalf("%d fetched, want another fetch once 3 are left", n)
		}
	})
}

func TestBufferBytesBoundWhatIsParked(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		const shards, limit = 50, 60 * messageSize
		r.shards = shards
		for id := range shards {
			r.add(streamer.ShardID(id), 100)
		}
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 1, Prefetch: 20, BufferBytes: limit})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		taken := 0
		for _, err := c.Next(ctx); err == nil; _, err = c.Next(ctx) { // until every window is full
			taken++
		}
		s := c.q.Load().s
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.flow.buffered.bytes > 2*limit+20*messageSize {
			t.Errorf("%d bytes are held behind %d full windows, want about %d at most", s.flow.buffered.bytes, taken, 2*limit)
		}
	})
}

func TestAFullWindowParksOneShardAndOthersGoOn(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 200)
		r.add(1, 200)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 5, Prefetch: 20, CommitEvery: streamer.Never})
		held := r.expect(c, upTo(0, 1, 5)...)
		for i := 1; i <= 200; i++ { // shard 1 alone
			ackAll(r.expect(c, upTo(1, i, i)...))
		}
		r.nothing(c, time.Second)
		r.called([]string{"open", "commit"}, "pause 0 true")

		held[0].Ack()
		ackAll(r.expect(c, "0/6"))
		ackAll(held[1:])
		for i := 7; i <= 25; i++ { // all that was parked
			ackAll(r.expect(c, upTo(0, i, i)...))
		}
		synctest.Wait()
		if calls := r.history(); len(calls) == 0 || calls[0] != "pause 0 false" {
			t.Fatalf("calls %q, want the shard to be resumed", calls)
		}
	})
}

func TestWithoutPauserAFullWindowStopsTheConsumer(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 100)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 5, Prefetch: 20, CommitEvery: streamer.Never})
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
	inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 3})
		held := r.expect(c, upTo(0, 1, 3)...)
		held[1].Ack()
		r.nothing(c, time.Second)
		held[0].Ack()
		r.expect(c, "0/4", "0/5") // two are contiguous now
		r.nothing(c, time.Second)
	})
}

func TestNegativeMaxInFlightIsNoLimit(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5000)
		r.take(r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: streamer.NoLimit}), 5000)
	})
}

func TestRealTimeHasNoWindow(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 50)
		c := r.consumer(streamer.ConsumerOptions{MaxInFlight: 2})
		for _, m := range r.take(c, 50) {
			if m.Ack() {
				t.Fatal("an Ack counted in RealTime")
			}
		}
	})
}

func TestEndOfInputComesAfterTheLastMessage(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.finite = true
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Prefetch: 2})
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
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(streamer.ConsumerOptions{})
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
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 2)
		c := r.consumer(streamer.ConsumerOptions{})
		r.expect(c, "0/1", "0/2")
		r.fails("fetch", streamer.ErrDenied)
		for range 2 {
			if _, err := c.Next(t.Context()); !errors.Is(err, streamer.ErrDenied) {
				t.Fatalf("Next = %v, want ErrDenied", err)
			}
		}
		n := 0
		for _, err := range c.Messages(t.Context()) {
			if n++; !errors.Is(err, streamer.ErrDenied) {
				t.Fatalf("Messages yielded %v, want ErrDenied", err)
			}
		}
		if n != 1 || !errors.Is(c.Err(), streamer.ErrDenied) {
			t.Fatalf("Messages yielded the error %d times, Err = %v", n, c.Err())
		}
	})
}

func TestATransientFetchErrorIsRetriedAndReported(t *testing.T) {
	var retries seen[streamer.RetryEvent]
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{Retrying: retries.add}}
	inBubble(t, abilities{}, o, func(t *testing.T, r *rig) {
		lost := errors.New("connection lost")
		r.fails("fetch", driver.Transient(lost, time.Minute), driver.Transient(lost, 0), driver.Transient(lost, 0))
		r.add(0, 1)
		from := time.Now()
		c := r.consumer(streamer.ConsumerOptions{})
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
