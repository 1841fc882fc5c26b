package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/wait"
)

// rejecting is a Write that fails the records whose value starts with "bad".
func (r *rig) rejecting(_ context.Context, batch []*driver.Pending) error {
	for _, p := range batch {
		if strings.HasPrefix(string(p.Record.Value), "bad") {
			p.Resolve(streamer.Meta{}, streamer.ErrDenied)
			continue
		}
		r.store(p)
	}
	return nil
}

// failed checks an error of Flush or Close: how many records failed, and why
// the first did.
func (r *rig) failed(what string, err error, n string, kind error) {
	r.t.Helper()
	if n == "" {
		if err != nil {
			r.t.Errorf("%s = %v", what, err)
		}
		return
	}
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), n+" records") {
		r.t.Errorf("%s = %v, want %s records failed with %v", what, err, n, kind)
	}
}

func TestAFailureIsReportedOnItsReceiptAndOnFlushAndElseOnClose(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.write = r.rejecting
		p := r.producer(streamer.ProducerOptions{})
		list := r.send(p, "a", "bad 1", "b", "bad 2")
		for i, rc := range list {
			if err := r.outcome(rc); errors.Is(err, streamer.ErrDenied) != (i%2 == 1) {
				t.Errorf("receipt %d says %v", i, err)
			}
		}
		r.failed("the first Flush", p.Flush(t.Context()), "2", streamer.ErrDenied)
		r.failed("the second Flush", p.Flush(t.Context()), "", nil)
		r.send(p, "bad 3")
		r.failed("Flush after another failure", p.Flush(t.Context()), "1", streamer.ErrDenied)
		r.send(p, "bad 4", "c")
		r.failed("Close", p.Close(), "1", streamer.ErrDenied)
		r.failed("the second Close", p.Close(), "1", streamer.ErrDenied)
		if got := r.values(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("stored %v", got)
		}
	})
}

func TestOverlappingFlushesReportAFailureEach(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.write = r.rejecting
		p := r.producer(streamer.ProducerOptions{})
		release := r.hold("write")
		r.send(p, "bad")
		var flushes []func() error
		for range 3 {
			flushes = append(flushes, background(func() error { return p.Flush(context.Background()) }))
		}
		synctest.Wait()
		release()
		for _, wait := range flushes {
			r.failed("Flush", wait(), "1", streamer.ErrDenied)
		}
		r.failed("a later Flush", p.Flush(t.Context()), "", nil)
	})
}

func TestAFlushWhoseContextEndsLeavesTheFailureForTheNext(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.write = r.rejecting
		p := r.producer(streamer.ProducerOptions{})
		release := r.hold("write")
		r.send(p, "bad")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Flush(ctx); err != context.DeadlineExceeded {
			t.Fatalf("Flush = %v", err)
		}
		release()
		r.failed("the next Flush", p.Flush(t.Context()), "1", streamer.ErrDenied)
	})
}

func TestFlushReturnsUnderABusySender(t *testing.T) {
	for _, can := range []abilities{{}, {queues: true}} {
		inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.limits = driver.Limits{Records: 10}
			r.write = func(ctx context.Context, batch []*driver.Pending) error {
				wait.Pause(ctx, time.Millisecond)
				r.store(batch...)
				return nil
			}
			p := r.producer(streamer.ProducerOptions{MaxBuffered: 100})
			ctx, cancel := context.WithCancel(t.Context())
			busy := background(func() error { // the buffer is never empty
				for ctx.Err() == nil {
					p.Send(ctx, streamer.Record{Value: []byte("x")})
				}
				return nil
			})
			sink := background(func() error {
				for ctx.Err() == nil {
					wait.Pause(ctx, time.Millisecond)
					r.mu.Lock()
					list := r.enqueued[:min(10, len(r.enqueued))]
					r.enqueued = r.enqueued[len(list):]
					r.mu.Unlock()
					r.store(list...)
				}
				return nil
			})
			for range 5 {
				time.Sleep(10 * time.Millisecond)
				from := time.Now()
				if err := p.Flush(ctx); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(from); d > 100*time.Millisecond {
					t.Errorf("Flush took %v, want about what 100 records take", d)
				}
			}
			cancel()
			_, _ = busy(), sink()
			r.resolveEnqueued()
		})
	}
}

