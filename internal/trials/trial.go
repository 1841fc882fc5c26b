// Package trials plays producers, consumers and members of groups against
// servers that fail, and compares what they were notified with what the servers
// have.
package trials

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// Hang is how long anything may take that is expected to happen.
const Hang = 30 * time.Second

// Soak is how much work a failure test does: STREAMER_SOAK=1 runs it long.
func Soak(short, long int) int {
	if os.Getenv("STREAMER_SOAK") != "" {
		return long
	}
	return short
}

// Trial is one test. Its methods fail the test where they fail, and are called
// from the test's goroutine.
type Trial struct {
	*testing.T
	Ctx context.Context // ends soon enough for the test to say where it hung
}

// New makes a trial of a test.
func New(t *testing.T) *Trial {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(Soak(4, 60))*Hang)
	t.Cleanup(cancel)
	return &Trial{t, ctx}
}

// Must fails the test on an error.
func (t *Trial) Must(what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Eventually waits for a condition.
func (t *Trial) Eventually(what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Hang); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, Hang)
		}
	}
}

// Connect opens a Streamer that is closed at the end of the test.
func (t *Trial) Connect(uri string) streamer.Streamer {
	t.Helper()
	s, err := streamer.ConnectWith(t.Ctx, uri, streamer.StreamerOptions{Hooks: t.Hooks(), Logger: slog.New(slog.DiscardHandler)})
	t.Must("connect", err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Hooks makes go test -v tell what a failure looks like from inside.
func (t *Trial) Hooks() streamer.Hooks {
	var told sync.Map
	return streamer.Hooks{Retrying: func(e streamer.RetryEvent) {
		what := fmt.Sprintf("%s: %v", e.Op, e.Err)
		if _, before := told.LoadOrStore(what, true); !before && t.Ctx.Err() == nil {
			t.Logf("retrying %s", what)
		}
	}}
}

// Consumer opens a consumer.
func (t *Trial) Consumer(s streamer.Streamer, o streamer.ConsumerOptions) streamer.Consumer {
	t.Helper()
	c, err := s.Consumer(t.Ctx, o)
	t.Must("Consumer", err)
	return c
}

// Producer opens a producer.
func (t *Trial) Producer(s streamer.Streamer) streamer.Producer {
	t.Helper()
	p, err := s.Producer(t.Ctx, streamer.ProducerOptions{})
	t.Must("Producer", err)
	return p
}

// commitEvery is how often a trial's consumers commit.
const commitEvery = 20 * time.Millisecond

// Reader is the consumer of a trial in one of the three modes, from the
// beginning of the stream. Its group is "g".
func Reader(mode streamer.ConsumerMode) streamer.ConsumerOptions {
	o := streamer.ConsumerOptions{Mode: mode, AutoReset: streamer.Earliest, Ack: streamer.AckManual, CommitEvery: commitEvery}
	if mode != streamer.RealTime {
		o.Group = "g"
	}
	return o
}

// Modes are the three of a consumer.
func Modes() map[string]streamer.ConsumerMode {
	return map[string]streamer.ConsumerMode{
		"realtime": streamer.RealTime, "resumable": streamer.Resumable, "load-balanced": streamer.LoadBalanced,
	}
}

// NameOf is what a URI calls a mode.
func NameOf(mode streamer.ConsumerMode) string {
	for name, m := range Modes() {
		if m == mode {
			return name
		}
	}
	return fmt.Sprint(mode)
}

// EachMode runs a test in the three modes, side by side: most of the time is
// waiting.
func EachMode(t *testing.T, run func(*Trial, streamer.ConsumerMode)) {
	all := Modes()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(New(t), all[name])
		})
	}
}
