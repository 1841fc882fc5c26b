package conformance

import (
	"context"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// gathering is a set of goroutines that take messages, one per taker, until
// enough different ones have arrived.
type gathering struct {
	want  int
	enter func(taker int, m *streamer.Message) error

	mu       sync.Mutex
	copies   map[int]int // by number
	failure  error
	progress time.Time
	enough   context.CancelFunc
}

// gather takes messages with one goroutine per consumer listed (list one
// several times for several goroutines) until want different numbers have
// arrived, and returns how often each did. enter is called on the taker's
// goroutine for each message; it may be nil. It fails when nothing arrives for
// the limit.
func (b *bed) gather(want int, enter func(taker int, m *streamer.Message) error, takers ...streamer.Consumer) map[int]int {
	b.Helper()
	ctx, enough := context.WithCancel(b.ctx)
	defer enough()
	g := &gathering{want: want, enter: enter, copies: make(map[int]int), progress: time.Now(), enough: enough}
	var running sync.WaitGroup
	for i, c := range takers {
		running.Go(func() { g.take(ctx, i, c) })
	}
	for !g.hung(b.Hang) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	hung := ctx.Err() == nil
	enough()
	b.within("the end of Next's ctx", func() error { running.Wait(); return nil })
	if g.failure != nil {
		b.Fatal(g.failure)
	}
	if hung {
		b.Fatalf("waited %v for another of %d messages after %d different ones", b.Hang, want, len(g.copies))
	}
	return g.copies
}

func (g *gathering) take(ctx context.Context, taker int, c streamer.Consumer) {
	for {
		m, err := c.Next(ctx)
		if ctx.Err() != nil && m == nil {
			return
		}
		if err == nil && g.enter != nil {
			err = g.enter(taker, m)
		}
		if !g.note(m, err) {
			return
		}
	}
}

// note counts a message and says whether to continue.
func (g *gathering) note(m *streamer.Message, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.failure = err
		g.enough()
		return false
	}
	g.progress = time.Now()
	if n := number(m); n >= 0 {
		g.copies[n]++
	}
	if len(g.copies) >= g.want {
		g.enough()
		return false
	}
	return true
}

func (g *gathering) hung(limit time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Since(g.progress) > limit
}

// duplicates counts the messages that came more than once.
func duplicates(copies map[int]int) int {
	n := 0
	for _, c := range copies {
		if c > 1 {
			n++
		}
	}
	return n
}

// background runs something beside the case, which joins it with the function
// that is returned.
func (b *bed) background(what string, run func() error) (join func()) {
	done := make(chan error, 1)
	go func() { done <- run() }()
	return func() {
		b.Helper()
		b.joins(what, func() error { return <-done })
	}
}
