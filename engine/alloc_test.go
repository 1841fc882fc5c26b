package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/memory"
)

// A slab of 500 messages costs a handful of allocations, and how many slabs are
// under way differs from one moment to the next.
const (
	slabShare = 0.05 // allocations per message of a slab
	slabBytes = 15   // a few slabs' bytes, shared out among all messages of a measurement
)

func TestConsumingAllocatesNothingPerMessage(t *testing.T) {
	const warm, measured = 5_000, 50_000
	for _, verb := range takeVerbs {
		t.Run(verb.name+"/memory", func(t *testing.T) {
			s := openMemory(t, 1)
			sendAll(t, producerOn(t, s), warm+measured)
			gateConsuming(t, verb.take, s, warm, measured)
		})
		for _, shards := range []int{1, 50, 500} {
			t.Run(fmt.Sprintf("%s/shards=%d", verb.name, shards), func(t *testing.T) {
				gateConsuming(t, verb.take, openSlabs(t, shards, warm+measured), warm, measured)
			})
		}
	}
}

func gateConsuming(t *testing.T, take takeFunc, s streamer.Streamer, warm, measured int) {
	t.Helper()
	c := consumerFromBeginning(t, s, 0)
	take(t, c, warm)
	n := mallocs(func() {
		take(t, c, measured)
		noError(t, c.Commit(t.Context()))
	})
	atMost(t, n/float64(measured), slabShare, "allocations per message")
}

// A program that commits rarely, or when it likes, does not pay for it with
// memory.
func TestWhatIsAcknowledgedTakesNoMemoryUntilItIsCommitted(t *testing.T) {
	const warm, measured = 5_000, 50_000
	for _, shards := range []int{1, 500} {
		t.Run(fmt.Sprintf("shards=%d", shards), func(t *testing.T) {
			c := consumerFromBeginning(t, openSlabs(t, shards, warm+2*measured), streamer.Never)
			takeNext(t, c, warm)
			heap := liveHeap()
			takeNext(t, c, measured)
			atMost(t, float64(liveHeap()-heap)/measured, slabBytes, "bytes kept for each acknowledged message")
			noError(t, c.Close())
		})
	}
}

// takeFunc takes n messages and acknowledges them.
type takeFunc func(t *testing.T, c streamer.Consumer, n int)

var takeVerbs = []struct {
	name string
	take takeFunc
}{
	{"Next", takeNext},
	{"Messages", func(t *testing.T, c streamer.Consumer, n int) {
		for m, err := range c.Messages(t.Context()) {
			noError(t, err)
			if n--; n == 0 {
				m.Ack() // break does not
				break
			}
		}
	}},
	{"NextBatch", func(t *testing.T, c streamer.Consumer, n int) {
		for n > 0 {
			batch, err := c.NextBatch(t.Context(), min(n, 100))
			noError(t, err)
			for _, m := range batch {
				m.Ack()
			}
			n -= len(batch)
		}
	}},
	{"Stream", func(t *testing.T, c streamer.Consumer, n int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for m := range c.Stream(ctx) {
			m.Ack()
			if n--; n == 0 {
				return
			}
		}
		t.Fatal(c.Err())
	}},
}

func takeNext(t *testing.T, c streamer.Consumer, n int) {
	t.Helper()
	for range n {
		m, err := c.Next(t.Context())
		noError(t, err)
		m.Ack()
	}
}

// The allocation is the record on its way, which holds the receipt.
func TestSendAllocatesOncePerRecord(t *testing.T) {
	const warm, measured = 5_000, 50_000
	p := producerOn(t, openMemory(t, 1))
	sendAll(t, p, warm)
	n := mallocs(func() { sendAll(t, p, measured) })
	atMost(t, n/measured, 1+slabShare, "allocations per record")
}

// What the log itself takes for a shard is not counted: it is there without a
// consumer too.
func TestAnIdleShardIsSmall(t *testing.T) {
	const shards = 10_000
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		t.Run(fmt.Sprintf("mode=%d", mode), func(t *testing.T) {
			s := openMemory(t, 1)
			noError(t, s.Admin().Create(t.Context(), "idle", shards))
			heap, goroutines := liveHeap(), runtime.NumGoroutine()
			o := streamer.ConsumerOptions{Streams: []string{"idle"}, Mode: mode}
			if mode != streamer.RealTime {
				o.Group = "g"
			}
			c, err := s.Consumer(t.Context(), o)
			noError(t, err)
			if n := len(c.Assignment()); n != shards {
				t.Fatalf("%d shards are assigned", n)
			}
			atMost(t, float64(liveHeap()-heap)/shards, 300, "bytes per idle shard")
			atMost(t, float64(runtime.NumGoroutine()-goroutines), 3, "goroutines")
			noError(t, c.Close())
		})
	}
}

// openMemory connects to a log of its own; Close at the end of the test.
func openMemory(t *testing.T, shards int) streamer.Streamer {
	t.Helper()
	s, err := memory.Connect(t.Context(), memory.Config{Log: t.Name(), Shards: shards}, streamer.StreamerOptions{})
	noError(t, err)
	t.Cleanup(func() {
		noError(t, s.Close())
		memory.Drop(t.Name())
	})
	return s
}

// openSlabs is a Streamer on a backend that costs nothing but its slabs, each
// over so many shards.
func openSlabs(t *testing.T, shards, messages int) streamer.Streamer {
	t.Helper()
	s, err := engine.New(&slabs{shards: shards, messages: messages}, streamer.StreamerOptions{})
	noError(t, err)
	t.Cleanup(func() { noError(t, s.Close()) })
	return s
}

func producerOn(t *testing.T, s streamer.Streamer) streamer.Producer {
	t.Helper()
	p, err := s.Producer(t.Context(), streamer.ProducerOptions{Stream: "s"})
	noError(t, err)
	return p
}

func consumerFromBeginning(t *testing.T, s streamer.Streamer, commitEvery time.Duration) streamer.Consumer {
	t.Helper()
	c, err := s.Consumer(t.Context(), streamer.ConsumerOptions{
		Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g", AutoReset: streamer.Earliest, CommitEvery: commitEvery,
	})
	noError(t, err)
	return c
}

func sendAll(t *testing.T, p streamer.Producer, n int) {
	t.Helper()
	value := make([]byte, 256)
	for range n {
		p.Send(t.Context(), streamer.Record{Value: value})
	}
	noError(t, p.Flush(t.Context()))
}

// mallocs counts the allocations of the whole process while f runs.
func mallocs(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func atMost(t *testing.T, got, limit float64, what string) {
	t.Helper()
	if got > limit {
		t.Errorf("%.4g %s, want at most %g", got, what, limit)
		return
	}
	t.Logf("%.4g %s", got, what)
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
