package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// firstKept is how many failures a producer keeps the receipts of.
const firstKept = 64

// TestCloseReportsWhatTheProgramWasNotToldOf: each way to hear of a failure, or
// not, and what Close and Shutdown of the Streamer have left to say.
func TestCloseReportsWhatTheProgramWasNotToldOf(t *testing.T) {
	ways := []struct {
		name string
		hear func(t *testing.T, p streamer.Producer, bad *streamer.Receipt)
		want string // records that Close reports
	}{
		{"dropped", func(*testing.T, streamer.Producer, *streamer.Receipt) {}, "1"},
		{"waited for", func(t *testing.T, _ streamer.Producer, bad *streamer.Receipt) { _, _ = bad.Wait(t.Context()) }, ""},
		{"waited for in vain", func(_ *testing.T, _ streamer.Producer, bad *streamer.Receipt) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, _ = bad.Wait(ctx)
		}, "1"},
		{"waited for by two, one in vain", func(t *testing.T, _ streamer.Producer, bad *streamer.Receipt) {
			ctx, cancel := context.WithCancel(t.Context())
			waiting := background(func() error { _, err := bad.Wait(t.Context()); return err })
			leaving := background(func() error { _, err := bad.Wait(ctx); return err })
			synctest.Wait()
			cancel()
			_, _ = leaving(), waiting()
		}, ""},
		{"OnDone before it is resolved", func(_ *testing.T, _ streamer.Producer, bad *streamer.Receipt) {
			bad.OnDone(func(streamer.Meta, error) {})
		}, ""},
		{"OnDone after it is resolved", func(_ *testing.T, _ streamer.Producer, bad *streamer.Receipt) {
			<-bad.Done()
			bad.OnDone(func(streamer.Meta, error) {})
		}, ""},
		{"Done alone", func(_ *testing.T, _ streamer.Producer, bad *streamer.Receipt) { <-bad.Done() }, "1"},
		{"Flush", func(t *testing.T, p streamer.Producer, _ *streamer.Receipt) { _ = p.Flush(t.Context()) }, ""},
		{"Flush in vain", func(_ *testing.T, p streamer.Producer, _ *streamer.Receipt) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = p.Flush(ctx)
		}, "1"},
		{"all of it", func(t *testing.T, p streamer.Producer, bad *streamer.Receipt) {
			bad.OnDone(func(streamer.Meta, error) {})
			_, _ = bad.Wait(t.Context())
			_, _ = bad.Wait(t.Context())
			_ = p.Flush(t.Context())
			_, _ = bad.Wait(t.Context())
		}, ""},
	}
	for _, way := range ways {
		for what, stop := range map[string]func(r *rig, p streamer.Producer) error{
			"Producer.Close":    func(_ *rig, p streamer.Producer) error { return p.Close() },
			"Streamer.Close":    func(r *rig, _ streamer.Producer) error { return r.s.Close() },
			"Streamer.Shutdown": func(r *rig, _ streamer.Producer) error { return r.s.Shutdown(context.Background()) },
		} {
			t.Run(way.name+"/"+what, func(t *testing.T) {
				inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
					r.write = func(ctx context.Context, p []*driver.Pending) error {
						time.Sleep(time.Second) // it is not resolved at once
						return r.rejecting(ctx, p)
					}
					p := r.producer(streamer.ProducerOptions{})
					list := r.send(p, "a", "bad", "b")
					way.hear(t, p, list[1])
					r.failed(what, stop(r, p), way.want, streamer.ErrDenied)
				})
			})
		}
	}
}

// TestCloseReportsTheFirstOfManyFailures that the program was not told of, also
// beyond those that are kept.
func TestCloseReportsTheFirstOfManyFailures(t *testing.T) {
	for _, told := range []int{0, 1, firstKept, firstKept + 1, 3*firstKept - 1} {
		t.Run(fmt.Sprint(told), func(t *testing.T) {
			inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.write = r.rejecting
				p := r.producer(streamer.ProducerOptions{})
				var list []*streamer.Receipt
				for range 3 * firstKept {
					list = append(list, r.send(p, "bad")...)
				}
				for _, rc := range list[:told] {
					_ = r.outcome(rc)
				}
				r.failed("Close", p.Close(), fmt.Sprint(3*firstKept-told), streamer.ErrDenied)
			})
		})
	}
}

// TestARecordThatIsRefusedBeforeItIsSentIsReportedOnce, as any other.
func TestARecordThatIsRefusedBeforeItIsSentIsReportedOnce(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		p, err := r.s.Producer(t.Context(), streamer.ProducerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		nowhere := streamer.Record{Stream: "", Value: []byte("v")}
		if _, err := p.Send(t.Context(), nowhere).Wait(t.Context()); !errors.Is(err, streamer.ErrInvalid) {
			t.Fatal(err)
		}
		p.Send(t.Context(), nowhere)
		r.failed("Close", p.Close(), "1", streamer.ErrInvalid)
	})
}