func TestATransientWriteIsRetriedInOrder(t *testing.T) {
	var retries seen[streamer.RetryEvent]
	inBubble(t, abilities{}, streamer.StreamerOptions{Hooks: streamer.Hooks{Retrying: retries.add}}, func(t *testing.T, r *rig) {
		lost := errors.New("connection lost")
		r.fails("write", driver.Transient(lost, time.Second), driver.Transient(lost, 0))
		p := r.producer(streamer.ProducerOptions{})
		r.send(p, "a")
		synctest.Wait()
		r.send(p, "b", "c")
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.called([]string{"open", "sink"}, "write a", "write a", "write a", "write b c")
		synctest.Wait()
		got := retries.all()
		if len(got) != 2 || got[0] != (streamer.RetryEvent{Op: "write", Err: got[0].Err, After: time.Second}) || !errors.Is(got[0].Err, lost) {
			t.Errorf("Retrying reported %+v", got)
		}
	})
}

func TestAFailedWriteFailsWhatIsNotResolved(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.write = func(_ context.Context, batch []*driver.Pending) error {
			r.store(batch[0])
			return streamer.ErrThrottled
		}
		p := r.producer(streamer.ProducerOptions{Linger: time.Second})
		list := r.send(p, "a", "b", "c")
		for i, rc := range list {
			if err := r.outcome(rc); errors.Is(err, streamer.ErrThrottled) != (i > 0) {
				t.Errorf("receipt %d says %v", i, err)
			}
		}
		r.failed("Flush", p.Flush(t.Context()), "2", streamer.ErrThrottled)
	})
}

func TestDeliveryTimeout(t *testing.T) {
	lost := errors.New("connection lost")
	tests := []struct {
		name string
		can  abilities
		rig  func(r *rig)
		want error
	}{
		{"a write that hangs", abilities{}, func(r *rig) { r.hold("write") }, streamer.ErrUnknown},
		{"a sink that never resolves", abilities{queues: true}, func(r *rig) {}, streamer.ErrUnknown},
		{"a writer that never resolves", abilities{}, func(r *rig) {
			r.write = func(context.Context, []*driver.Pending) error { return nil }
		}, streamer.ErrUnknown},
		{"a write that fails again and again is not stored", abilities{}, func(r *rig) {
			r.fails("write", slices.Repeat([]error{driver.Transient(lost, 0)}, 1000)...)
		}, lost},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tt.can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				tt.rig(r)
				p := r.producer(streamer.ProducerOptions{DeliveryTimeout: 10 * time.Second})
				from := time.Now()
				first := r.send(p, "a")[0]
				time.Sleep(5 * time.Second)
				second := r.send(p, "b")[0]
				for i, rc := range []*streamer.Receipt{first, second} {
					err := r.outcome(rc)
					due := time.Duration(10+5*i) * time.Second
					if d := time.Since(from); !errors.Is(err, tt.want) || d < due-2*time.Second || d > due+time.Second {
						t.Errorf("record %d: %v after %v, want %v after %v", i, err, d, tt.want, due)
					}
				}
				r.failed("Flush", p.Flush(t.Context()), "2", tt.want)
			})
		})
	}
}

// TestARecordThatIsGivenUpSaysWhatRefusedIt: a server that is busy may take
// long even to say so, and the last try is cut off before it does.
func TestARecordThatIsGivenUpSaysWhatRefusedIt(t *testing.T) {
	busy := fmt.Errorf("LOADING: %w", streamer.ErrThrottled)
	cut := driver.Transient(fmt.Errorf("connection cut: %w", streamer.ErrUnknown), 0)
	for name, last := range map[string]error{"a cut connection": cut, "the end of ctx": context.DeadlineExceeded, "a write that nothing ends": nil} {
		for _, closes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, closed=%v", name, closes), func(t *testing.T) {
				inBubble(t, abilities{}, streamer.StreamerOptions{CloseTimeout: time.Second}, func(t *testing.T, r *rig) {
					release := make(chan struct{})
					defer close(release)
					first := true
					r.write = func(ctx context.Context, _ []*driver.Pending) error {
						if first {
							first = false
							return driver.Transient(busy, 0)
						}
						<-ctx.Done()
						if last == nil {
							<-release
						}
						return last
					}
					p := r.producer(streamer.ProducerOptions{DeliveryTimeout: 4 * time.Second})
					rc := r.send(p, "a")[0]
					synctest.Wait()
					if closes {
						_ = p.Close() // the receipt has it
					}
					err := r.outcome(rc)
					if !errors.Is(err, streamer.ErrUnknown) || !errors.Is(err, streamer.ErrThrottled) || strings.Contains(err.Error(), "cut") {
						t.Errorf("%v, want ErrUnknown, and what refused it", err)
					}
				})
			})
		}
	}
}

