package redis_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	_ "github.com/gostreamer/streamer/redis"
)

// hang is how long anything may take that is expected to happen.
const hang = 30 * time.Second

// soak multiplies the work of the failure tests: STREAMER_SOAK=1 runs them long.
func soak(short, long int) int {
	if os.Getenv("STREAMER_SOAK") != "" {
		return long
	}
	return short
}

// trial plays producers and consumers against a server that fails, and compares what they were told with what the server has.
type trial struct {
	*testing.T
	ctx context.Context
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(soak(2, 60))*hang)
	t.Cleanup(cancel)
	return &trial{t, ctx}
}

// must fails the test on an error.
func (t *trial) must(what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// eventually waits for a condition.
func (t *trial) eventually(what string, holds func() bool) {
	t.Helper()
	if !t.within(hang, holds) {
		t.Fatalf("%s: not within %v", what, hang)
	}
}

func (t *trial) within(limit time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// connect opens a Streamer that is closed at the end of the test.
func (t *trial) connect(uri string) streamer.Streamer {
	t.Helper()
	s, err := streamer.ConnectWith(t.ctx, uri, streamer.StreamerOptions{Hooks: t.hooks(), Logger: slog.New(slog.DiscardHandler)})
	t.must("connect", err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// hooks makes go test -v tell what a failure looks like from inside.
func (t *trial) hooks() streamer.Hooks {
	var told sync.Map
	return streamer.Hooks{Retrying: func(e streamer.RetryEvent) {
		what := fmt.Sprintf("%s: %v", e.Op, e.Err)
		if _, before := told.LoadOrStore(what, true); !before && t.ctx.Err() == nil {
			t.Logf("retrying %s", what)
		}
	}}
}

func (t *trial) consumer(s streamer.Streamer, o streamer.ConsumerOptions) streamer.Consumer {
	t.Helper()
	c, err := s.Consumer(t.ctx, o)
	t.must("Consumer", err)
	return c
}

func (t *trial) producer(s streamer.Streamer) streamer.Producer {
	t.Helper()
	p, err := s.Producer(t.ctx, streamer.ProducerOptions{})
	t.must("Producer", err)
	return p
}

// reader is the consumer of a trial in one of the three modes, from the beginning of the stream.
func reader(mode streamer.ConsumerMode) streamer.ConsumerOptions {
	o := streamer.ConsumerOptions{Mode: mode, AutoReset: streamer.Earliest, Ack: streamer.AckManual, CommitEvery: 20 * time.Millisecond}
	if mode != streamer.RealTime {
		o.Group = "g"
	}
	return o
}

var modes = map[string]streamer.ConsumerMode{
	"realtime": streamer.RealTime, "resumable": streamer.Resumable, "load-balanced": streamer.LoadBalanced,
}

func nameOf(mode streamer.ConsumerMode) string {
	for name, m := range modes {
		if m == mode {
			return name
		}
	}
	return fmt.Sprint(mode)
}

// eachMode runs a test in the three modes, side by side: most of the time is waiting.
func eachMode(t *testing.T, run func(*trial, streamer.ConsumerMode)) {
	for _, name := range slices.Sorted(maps.Keys(modes)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(newTrial(t), modes[name])
		})
	}
}

// entry is what the server has of one message.
type entry struct {
	key, id string
	number  int
}

// entries reads what a server has under a key, in order.
func entries(t *trial, s *testservers.RedisServer, key string) []entry {
	t.Helper()
	var list []entry
	for _, e := range s.Do("XRANGE", key, "-", "+").([]any) {
		e := e.([]any)
		fields := e[1].([]any)
		list = append(list, entry{key, e[0].(string), numberOf([]byte(fields[1].(string)))})
	}
	return list
}

func numberOf(value []byte) int {
	text, _, _ := strings.Cut(string(value), " ")
	n := -1
	_, _ = fmt.Sscan(text, &n)
	return n
}
