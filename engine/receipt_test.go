package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gostreamer/streamer"
)

func TestReceiptWaitDoneAndOnDoneAgree(t *testing.T) {
	failed := errors.New("failed")
	meta := streamer.Meta{Stream: "s", Shard: 2, Seq: streamer.SeqUint(7)}
	for _, want := range []error{nil, failed} {
		synctest.Test(t, func(t *testing.T) {
			r, resolve := streamer.NewReceipt()
			var before, after atomic.Int64
			check := func(n *atomic.Int64) func(streamer.Meta, error) {
				return func(m streamer.Meta, err error) {
					if n.Add(1); m != meta || err != want {
						t.Errorf("OnDone got %+v, %v", m, err)
					}
				}
			}
			r.OnDone(check(&before))
			r.OnDone(check(&before))
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					<-r.Done()
					if m, err := r.Wait(context.Background()); m != meta || err != want {
						t.Errorf("Wait = %+v, %v", m, err)
					}
				})
			}
			synctest.Wait()
			select {
			case <-r.Done():
				t.Error("done before it was resolved")
			default:
			}
			resolve(meta, want)
			wg.Wait()
			r.OnDone(check(&after))
			if before.Load() != 2 || after.Load() != 1 {
				t.Errorf("OnDone called %d and %d times, want 2 and 1", before.Load(), after.Load())
			}
		})
	}
}

func TestWaitEndsWithItsContextAndNotTheRecord(t *testing.T) {
	r, resolve := streamer.NewReceipt()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Wait(ctx); err != context.Canceled {
		t.Errorf("Wait = %v", err)
	}
	resolve(streamer.Meta{Stream: "s"}, nil)
	if m, err := r.Wait(ctx); err != nil || m.Stream != "s" { // what is known needs no waiting
		t.Errorf("Wait of a resolved receipt = %+v, %v", m, err)
	}
}

func TestTheFirstOutcomeStays(t *testing.T) {
	r, resolve := streamer.NewReceipt()
	resolve(streamer.Meta{Stream: "s"}, nil)
	resolve(streamer.Meta{}, streamer.ErrUnknown)
	if m, err := r.Wait(t.Context()); err != nil || m.Stream != "s" {
		t.Errorf("Wait = %+v, %v", m, err)
	}
}

func TestOnDoneRacesResolveAndIsCalledOnce(t *testing.T) {
	for range 200 {
		r, resolve := streamer.NewReceipt()
		var n atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { r.OnDone(func(streamer.Meta, error) { n.Add(1) }) })
		}
		wg.Go(func() { resolve(streamer.Meta{}, nil) })
		wg.Wait()
		if n.Load() != 4 {
			t.Fatalf("%d of 4 callbacks ran", n.Load())
		}
	}
}

func TestOnDoneRunsBeforeFlushReturns(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{})
		var n atomic.Int64
		for _, rc := range r.send(p, "a", "b", "c") {
			rc.OnDone(func(streamer.Meta, error) { n.Add(1) })
		}
		if err := p.Flush(t.Context()); err != nil || n.Load() != 3 {
			t.Fatalf("Flush = %v with %d of 3 callbacks run", err, n.Load())
		}
	})
}

func TestARecordIsLetGoOfWhenItIsResolved(t *testing.T) {
	inBubble(t, abilities{queues: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p := r.producer(streamer.ProducerOptions{})
		r.send(p, "a")
		pd := r.enqueued[0]
		r.resolveEnqueued()
		if pd.Record.Value != nil {
			t.Error("a resolved Pending keeps its payload")
		}
		select {
		case <-pd.Receipt().Done():
		default:
			t.Error("the receipt is not resolved")
		}
	})
}
