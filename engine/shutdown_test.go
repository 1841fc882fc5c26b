package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

func TestShutdownHaltsFlushesCommitsAndCloses(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		p := r.producer(streamer.ProducerOptions{})
		release := r.hold("write")
		for _, m := range r.take(c, 3) { // what is acknowledged is what is stored
			p.Send(t.Context(), streamer.Record{Value: m.Value}).OnDone(func(_ streamer.Meta, err error) {
				if err == nil {
					m.Ack()
				}
			})
		}
		synctest.Wait()
		r.history()
		done := background(r.s.Close)
		synctest.Wait()
		if _, err := c.Next(t.Context()); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("Next while the outputs are flushed = %v, want ErrClosed", err)
		}
		release()
		if err := done(); err != nil {
			t.Fatal(err)
		}
		calls := r.history("write")
		want := []string{"sink flush", "commit 0=3", "close", "sink flush", "sink close", "backend close"}
		if !slices.Equal(calls, want) {
			t.Errorf("calls\n got %q\nwant %q", calls, want)
		}
		if r.mark(0) != 3 {
			t.Errorf("committed %d, want 3: their outputs are stored", r.mark(0))
		}
	})
}

// A program may be in the middle of a message when delivery stops: what it
// sends then is stored and its input committed.
func TestShutdownLetsTheLastMessageHaveItsOutput(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		p := r.producer(streamer.ProducerOptions{})
		m := r.take(c, 1)[0]
		done := background(r.s.Close)
		synctest.Wait()
		receipt := p.Send(t.Context(), streamer.Record{Value: m.Value})
		time.Sleep(lastMoment / 2)
		receipt.OnDone(func(streamer.Meta, error) { m.Ack() })
		if err := done(); err != nil {
			t.Fatal(err)
		}
		if r.mark(0) != 1 {
			t.Errorf("committed %d, want 1: its output is stored", r.mark(0))
		}
	})
}

// What is sent later is not stored, because its input could not be committed
// any more.
func TestShutdownStoresNothingAfterTheLastMoment(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		p := r.producer(streamer.ProducerOptions{})
		held := r.take(c, 2)
		held[0].Ack()
		release := r.hold("commit")
		done := background(r.s.Close)
		time.Sleep(lastMoment + time.Millisecond)
		if err := r.outcome(p.Send(t.Context(), streamer.Record{Value: held[1].Value})); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("the receipt says %v, want ErrClosed", err)
		}
		release()
		if err := done(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestShutdownIsIdempotentAndConcurrent(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		p := r.producer(streamer.ProducerOptions{})
		r.send(p, "a")
		r.fails("backend close", streamer.ErrDenied)
		var waits []func() error
		for i := range 6 {
			waits = append(waits, background([]func() error{r.s.Close, c.Close, p.Close}[i%3]))
		}
		for i, wait := range waits {
			if err := wait(); (err != nil) != (i%3 == 0) || i%3 == 0 && !errors.Is(err, streamer.ErrDenied) {
				t.Errorf("call %d = %v", i, err)
			}
		}
		if err := r.s.Close(); !errors.Is(err, streamer.ErrDenied) {
			t.Errorf("a later Close = %v, want what the first returned", err)
		}
		count := map[string]int{}
		for _, call := range r.history() {
			count[call]++
		}
		for _, op := range []string{"close", "sink close", "backend close"} {
			if count[op] != 1 {
				t.Errorf("%q was called %d times, want once", op, count[op])
			}
		}
	})
}

func TestAfterShutdownEverythingIsClosed(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		_ = r.s.Close()
		_, consumer := r.tryConsumer(streamer.ConsumerOptions{})
		_, producer := r.s.Producer(t.Context(), streamer.ProducerOptions{})
		_, describe := r.s.Admin().Describe(t.Context(), "s")
		for name, err := range map[string]error{"Consumer": consumer, "Producer": producer, "Ping": r.s.Ping(t.Context()), "Describe": describe} {
			if !errors.Is(err, streamer.ErrClosed) {
				t.Errorf("%s = %v, want ErrClosed", name, err)
			}
		}
	})
}

func TestShutdownEndsWithItsContextAndCountsWhatIsUnknown(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		p := r.producer(streamer.ProducerOptions{})
		r.hold("write")
		list := r.send(p, "a", "b", "c")
		ackAll(r.take(c, 2))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		from := time.Now()
		err := r.s.Shutdown(ctx)
		if d := time.Since(from); d != 5*time.Second {
			t.Errorf("Shutdown took %v, want 5s", d)
		}
		if !errors.Is(err, streamer.ErrUnknown) || !strings.Contains(err.Error(), "3 records") {
			t.Errorf("Shutdown = %v, want 3 records with ErrUnknown", err)
		}
		for _, rc := range list {
			if err := r.outcome(rc); !errors.Is(err, streamer.ErrUnknown) {
				t.Errorf("the receipt says %v", err)
			}
		}
		if _, err := c.Next(t.Context()); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("Next = %v, want ErrClosed", err)
		}
	})
}

