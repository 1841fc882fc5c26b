package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

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

func BenchmarkSend(b *testing.B) {
	s, stream := bench(b)
	if s == nil {
		return
	}
	p, err := s.Producer(b.Context(), streamer.ProducerOptions{Stream: stream})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	fill(b, p, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

// BenchmarkPipeline is go-redis as people write it, to compare.
func BenchmarkPipeline(b *testing.B) {
	s, stream := bench(b)
	if s == nil {
		return
	}
	client := redis.Client(s)
	value := make([]byte, 256)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		pipe := client.Pipeline()
		for range 500 {
			pipe.XAdd(b.Context(), &goredis.XAddArgs{Stream: stream, Values: []any{"msg", value}})
			n++
		}
		if _, err := pipe.Exec(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

func BenchmarkNext(b *testing.B) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		b.Run([]string{"", "realtime", "resumable", "load-balanced"}[mode], func(b *testing.B) {
			s, stream := bench(b)
			if s == nil {
				return
			}
			p, err := s.Producer(b.Context(), streamer.ProducerOptions{Stream: stream})
			if err != nil {
				b.Fatal(err)
			}
			fill(b, p, b.N)
			o := streamer.ConsumerOptions{Streams: []string{stream}, Mode: mode, AutoReset: streamer.Earliest}
			if mode != streamer.RealTime {
				o.Group = "g"
			}
			b.ReportAllocs()
			b.ResetTimer()
			c, err := s.Consumer(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			for range b.N {
				m, err := c.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				m.Ack()
			}
			if err := c.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
		})
	}
}

// BenchmarkTypedRead is go-redis as people write it, to compare.
func BenchmarkTypedRead(b *testing.B) {
	for _, group := range []bool{false, true} {
		b.Run(map[bool]string{false: "xread", true: "xreadgroup"}[group], func(b *testing.B) {
			s, stream := bench(b)
			if s == nil {
				return
			}
			p, err := s.Producer(b.Context(), streamer.ProducerOptions{Stream: stream})
			if err != nil {
				b.Fatal(err)
			}
			fill(b, p, b.N)
			client := redis.Client(s)
			client.XGroupCreate(b.Context(), stream, "g", "0")
			b.ReportAllocs()
			b.ResetTimer()
			for n, last := 0, "0"; n < b.N; {
				var got []goredis.XStream
				if group {
					got, err = client.XReadGroup(b.Context(), &goredis.XReadGroupArgs{Group: "g", Consumer: "c", Streams: []string{stream, ">"}, Count: 500, Block: time.Second}).Result()
				} else {
					got, err = client.XRead(b.Context(), &goredis.XReadArgs{Streams: []string{stream, last}, Count: 500, Block: time.Second}).Result()
				}
				if err != nil {
					b.Fatal(err)
				}
				ids := make([]string, len(got[0].Messages))
				for i, m := range got[0].Messages {
					ids[i], last = m.ID, m.ID
				}
				if group {
					client.XAck(b.Context(), stream, "g", ids...)
				}
				n += len(ids)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
		})
	}
}
