package file

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// tailPause lets consumers come to the end of the log and wait.
const tailPause = 2 * time.Millisecond

// BenchmarkTail measures what passes from before Send to the return of Next in
// consumers that wait at the end of the log, written in this process and in
// another.
func BenchmarkTail(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint("same process/", n), func(b *testing.B) { benchmarkTail(b, n, writeHere) })
		b.Run(fmt.Sprint("other process/", n), func(b *testing.B) { benchmarkTail(b, n, writeElsewhere) })
	}
}

// benchmarkTail has n consumers, each of them in a program of its own, take b.N
// messages.
func benchmarkTail(b *testing.B, n int, write func(b *testing.B, c Config)) {
	c := Config{Path: b.TempDir() + "/log.ss", Create: streamer.CreateAlways}
	took := make(chan []time.Duration, n)
	for range n {
		s, err := Connect(b.Context(), c, streamer.StreamerOptions{})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		reader, err := s.Consumer(b.Context(), streamer.ConsumerOptions{Streams: []string{"a"}})
		if err != nil {
			b.Fatal(err)
		}
		go func() { took <- waits(b, reader) }() // ends with the b.N-th message; joined below
	}
	b.ResetTimer()
	write(b, c)
	var all []time.Duration
	for range n {
		all = append(all, <-took...)
	}
	b.StopTimer()
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
}

// waits takes b.N messages and says how old each was.
func waits(b *testing.B, c streamer.Consumer) (took []time.Duration) {
	for range b.N {
		m, err := c.Next(b.Context())
		if err != nil {
			b.Error(err)
			return append(took, 0)
		}
		took = append(took, time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(m.Value)))))
	}
	return took
}

func writeHere(b *testing.B, c Config) {
	s, err := Connect(b.Context(), c, streamer.StreamerOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := tick(b.Context(), s, b.N); err != nil {
		b.Fatal(err)
	}
}

func writeElsewhere(b *testing.B, c Config) {
	child := exec.CommandContext(b.Context(), os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("%s=tick %s", childVariable, c.Path), fmt.Sprintf("%s=%d", ticksVariable, b.N))
	if out, err := child.CombinedOutput(); len(out) > 0 {
		b.Fatal(err, string(out))
	}
}

const ticksVariable = "STREAMER_FILE_TICKS" // how many messages a child sends

// tick sends messages that say when they were sent, with a pause before each.
func tick(ctx context.Context, s streamer.Streamer, n int) error {
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: "a"})
	if err != nil {
		return err
	}
	pause := time.NewTicker(tailPause)
	defer pause.Stop()
	for range n {
		<-pause.C
		v := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
		if _, err := p.Send(ctx, streamer.Record{Value: v}).Wait(ctx); err != nil {
			return err
		}
	}
	return p.Close()
}

// childTicks sends as many messages as it is notified, and exits.
func childTicks(s streamer.Streamer) error {
	var n int
	if _, err := fmt.Sscan(os.Getenv(ticksVariable), &n); err != nil {
		return err
	}
	if err := tick(context.Background(), s, n); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}
