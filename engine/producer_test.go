package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/produce"
)

// send sends one record per value.
func (r *rig) send(p streamer.Producer, values ...string) []*streamer.Receipt {
	var list []*streamer.Receipt
	for _, v := range values {
		list = append(list, p.Send(context.Background(), streamer.Record{Value: []byte(v)}))
	}
	return list
}

// outcome is what a receipt says, which must come within an hour of the
// bubble's time.
func (r *rig) outcome(rc *streamer.Receipt) error {
	r.t.Helper()
	select {
	case <-rc.Done():
	case <-time.After(time.Hour):
		r.t.Fatal("a receipt was never resolved")
	}
	_, err := rc.Wait(context.Background())
	return err
}

func TestBatchesFormWhileAWriteIsUnderWay(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{})
		release := r.hold("write")
		r.send(p, "a")
		synctest.Wait()
		r.send(p, "b", "c", "d")
		release()
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.called([]string{"open", "sink"}, "write a", "write b c d")
	})
}

func TestBatchesStayWithinTheSinksLimits(t *testing.T) {
	tests := []struct {
		name   string
		limits driver.Limits
		want   []string
	}{
		{"records", driver.Limits{Records: 2}, []string{"write aaaa bb", "write cc dddd", "write e"}},
		{"bytes", driver.Limits{Bytes: 6}, []string{"write aaaa bb", "write cc dddd", "write e"}},
		{"a record larger than a batch goes alone", driver.Limits{Bytes: 3}, []string{"write aaaa", "write bb", "write cc", "write dddd", "write e"}},
		{"none", driver.Limits{}, []string{"write aaaa bb cc dddd e"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.limits = tt.limits
				p := r.producer(streamer.ProducerOptions{Linger: time.Second})
				list := r.send(p, "aaaa", "bb", "cc", "dddd", "e")
				for _, rc := range list {
					if err := r.outcome(rc); err != nil {
						t.Fatal(err)
					}
				}
				r.called([]string{"open"}, tt.want...)
			})
		})
	}
}

func TestLingerWaitsForAFullerBatch(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.limits = driver.Limits{Records: 4}
		p := r.producer(streamer.ProducerOptions{Linger: time.Minute})
		r.send(p, "a")
		r.sleep(30 * time.Second)
		r.send(p, "b")
		r.sleep(29 * time.Second)
		r.called([]string{"open"})
		r.sleep(time.Second)
		r.called(nil, "write a b") // a minute after the first
		r.send(p, "c", "d", "e", "f")
		r.called(nil, "write c d e f") // full: at once
		r.send(p, "g")
		r.sleep(time.Second)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Flush cuts it short. It asks the sink while the writer writes, so the
		// two calls come in either order.
		r.calledEither("sink flush", "write g")
		r.send(p, "h")
		from := time.Now()
		if err := p.Close(); err != nil || time.Since(from) != 0 {
			t.Fatalf("Close = %v after %v", err, time.Since(from))
		}
		r.calledEither("sink flush", "write h", "sink close") // and so does Close
	})
}

func TestWaitDoesNotCutLingerShort(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{Linger: time.Minute})
		from := time.Now()
		if err := r.outcome(r.send(p, "a")[0]); err != nil || time.Since(from) != time.Minute {
			t.Fatalf("Wait = %v after %v, want a minute", err, time.Since(from))
		}
	})
}

func TestARefusedRecordLeavesItsNeighboursAlone(t *testing.T) {
	for _, can := range []abilities{{}, {queues: true}} {
		inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.limits = driver.Limits{RecordBytes: 3}
			p := r.producer(streamer.ProducerOptions{})
			list := r.send(p, "abc", "abcd", "def")
			err := r.outcome(list[1])
			if e, ok := errors.AsType[*streamer.Error](err); !ok || e.Kind != streamer.ErrTooLarge || e.Op != "send" || e.Stream != "s" {
				t.Errorf("the receipt says %v, want ErrTooLarge", err)
			}
			r.resolveEnqueued()
			if err := p.Flush(t.Context()); !errors.Is(err, streamer.ErrTooLarge) {
				t.Errorf("Flush = %v, want ErrTooLarge", err)
			}
			if got := r.values(); !slices.Equal(got, []string{"abc", "def"}) {
				t.Errorf("stored %v", got)
			}
		})
	}
}

// resolveEnqueued stores what an Enqueuer was given.
func (r *rig) resolveEnqueued() {
	var list []*driver.Pending
	r.change(func() { list, r.enqueued = r.enqueued, nil })
	r.store(list...)
}

func TestARecordWithoutAStreamIsInvalid(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p, err := r.s.Producer(t.Context(), streamer.ProducerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.outcome(p.Send(t.Context(), streamer.Record{})); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("the receipt says %v, want ErrInvalid", err)
		}
		m, err := p.Send(t.Context(), streamer.Record{Stream: "t"}).Wait(t.Context())
		if err != nil || m.Stream != "t" || m.Seq != streamer.SeqUint(1) {
			t.Errorf("the receipt says %+v, %v", m, err)
		}
	})
}

