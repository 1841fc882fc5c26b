package conformance_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/internal/memoryharness"
	"github.com/gostreamer/streamer/memory"
)

// mutant is a memory backend that is broken in one way.
type mutant struct {
	promise int // the one that it breaks
	name    string
	acks    memory.Acks
	groups  memory.Groups
	harness func(h *conformance.Harness) // what is broken: the harness,
	place   func(p *conformance.Place)   // a place,
	program func(w *world) program       // or a program on it
}

// world is one place and what the broken programs on it know of each other.
type world struct {
	*conformance.Place
	plan conformance.Plan

	mu     sync.Mutex
	shared map[string]any
}

// program says which calls of a Streamer are broken; the others are the memory
// backend's own.
type program struct {
	consumer func(s streamer.Streamer, ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error)
	producer func(p streamer.Producer, o streamer.ProducerOptions) streamer.Producer
	close    func(s streamer.Streamer) error
	admin    func(a streamer.Admin) streamer.Admin
}

type brokenStreamer struct {
	streamer.Streamer
	program
}

func (s *brokenStreamer) Consumer(ctx context.Context, o streamer.ConsumerOptions) (streamer.Consumer, error) {
	if s.consumer == nil {
		return s.Streamer.Consumer(ctx, o)
	}
	return s.consumer(s.Streamer, ctx, o)
}

func (s *brokenStreamer) Producer(ctx context.Context, o streamer.ProducerOptions) (streamer.Producer, error) {
	p, err := s.Streamer.Producer(ctx, o)
	if err != nil || s.producer == nil {
		return p, err
	}
	return s.producer(p, o), nil
}

func (s *brokenStreamer) Close() error {
	if s.close == nil {
		return s.Streamer.Close()
	}
	return s.close(s.Streamer)
}

func (s *brokenStreamer) Admin() streamer.Admin {
	if s.admin == nil {
		return s.Streamer.Admin()
	}
	return s.admin(s.Streamer.Admin())
}

// build makes the mutant's harness. Its volume is small: a mutant is found by
// what it does, not by how often.
func (m *mutant) build() conformance.Harness {
	h := memoryharness.New(m.acks, m.groups)
	h.Name = "mutant " + m.name
	h.Messages, h.Parallel = 400, 2
	h.Hang = 15 * time.Second
	sound := h.Open
	h.Open = func(t testing.TB, plan conformance.Plan) *conformance.Place {
		p := sound(t, plan)
		if m.place != nil {
			m.place(p)
		}
		if m.program != nil {
			w := &world{Place: p, plan: plan, shared: make(map[string]any)}
			p.Connect, p.Always = m.breaks(w, p.Connect), m.breaks(w, p.Always)
		}
		return p
	}
	if m.harness != nil {
		m.harness(&h)
	}
	return h
}

// door is how a program connects to a place.
type door = func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error)

// breaks has the broken program behind a door of a place.
func (m *mutant) breaks(w *world, connect door) door {
	return func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
		s, err := connect(ctx, o)
		if err != nil {
			return nil, err
		}
		return &brokenStreamer{s, m.program(w)}, nil
	}
}

// TestMutants: each promise has a mutant that fails its cases, and those of no
// other promise.
func TestMutants(t *testing.T) {
	t.Parallel()
	const atOnce = 8 // much of the time they wait
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	found := make(map[int]bool)
	for _, m := range mutants() {
		found[m.promise] = true
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			t.Run(fmt.Sprintf("%02d-%s", m.promise, m.name), func(t *testing.T) { m.check(t) })
		})
	}
	all.Wait()
	for _, p := range conformance.Promises() {
		if !found[p.Number] {
			t.Errorf("no mutant breaks promise %d", p.Number)
		}
	}
}

func (m *mutant) check(t *testing.T) {
	column, log := conformance.Judge(m.build(), true)
	for _, p := range conformance.Promises() {
		cell := column.Cell(p.Number)
		switch failed := cell.Verdict == conformance.Failed; {
		case failed && p.Number != m.promise:
			t.Errorf("it fails promise %d, which it keeps: %q\n%s", p.Number, cell.Notes, log)
		case !failed && p.Number == m.promise:
			t.Errorf("it passes promise %d, which it breaks: %v %q\n%s", p.Number, cell.Verdict, cell.Notes, log)
		case failed:
			t.Log(cell.Notes)
		}
	}
}