func TestATimeoutOfTheClientsIsNotTheProducers(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.fails("write", fmt.Errorf("read tcp: %w", context.DeadlineExceeded))
		err := r.outcome(r.send(r.producer(streamer.ProducerOptions{}), "a")[0])
		if !errors.Is(err, streamer.ErrUnknown) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "read tcp") {
			t.Errorf("%v, want ErrUnknown and the client's own words", err)
		}
	})
}

func TestNegativeDeliveryTimeoutIsNoLimit(t *testing.T) {
	inBubble(t, abilities{queues: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{DeliveryTimeout: streamer.NoLimit})
		rc := r.send(p, "a")[0]
		r.sleep(1000 * time.Hour)
		r.resolveEnqueued()
		if err := r.outcome(rc); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnOutcomeAfterGivingUpIsIgnored(t *testing.T) {
	inBubble(t, abilities{queues: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{DeliveryTimeout: time.Second})
		rc := r.send(p, "a")[0]
		r.sleep(2 * time.Second)
		r.resolveEnqueued()
		if err := r.outcome(rc); !errors.Is(err, streamer.ErrUnknown) {
			t.Fatalf("the receipt says %v, want ErrUnknown", err)
		}
		r.failed("Close", p.Close(), "", nil)
	})
}

func TestCloseGivesUpAtCloseTimeout(t *testing.T) {
	for _, can := range []abilities{{}, {queues: true}} {
		inBubble(t, can, streamer.StreamerOptions{CloseTimeout: 3 * time.Second}, func(t *testing.T, r *rig) {
			r.hold("write")
			p := r.producer(streamer.ProducerOptions{})
			list := r.send(p, "a", "b")
			from := time.Now()
			r.failed("Close", p.Close(), "2", streamer.ErrUnknown)
			if d := time.Since(from); d < 3*time.Second || d > 4*time.Second {
				t.Errorf("Close took %v, want 3s", d)
			}
			for _, rc := range list {
				if err := r.outcome(rc); !errors.Is(err, streamer.ErrUnknown) {
					t.Errorf("the receipt says %v, want ErrUnknown", err)
				}
			}
		})
	}
}

func TestCloseCutsARetryShort(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{CloseTimeout: 3 * time.Second}, func(t *testing.T, r *rig) {
		r.fails("write", slices.Repeat([]error{driver.Transient(errors.New("lost"), time.Hour)}, 10)...)
		p := r.producer(streamer.ProducerOptions{DeliveryTimeout: streamer.NoLimit})
		rc := r.send(p, "a")[0]
		synctest.Wait()
		if err := p.Close(); err == nil {
			t.Error("Close = nil")
		}
		if err := r.outcome(rc); err == nil {
			t.Error("the receipt says nothing")
		}
	})
}

func TestAfterCloseNothingIsSent(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{MaxBuffered: 1})
		release := r.hold("write")
		r.send(p, "a")
		blocked := background(func() error { return r.outcome(r.send(p, "b")[0]) })
		synctest.Wait()
		closed := background(p.Close)
		synctest.Wait()
		if err := blocked(); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("a Send that waited for space: %v, want ErrClosed", err)
		}
		release()
		if err := errors.Join(closed(), p.Close()); err != nil {
			t.Errorf("Close = %v, want what was sent before stored", err)
		}
		if err := r.outcome(r.send(p, "c")[0]); !errors.Is(err, streamer.ErrClosed) {
			t.Errorf("Send = %v, want ErrClosed", err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("the refused Send counts: Close = %v", err)
		}
		if got := r.values(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("stored %v", got)
		}
	})
}

func TestASinkThatCannotFlushFailsFlush(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{})
		r.send(p, "a")
		r.fails("sink flush", streamer.ErrDenied)
		if err := p.Flush(t.Context()); !errors.Is(err, streamer.ErrDenied) {
			t.Errorf("Flush = %v, want ErrDenied", err)
		}
		r.fails("sink close", streamer.ErrDenied)
		if err := p.Close(); !errors.Is(err, streamer.ErrDenied) {
			t.Errorf("Close = %v, want ErrDenied", err)
		}
	})
}
