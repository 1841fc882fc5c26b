package conformance

import (
	"context"
	"log/slog"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
)

// testCase is one case of a promise.
type testCase struct {
	name    string
	needs   []Part // what must be there for the case to make sense
	refuses Part   // what the case shows to be refused; usually none
	idle    bool   // it waits for a clock: it takes no slot of Harness.Parallel
	run     func(b *bed)
}

// bed is the test bed of one running case: its place and the verbs that cases
// share. Verbs that fail the case must be called on the case's own goroutine;
// those that return an error may be called on any.
type bed struct {
	testing.TB
	*Harness
	plan  Plan
	place *Place
	seen  *witness
	group string          // a group's name that no other case uses
	ctx   context.Context // ends with the case
	label string

	first streamer.Streamer // the program that most cases are content with
}

// runCase runs c on t's goroutine. Goroutines that the case starts inherit its
// profiler label, which is how its leaks are distinguished from those of the
// cases that run beside it.
func runCase(t testing.TB, h *Harness, c testCase) {
	b := &bed{TB: t, Harness: h, seen: &witness{}, group: "g-" + uuid.NewString()[:8], label: uuid.NewString()}
	ctx, cancel := context.WithCancel(pprof.WithLabels(context.Background(), pprof.Labels(leakLabel, b.label)))
	b.ctx = ctx
	pprof.SetGoroutineLabels(ctx)
	if !h.leaksAllowed {
		t.Cleanup(b.checkLeaks)
	}
	t.Cleanup(cancel)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(b.seen.log())
		}
	})
	c.run(b)
}

// open makes the case's place. A case opens one.
func (b *bed) open(p Plan) *Place {
	b.Helper()
	b.plan = p.withDefaults()
	b.place = b.Harness.Open(b.TB, b.plan)
	b.checkFaults()
	return b.place
}

// limit bounds one wait. Its end is the failure of whatever was waited for.
func (b *bed) limit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, b.Hang)
}

// options of a program: what it logs and reports is kept.
func (b *bed) options() streamer.StreamerOptions {
	return streamer.StreamerOptions{Logger: slog.New(b.seen.handler()), Hooks: b.seen.hooks()}
}

// connect starts another program on the place. It is closed when the case ends,
// if the case has not done so.
func (b *bed) connect(edit ...func(*streamer.StreamerOptions)) streamer.Streamer {
	b.Helper()
	return b.connectBy(b.place.Connect, edit...)
}

// connectBy is connect by another door of the place.
func (b *bed) connectBy(door func(context.Context, streamer.StreamerOptions) (streamer.Streamer, error), edit ...func(*streamer.StreamerOptions)) streamer.Streamer {
	b.Helper()
	o := b.options()
	for _, e := range edit {
		e(&o)
	}
	ctx, cancel := b.limit()
	defer cancel()
	s, err := door(ctx, o)
	if err != nil {
		b.Fatalf("Connect: %v", err)
	}
	b.Cleanup(func() { b.finish("Streamer.Close", s.Close) })
	return s
}

// finish closes something and tolerates what an earlier failure left behind.
func (b *bed) finish(what string, closing func() error) {
	done := make(chan error, 1)
	go func() { done <- closing() }()
	select {
	case err := <-done:
		if err != nil && !b.Failed() {
			b.Logf("%s: %v", what, err)
		}
	case <-time.After(b.Hang):
		b.Errorf("%s has not returned after %v:\n%s", what, b.Hang, b.stacks())
	}
}

// streamer is the case's first program.
func (b *bed) streamer() streamer.Streamer {
	b.Helper()
	if b.first == nil {
		b.first = b.connect()
	}
	return b.first
}

func (b *bed) producer() streamer.Producer {
	b.Helper()
	return b.producerOn(b.streamer(), streamer.ProducerOptions{})
}

func (b *bed) producerOn(s streamer.Streamer, o streamer.ProducerOptions) streamer.Producer {
	b.Helper()
	if o.Stream == "" {
		o.Stream = b.place.Streams[0]
	}
	ctx, cancel := b.limit()
	defer cancel()
	p, err := s.Producer(ctx, o)
	if err != nil {
		b.Fatalf("Producer: %v", err)
	}
	return p
}

func (b *bed) consumer(o streamer.ConsumerOptions) streamer.Consumer {
	b.Helper()
	return b.consumerOn(b.streamer(), o)
}

func (b *bed) consumerOn(s streamer.Streamer, o streamer.ConsumerOptions) streamer.Consumer {
	b.Helper()
	c, err := b.tryConsumer(s, o)
	if err != nil {
		b.Fatalf("Consumer(%v): %v", o.Mode, err)
	}
	return c
}

// tryConsumer opens a consumer and may be called on any goroutine.
func (b *bed) tryConsumer(s streamer.Streamer, o streamer.ConsumerOptions) (streamer.Consumer, error) {
	if o.Streams == nil {
		o.Streams = b.place.Streams
	}
	ctx, cancel := b.limit()
	defer cancel()
	return s.Consumer(ctx, o)
}

// plenty of messages may be in flight in a case that is not about the window.
const plenty = 1 << 20

// realtime reads from now on.
func (b *bed) realtime() streamer.ConsumerOptions {
	return streamer.ConsumerOptions{Mode: streamer.RealTime}
}

// resumable reads from the beginning and commits only when told to, and on
// Close.
func (b *bed) resumable() streamer.ConsumerOptions {
	return streamer.ConsumerOptions{
		Mode: streamer.Resumable, Group: b.group, AutoReset: streamer.Earliest,
		Ack: streamer.AckManual, CommitEvery: streamer.Never, MaxInFlight: plenty,
	}
}

// balanced is a member of the case's group. The group starts at the beginning
// where the backend has one.
func (b *bed) balanced() streamer.ConsumerOptions {
	o := streamer.ConsumerOptions{
		Mode: streamer.LoadBalanced, Group: b.group,
		Ack: streamer.AckManual, CommitEvery: streamer.Never, MaxInFlight: plenty,
	}
	if !b.lacks(Resetting) {
		o.AutoReset = streamer.Earliest
	}
	return o
}

// in makes the options of a mode: realtime, resumable or balanced.
func (b *bed) in(m streamer.ConsumerMode) streamer.ConsumerOptions {
	switch m {
	case streamer.Resumable:
		return b.resumable()
	case streamer.LoadBalanced:
		return b.balanced()
	default:
		return b.realtime()
	}
}