func TestCloseIsShutdownWithinCloseTimeout(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{CloseTimeout: 2 * time.Second}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		ackAll(r.take(c, 2))
		r.hold("commit")
		from := time.Now()
		err := r.s.Close()
		if d := time.Since(from); d != 2*time.Second || err == nil {
			t.Errorf("Close = %v after %v, want an error after 2s", err, d)
		}
		calls := r.history("open", "commit")
		if !slices.Equal(calls, []string{"close", "backend close"}) {
			t.Errorf("calls %q: what can be closed is closed all the same", calls)
		}
	})
}

// Giving up an open may need the backend, which therefore closes later.
func TestAnOpenThatIsUnderWayIsGivenUpBeforeTheBackendCloses(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.hold("open")
		consumer := background(func() error { _, err := r.tryConsumer(streamer.ConsumerOptions{}); return err })
		synctest.Wait()
		r.hold("open sink")
		producer := background(func() error {
			_, err := r.s.Producer(context.Background(), streamer.ProducerOptions{Stream: "s"})
			return err
		})
		synctest.Wait()
		from := time.Now()
		if err := r.s.Close(); err != nil || time.Since(from) > 0 {
			t.Errorf("Close = %v after %v", err, time.Since(from))
		}
		for name, wait := range map[string]func() error{"Consumer": consumer, "Producer": producer} {
			if err := wait(); !errors.Is(err, streamer.ErrClosed) {
				t.Errorf("%s = %v, want ErrClosed", name, err)
			}
		}
	})
}

// What was opened all the same is closed, and the backend last.
func TestTheBackendClosesBehindAnOpenThatIsUnderWay(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		e := r.s.(*engine)
		if !e.begin() {
			t.Fatal("closed")
		}
		time.AfterFunc(time.Second, e.opening.Done)
		from := time.Now()
		if err := r.s.Close(); err != nil || time.Since(from) != time.Second {
			t.Errorf("Close = %v after %v, want it to wait for a second", err, time.Since(from))
		}
		if e.begin() {
			t.Error("something may be opened after Close")
		}
	})
}

func TestAClosedChildIsForgotten(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		for range 3 {
			_ = r.consumer(streamer.ConsumerOptions{}).Close()
			_ = r.producer(streamer.ProducerOptions{}).Close()
		}
		e := r.s.(*engine)
		e.mu.Lock()
		defer e.mu.Unlock()
		if n := len(e.consumers) + len(e.producers); n != 0 {
			t.Errorf("%d closed children are kept", n)
		}
	})
}

func TestASourceThatHangsDoesNotHangClose(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{CloseTimeout: 2 * time.Second}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
		ackAll(r.take(c, 3))
		r.hold("close")
		if err := c.Close(); err == nil {
			t.Error("Close = nil, want that the source did not close in time")
		}
		if r.mark(0) != 3 {
			t.Errorf("committed %d, want 3: before the source is closed", r.mark(0))
		}
	})
}

func TestCloseReportsACommitThatFailed(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		ackAll(r.take(c, 3))
		r.fails("commit", driver.Transient(streamer.ErrThrottled, 0), streamer.ErrFenced)
		if err := c.Close(); !errors.Is(err, streamer.ErrFenced) {
			t.Errorf("Close = %v, want ErrFenced", err)
		}
	})
}

func TestAnotherShutdownEndsWithItsOwnContext(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		release := r.hold("backend close")
		first := background(r.s.Close)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.s.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Errorf("Shutdown = %v", err)
		}
		release()
		if err := first(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}

func TestCloseWhileFetchingIsRetried(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.fails("fetch", driver.Transient(errors.New("lost"), time.Hour))
		c := r.consumer(streamer.ConsumerOptions{})
		from := time.Now()
		if err := c.Close(); err != nil || time.Since(from) != 0 {
			t.Errorf("Close = %v after %v", err, time.Since(from))
		}
	})
}

func TestAnErrorOfCloseIsNotMarkedTransient(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{CloseTimeout: time.Second}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		ackAll(r.take(c, 3))
		r.fails("commit", slices.Repeat([]error{driver.Transient(streamer.ErrThrottled, 100*time.Millisecond)}, 100)...)
		err := c.Close()
		if _, again := boundary.RetryAfter(err); again || !errors.Is(err, streamer.ErrThrottled) {
			t.Errorf("Close = %v, transient: %v", err, again)
		}
	})
}
