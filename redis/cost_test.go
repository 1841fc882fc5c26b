package redis_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/redis"
)

// bench is a stream on the shared server, and a Streamer on it.
func bench(t testing.TB) (streamer.Streamer, string) {
	t.Helper()
	addr := testservers.Redis(t)
	if addr == "" {
		return nil, ""
	}
	s, err := redis.Connect(t.Context(), redis.Config{Addrs: []string{addr}}, streamer.StreamerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stream := "cost-" + uuid.NewString()
	t.Cleanup(func() {
		if err := s.Admin().Delete(context.Background(), stream); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, stream
}

// fill sends n records of 256 bytes and waits until they are stored.
func fill(t testing.TB, p streamer.Producer, n int) {
	t.Helper()
	value := make([]byte, 256)
	for range n {
		p.Send(t.Context(), streamer.Record{Value: value})
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSendingAllocatesNoMoreThanItsReceipt(t *testing.T) {
	s, stream := bench(t)
	if s == nil {
		return
	}
	p, err := s.Producer(t.Context(), streamer.ProducerOptions{Stream: stream})
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	fill(t, p, n)
	if per := testing.AllocsPerRun(3, func() { fill(t, p, n) }) / n; per > 1.1 {
		t.Errorf("%.2f allocations per record", per)
	} else {
		t.Logf("%.2f allocations per record", per)
	}
}

func TestReadingAllocatesLittle(t *testing.T) {
	s, stream := bench(t)
	if s == nil {
		return
	}
	p, err := s.Producer(t.Context(), streamer.ProducerOptions{Stream: stream})
	if err != nil {
		t.Fatal(err)
	}
	const n, runs = 20_000, 3
	fill(t, p, (runs+2)*n)
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		o := streamer.ConsumerOptions{Streams: []string{stream}, Mode: mode, AutoReset: streamer.Earliest}
		if mode != streamer.RealTime {
			o.Group = fmt.Sprint("g", mode)
		}
		c, err := s.Consumer(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		take := func() {
			for range n {
				m, err := c.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				m.Ack()
			}
		}
		take()
		if per := testing.AllocsPerRun(runs, take) / n; per > 4 {
			t.Errorf("mode %d: %.2f allocations per message", mode, per)
		} else {
			t.Logf("mode %d: %.2f allocations per message", mode, per)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
