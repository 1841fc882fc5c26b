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
	"github.com/gostreamer/streamer/internal/wait"
)

// hangOnce is a Write that hangs until its context ends the first time it is
// called, and stores afterwards.
func (r *rig) hangOnce() {
	first := true
	r.write = func(ctx context.Context, batch []*driver.Pending) error {
		if first {
			first = false
			<-ctx.Done()
			return ctx.Err()
		}
		r.store(batch...)
		return nil
	}
}

func TestAYoungRecordIsNotGivenUpWithAnOldOne(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.write = func(ctx context.Context, batch []*driver.Pending) error { // every Write takes 3 s
			if !wait.Pause(ctx, 3*time.Second) {
				return ctx.Err()
			}
			r.store(batch...)
			return nil
		}
		p := r.producer(streamer.ProducerOptions{DeliveryTimeout: 4 * time.Second})
		r.send(p, "a")
		synctest.Wait() // a is being written until 3 s
		old := r.send(p, "old")[0]
		r.sleep(2900 * time.Millisecond)
		young := r.send(p, "young")[0] // in one batch with old, which has one second left when that is written
		if err := r.outcome(old); !errors.Is(err, streamer.ErrUnknown) {
			t.Errorf("the old record: %v, want ErrUnknown", err)
		}
		if err := r.outcome(young); err != nil {
			t.Errorf("the young record, which had 4 s: %v", err)
		}
	})
}

func TestARecordThatWasGivenUpBeforeItsWriteIsNotWritten(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.write = func(_ context.Context, batch []*driver.Pending) error { // a Write that its context cannot end
			time.Sleep(6 * time.Second)
			r.store(batch...)
			return nil
		}
		p := r.producer(streamer.ProducerOptions{DeliveryTimeout: 4 * time.Second})
		r.send(p, "a")
		synctest.Wait()
		late := r.send(p, "late")[0]
		r.sleep(5 * time.Second)
		if err := r.outcome(late); !errors.Is(err, streamer.ErrUnknown) {
			t.Errorf("the late record: %v, want ErrUnknown", err)
		}
		r.send(p, "b")
		_ = p.Flush(t.Context())
		r.sleep(10 * time.Second)
		if calls := r.history("open", "sink"); !slices.Equal(calls, []string{"write a", "write b"}) {
			t.Errorf("calls %q: the sender gave a record up, and may have sent it again", calls)
		}
	})
}

func TestAWriteThatHangsHoldsUpOthersOnlyUntilItIsGivenUp(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.hangOnce()
		p := r.producer(streamer.ProducerOptions{DeliveryTimeout: 4 * time.Second})
		first := r.send(p, "a")[0]
		r.sleep(3 * time.Second)
		second := r.send(p, "b")[0]
		if err := r.outcome(first); !errors.Is(err, streamer.ErrUnknown) {
			t.Errorf("the first record: %v, want ErrUnknown", err)
		}
		if err := r.outcome(second); err != nil {
			t.Errorf("the second record: %v", err)
		}
	})
}

func TestALargeRecordGetsItsTurnAmongBusySenders(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.limits = driver.Limits{Records: 1}
		r.write = func(ctx context.Context, batch []*driver.Pending) error {
			wait.Pause(ctx, time.Millisecond)
			r.store(batch...)
			return nil
		}
		p := r.producer(streamer.ProducerOptions{MaxBufferedBytes: 10})
		ctx, cancel := context.WithCancel(t.Context())
		var waits []func() error
		for range 4 {
			waits = append(waits, background(func() error {
				for ctx.Err() == nil {
					p.Send(ctx, streamer.Record{Value: []byte("x")})
				}
				return nil
			}))
		}
		synctest.Wait()
		large, done := context.WithTimeout(t.Context(), time.Second) // what a thousand small ones take
		defer done()
		if _, err := p.Send(large, streamer.Record{Value: make([]byte, 8)}).Wait(t.Context()); err != nil {
			t.Errorf("a record that fits the buffer: %v", err)
		}
		cancel()
		for _, wait := range waits {
			_ = wait()
		}
	})
}

func TestEveryRecordTimesOutHoweverLongAfterTheLast(t *testing.T) {
	inBubble(t, abilities{queues: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{DeliveryTimeout: 4 * time.Second})
		for _, wait := range []time.Duration{0, time.Minute, time.Second} {
			r.sleep(wait)
			from := time.Now()
			if err := r.outcome(r.send(p, "a")[0]); !errors.Is(err, streamer.ErrUnknown) || time.Since(from) > 5*time.Second {
				t.Errorf("%v after %v, want ErrUnknown after 4s", err, time.Since(from))
			}
		}
	})
}
