package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/produce"
)

// TestOnDoneThatFlushesOrClosesIsAnErrorAtOnce: it would wait for itself.
func TestOnDoneThatFlushesOrClosesIsAnErrorAtOnce(t *testing.T) {
	for _, can := range []abilities{{}, {queues: true}} {
		inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			release := func() {}
			if !can.queues {
				release = r.hold("write")
			}
			p := r.producer(streamer.ProducerOptions{})
			told := make(chan []error, 1)
			from := time.Now()
			r.send(p, "a")[0].OnDone(func(streamer.Meta, error) {
				nested := func() error { return p.Flush(context.Background()) }
				told <- []error{nested(), p.Close(), r.s.Close(), r.s.Shutdown(context.Background())}
			})
			release()
			if can.queues {
				go r.resolveEnqueued()
			}
			for i, err := range <-told {
				if !errors.Is(err, streamer.ErrInvalid) {
					t.Errorf("call %d inside OnDone: %v, want ErrInvalid", i, err)
				}
			}
			if d := time.Since(from); d > time.Second {
				t.Errorf("it took %v", d)
			}
			if err := p.Flush(t.Context()); err != nil {
				t.Errorf("Flush afterwards: %v", err)
			}
		})
	}
}

// TestOnDoneOfWhatIsResolvedMayFlush: that is the caller's own goroutine.
func TestOnDoneOfWhatIsResolvedMayFlush(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{})
		rc := r.send(p, "a")[0]
		if err := r.outcome(rc); err != nil {
			t.Fatal(err)
		}
		rc.OnDone(func(streamer.Meta, error) {
			if err := p.Flush(t.Context()); err != nil {
				t.Errorf("Flush: %v", err)
			}
		})
	})
}

// TestAFlushAfterCloseDoesNotReachTheSink, and one that is in it ends first.
func TestAFlushAfterCloseDoesNotReachTheSink(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{CloseTimeout: time.Second}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{})
		r.hold("sink flush")
		flushing := background(func() error { return p.Flush(context.Background()) })
		synctest.Wait()
		_ = p.Close() // its own flush is cut short
		if err := flushing(); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("a Flush that Close cut short: %v, want ErrClosed", err)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Errorf("Flush after Close: %v", err)
		}
		closed := false
		for _, call := range r.history() {
			if closed && call == "sink flush" {
				t.Error("the sink was flushed after it was closed")
			}
			closed = closed || call == "sink close"
		}
		if !closed {
			t.Error("the sink was not closed")
		}
	})
}

// TestNothingIsWrittenAfterCloseHasGivenUp: a batch that waits to be tried
// again stays behind, and a Write that is under way returns before the sink is
// closed.
func TestNothingIsWrittenAfterCloseHasGivenUp(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{CloseTimeout: 3 * time.Second}, func(t *testing.T, r *rig) {
		var writes []time.Duration
		from := time.Now()
		r.write = func(ctx context.Context, _ []*driver.Pending) error {
			writes = append(writes, time.Since(from))
			return driver.Transient(errors.New("lost"), 700*time.Millisecond)
		}
		p := r.producer(streamer.ProducerOptions{DeliveryTimeout: streamer.NoLimit})
		r.send(p, "a")
		synctest.Wait()
		r.failed("Close", p.Close(), "1", streamer.ErrUnknown)
		n, ended := len(writes), time.Since(from)
		r.sleep(time.Minute)
		if len(writes) != n || writes[n-1] > 3*time.Second {
			t.Errorf("writes at %v, Close ended after %v", writes, ended)
		}
	})
}

// TestASecondCloseHasTheOutcomeOfTheFirst, or an error with a kind, and never
// that of a context that is not the caller's.
func TestASecondCloseHasTheOutcomeOfTheFirst(t *testing.T) {
	for name, second := range map[string]func(r *rig, p *produce.Producer) error{
		"producer": func(_ *rig, p *produce.Producer) error { return p.Close() },
		"streamer": func(r *rig, _ *produce.Producer) error { return r.s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, abilities{}, streamer.StreamerOptions{CloseTimeout: 3 * time.Second}, func(t *testing.T, r *rig) {
				r.hold("write")
				p := r.producer(streamer.ProducerOptions{})
				r.send(p, "a")
				synctest.Wait()
				first := background(func() error { return second(r, p) })
				synctest.Wait()
				err := second(r, p)
				r.failed("the first", first(), "1", streamer.ErrUnknown)
				r.failed("the second", err, "1", streamer.ErrUnknown)
			})
		})
	}
}

// TestACloseWhoseTimeIsOverBeforeTheFirstHasAnErrorWithAKind.
func TestACloseWhoseTimeIsOverBeforeTheFirstHasAnErrorWithAKind(t *testing.T) {
	for name, c := range map[string]struct {
		first, second func(r *rig, p *produce.Producer) error
	}{
		"producer": {
			func(_ *rig, p *produce.Producer) error { return p.CloseWithin(context.Background()) },
			func(_ *rig, p *produce.Producer) error { return p.Close() },
		},
		"streamer": {
			func(r *rig, _ *produce.Producer) error { return r.s.Shutdown(context.Background()) },
			func(r *rig, _ *produce.Producer) error { return r.s.Close() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, abilities{}, streamer.StreamerOptions{CloseTimeout: time.Second}, func(t *testing.T, r *rig) {
				release := r.hold("write")
				p := r.producer(streamer.ProducerOptions{})
				r.send(p, "a")
				synctest.Wait()
				first := background(func() error { return c.first(r, p) })
				synctest.Wait()
				if err := c.second(r, p); !errors.Is(err, streamer.ErrUnknown) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the second: %v, want ErrUnknown", err)
				}
				release()
				if err := first(); err != nil {
					t.Errorf("the first: %v", err)
				}
			})
		})
	}
}
