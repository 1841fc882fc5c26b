package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// fakeTarget is a Producer that refuses attributes, or some records altogether,
// and resolves receipts late, on a goroutine of its own.
type fakeTarget struct {
	streamer.Producer
	refuses func(streamer.Record) error

	mu       sync.Mutex
	stored   []streamer.Record
	inFlight int
	most     int
	queue    chan func()
}

func newFakeTarget(t *testing.T, refuses func(streamer.Record) error) *fakeTarget {
	p := &fakeTarget{refuses: refuses, queue: make(chan func(), 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for resolve := range p.queue {
			resolve()
		}
	}()
	t.Cleanup(func() {
		close(p.queue)
		<-done
	})
	return p
}

func (p *fakeTarget) Send(_ context.Context, r streamer.Record) *streamer.Receipt {
	receipt, resolve := streamer.NewReceipt()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight++
	p.most = max(p.most, p.inFlight)
	err := p.refuses(r)
	if err == nil {
		p.stored = append(p.stored, r)
	}
	p.queue <- func() {
		p.mu.Lock()
		p.inFlight--
		p.mu.Unlock()
		resolve(streamer.Meta{}, err)
	}
	return receipt
}

func (p *fakeTarget) Flush(context.Context) error { return nil }

func (p *fakeTarget) Close() error { return nil }

func refuse(what string) error { return fmt.Errorf("no %s: %w", what, streamer.ErrUnsupported) }

// relayed is a forwarder, and what it told the user and acknowledged.
type relayed struct {
	*forwarder
	said  bytes.Buffer
	acked []*atomic.Bool
}

func newRelayed(to streamer.Producer, window int) *relayed {
	r := &relayed{}
	r.forwarder = newForwarder(&env{meter: newMeter(), err: newScreen(&r.said, &r.said)}, &relayOptions{named: true}, window)
	r.to = to
	r.giveUp = func(error) {}
	return r
}

// message makes the next message.
func (r *relayed) message(m streamer.Message) *streamer.Message {
	if m.Value == nil {
		m.Value = fmt.Appendf(nil, "m%d", len(r.acked))
	}
	acked := &atomic.Bool{}
	r.acked = append(r.acked, acked)
	return streamer.NewMessage(m.Meta, m.Key, m.Value, m.Headers, func() { acked.Store(true) })
}

func (r *relayed) ackedCount() (n int) {
	for _, a := range r.acked {
		if a.Load() {
			n++
		}
	}
	return n
}

// Whatever the target cannot keep is dropped, said once, and nothing is lost,
// doubled or moved.
func TestWhatTheTargetCannotKeepIsDroppedAndTheOrderStays(t *testing.T) {
	rich := streamer.Message{
		Meta: streamer.Meta{Time: time.Unix(1, 0)}, Key: []byte("k"),
		Headers: []streamer.Header{{Key: "h", Value: []byte("v")}},
	}
	for name, c := range map[string]struct {
		refuses func(streamer.Record) error
		says    string
	}{
		"nothing": {func(streamer.Record) error { return nil }, ""},
		"time": {func(r streamer.Record) error {
			if !r.Time.IsZero() {
				return refuse("time")
			}
			return nil
		}, "does not keep the time: dropped"},
		"headers and keys": {func(r streamer.Record) error {
			if r.Key != nil || len(r.Headers) > 0 {
				return refuse("keys or headers")
			}
			return nil
		}, "does not keep headers and keys: dropped"},
		"anything": {func(r streamer.Record) error {
			if r.Key != nil || len(r.Headers) > 0 || !r.Time.IsZero() {
				return refuse("attributes")
			}
			return nil
		}, "does not keep headers and keys: dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			to := newFakeTarget(t, c.refuses)
			r := newRelayed(to, 50)
			const n = 500
			for i := range n {
				m := streamer.Message{Meta: streamer.Meta{Time: rich.Time}}
				if i > 100 && i%3 > 0 {
					m = rich // the target is asked in the middle of the stream
				}
				if err := r.send(t.Context(), r.message(m)); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i, record := range to.stored {
				if string(record.Value) != fmt.Sprintf("m%d", i) {
					t.Fatalf("record %d is %s", i, record.Value)
				}
			}
			if len(to.stored) != n || r.ackedCount() != n {
				t.Errorf("%d stored and %d acknowledged of %d", len(to.stored), r.ackedCount(), n)
			}
			checkSaid(t, r.said.String(), c.says)
		})
	}
}

func checkSaid(t *testing.T, said, want string) {
	t.Helper()
	if want == "" && said != "" || !strings.Contains(said, want) || strings.Count(said, "dropped") > 2 {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestOnlyKeysThatAreNotTextAreDroppedWhereTextIsKept(t *testing.T) {
	to := newFakeTarget(t, func(r streamer.Record) error {
		if strings.Contains(string(r.Key), "\xff") {
			return refuse("binary keys")
		}
		return nil
	})
	r := newRelayed(to, 10)
	for _, key := range []string{"a", "\xff", "b", "\xff", "c"} {
		if err := r.send(t.Context(), r.message(streamer.Message{Key: []byte(key)})); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, record := range to.stored {
		keys = append(keys, string(record.Key))
	}
	if strings.Join(keys, ",") != "a,,b,,c" || strings.Count(r.said.String(), "\n") != 1 {
		t.Errorf("keys %q, said %q", keys, r.said.String())
	}
}

func TestNoValueBecomesAnEmptyOneWhereItMust(t *testing.T) {
	to := newFakeTarget(t, func(r streamer.Record) error {
		if r.Value == nil {
			return refuse("nil value")
		}
		return nil
	})
	r := newRelayed(to, 10)
	m := streamer.NewMessage(streamer.Meta{}, nil, nil, nil, nil)
	for range 2 {
		if err := r.send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.drain(t.Context()); err != nil || len(to.stored) != 2 || to.stored[1].Value == nil {
		t.Errorf("%v, %+v", err, to.stored)
	}
}

func TestWhatTheTargetRefusesAltogetherEndsTheRelayUnacknowledged(t *testing.T) {
	to := newFakeTarget(t, func(r streamer.Record) error {
		if string(r.Value) == "m7" {
			return refuse("sevens")
		}
		return nil
	})
	r := newRelayed(to, 4)
	var gaveUp error
	r.giveUp = func(err error) { gaveUp = err }
	var failed error
	for i := 0; i < 1000 && failed == nil; i++ {
		failed = r.send(t.Context(), r.message(streamer.Message{}))
	}
	if err := r.drain(t.Context()); !errors.Is(err, streamer.ErrUnsupported) || !errors.Is(failed, err) || !errors.Is(gaveUp, err) {
		t.Errorf("drain: %v, send: %v, gave up: %v", err, failed, gaveUp)
	}
	if r.acked[7].Load() || !r.acked[6].Load() {
		t.Errorf("%d acknowledged, or the wrong ones", r.ackedCount())
	}
}

func TestTheWindowBoundsWhatIsUnresolved(t *testing.T) {
	to := newFakeTarget(t, func(streamer.Record) error { return nil })
	r := newRelayed(to, 7)
	for range 1000 {
		if err := r.send(t.Context(), r.message(streamer.Message{})); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.drain(t.Context()); err != nil || to.most > 7 {
		t.Errorf("%v, %d at once", err, to.most)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 7 {
		r.window <- struct{}{}
	}
	if err := r.send(ctx, r.message(streamer.Message{})); !errors.Is(err, context.Canceled) {
		t.Errorf("a full window and an ended ctx: %v", err)
	}
}