func TestSendWithAnEndedContextSendsNothing(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.outcome(p.Send(ctx, streamer.Record{Value: []byte("a")})); err != context.Canceled {
			t.Errorf("the receipt says %v", err)
		}
		if err := p.Flush(ctx); err != context.Canceled {
			t.Errorf("Flush = %v", err)
		}
		if err := p.Close(); err != nil || len(r.values()) != 0 {
			t.Errorf("Close = %v, stored %v", err, r.values())
		}
	})
}

func TestMaxBufferedBlocksUntilThereIsSpaceOrCtxEnds(t *testing.T) {
	tests := []struct {
		name string
		o    streamer.ProducerOptions
	}{
		{"records", streamer.ProducerOptions{MaxBuffered: 2}},
		{"bytes", streamer.ProducerOptions{MaxBufferedBytes: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				p := r.producer(tt.o)
				release := r.hold("write")
				r.send(p, "a", "b")
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := r.outcome(p.Send(ctx, streamer.Record{Value: []byte("c")})); err != context.DeadlineExceeded {
					t.Fatalf("the receipt says %v", err)
				}
				blocked := background(func() error { return r.outcome(r.send(p, "d")[0]) })
				synctest.Wait()
				release()
				if err := blocked(); err != nil {
					t.Fatal(err)
				}
				if got := r.values(); !slices.Equal(got, []string{"a", "b", "d"}) {
					t.Fatalf("stored %v", got)
				}
			})
		})
	}
}

func TestARecordLargerThanTheBufferGoesInWhenItIsEmpty(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{MaxBufferedBytes: 4})
		release := r.hold("write")
		r.send(p, "a")
		large := background(func() error { return r.outcome(r.send(p, "0123456789")[0]) })
		synctest.Wait()
		release()
		if err := large(); err != nil {
			t.Fatal(err)
		}
		if got := r.values(); !slices.Equal(got, []string{"a", "0123456789"}) {
			t.Fatalf("stored %v", got)
		}
	})
}

func TestNobodyWhoWaitsForSpaceStarves(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{MaxBuffered: 3, MaxBufferedBytes: 10})
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				for j := range 10 {
					if err := r.outcome(r.send(p, strings.Repeat("x", 1+(i+j)%12))[0]); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := len(r.values()); n != 500 {
			t.Fatalf("stored %d, want 500", n)
		}
	})
}

func TestSendersKeepTheirOrder(t *testing.T) {
	const senders, each = 8, 200
	for _, transient := range []bool{false, true} {
		inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.limits = driver.Limits{Records: 7}
			if transient { // every other Write stores half of its batch and fails
				n := 0
				r.write = func(_ context.Context, batch []*driver.Pending) error {
					if n++; n%2 == 0 {
						r.store(batch...)
						return nil
					}
					r.store(batch[:len(batch)/2]...)
					return driver.Transient(errors.New("lost"), 0)
				}
			}
			p := r.producer(streamer.ProducerOptions{MaxBuffered: 20})
			var wg sync.WaitGroup
			for g := range senders {
				wg.Go(func() {
					for i := range each {
						r.send(p, fmt.Sprintf("%d %03d", g, i))
					}
				})
			}
			wg.Wait()
			if err := p.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			bySender := map[string][]string{}
			for _, v := range r.values() {
				g, i, _ := strings.Cut(v, " ")
				bySender[g] = append(bySender[g], i)
			}
			for g, list := range bySender {
				if len(list) != each || !slices.IsSorted(list) {
					t.Errorf("transient %v: sender %s stored %d records, sorted: %v", transient, g, len(list), slices.IsSorted(list))
				}
			}
		})
	}
}

func TestAnEnqueuerGetsEachRecordAtOnce(t *testing.T) {
	inBubble(t, abilities{queues: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{MaxBuffered: 2})
		r.send(p, "a", "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.outcome(p.Send(ctx, streamer.Record{})); err != context.DeadlineExceeded {
			t.Fatalf("the receipt says %v, want the engine to bound what is outstanding", err)
		}
		flushed := background(func() error { return p.Flush(context.Background()) })
		synctest.Wait()
		r.called([]string{"open"}, "sink flush")
		r.resolveEnqueued()
		if err := flushed(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestASinkIsExactlyOneOfWriterAndEnqueuer(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		e := r.s.(*engine)
		for _, sink := range []driver.Sink{&fakeSink{b: r.fakeBackend}, struct {
			*writeSink
			driver.Enqueuer
		}{&writeSink{fakeSink{b: r.fakeBackend}}, nil}} {
			if _, err := produce.New(e, streamer.ProducerOptions{}, sink, e.observer("")); err == nil {
				t.Errorf("%T was taken", sink)
			}
		}
	})
}
