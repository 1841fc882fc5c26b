package memory

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// The engine's own allocation, the Pending, is made outside of what is
// measured.
func TestWritingAllocatesNothingPerRecord(t *testing.T) {
	for _, batch := range []int{1, 10, 1000} {
		t.Run(fmt.Sprint(batch), func(t *testing.T) {
			r := newRig(t, Config{})
			s := r.sink("s")
			rec := record()
			p := make([]*driver.Pending, batch)
			const rounds = 50
			store := make([]driver.Pending, (rounds+2)*batch)
			n := testing.AllocsPerRun(rounds, func() {
				for i := range p {
					p[i] = &store[i]
					p[i].Record = rec
				}
				store = store[batch:]
				r.ok(s.Write(t.Context(), p))
			})
			if per := n / float64(batch); batch >= 10 && per > 0.1 || per > 1 {
				t.Errorf("%.2f allocations per record", per)
			}
		})
	}
}

func record() streamer.Record {
	return streamer.Record{Stream: "s", Key: make([]byte, 16), Value: make([]byte, 256), Headers: []streamer.Header{{Key: "h", Value: make([]byte, 8)}}}
}

func TestFetchingAllocatesNothingPerMessage(t *testing.T) {
	for _, shards := range []int{1, 50} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			const batch, rounds = 1000, 20
			r := newRig(t, Config{Shards: shards})
			s := r.sink("s")
			for range (rounds + 1) * batch {
				r.write(s, record())
			}
			rd := r.open(driver.SourceConfig{Streams: []string{"s"}, MaxBatch: batch})
			emit := func(slab []streamer.Message) {
				if len(slab) != batch {
					t.Errorf("a slab of %d", len(slab))
				}
			}
			n := testing.AllocsPerRun(rounds, func() { r.ok(rd.src.Fetch(t.Context(), emit)) })
			if per := n / batch; per > 0.01 {
				t.Errorf("%.3f allocations per message", per)
			}
		})
	}
}

func TestAnIdleShardIsSmall(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		for _, acks := range []Acks{ByCursor, ByMessage} {
			t.Run(fmt.Sprint(mode, acks), func(t *testing.T) {
				const shards = 10_000
				r := newRig(t, Config{Acks: acks})
				before, goroutines := heap(), runtime.NumGoroutine()
				r.create("s", shards)
				c := driver.SourceConfig{Streams: []string{"s"}, Mode: mode, Group: "g"}
				c.Assigned = nil
				rd := r.open(c)
				rd.owned = nil // the engine's share
				if per := (heap() - before) / shards; per > 300 {
					t.Errorf("%d bytes per idle shard", per)
				} else {
					t.Logf("%d bytes per idle shard", per)
				}
				if n := runtime.NumGoroutine(); n > goroutines {
					t.Errorf("%d goroutines, %d before", n, goroutines)
				}
				runtime.KeepAlive(rd)
			})
		}
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkWrite(b *testing.B) {
	for _, batch := range []int{1, 500} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			backend, err := newBackend(Config{Log: b.Name(), Shards: 4})
			if err != nil {
				b.Fatal(err)
			}
			defer Drop(b.Name())
			sink, err := backend.OpenSink(b.Context(), driver.SinkConfig{Stream: "s"})
			if err != nil {
				b.Fatal(err)
			}
			rec := streamer.Record{Stream: "s", Value: make([]byte, 256)}
			p := make([]*driver.Pending, batch)
			b.ReportAllocs()
			for n := 0; n < b.N; n += batch {
				b.StopTimer()
				fresh := make([]driver.Pending, batch)
				for i := range p {
					p[i] = &fresh[i]
					p[i].Record = rec
				}
				b.StartTimer()
				if err := sink.(driver.Writer).Write(b.Context(), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFetch(b *testing.B) {
	for _, x := range []struct{ idle, busy int }{{0, 1}, {0, 50}, {0, 500}, {10_000, 1}} {
		b.Run(fmt.Sprintf("idle=%d/busy=%d", x.idle, x.busy), func(b *testing.B) {
			backend, err := newBackend(Config{Log: b.Name(), Shards: x.idle + x.busy})
			if err != nil {
				b.Fatal(err)
			}
			defer Drop(b.Name())
			sink, err := backend.OpenSink(b.Context(), driver.SinkConfig{Stream: "s"})
			if err != nil {
				b.Fatal(err)
			}
			p := make([]driver.Pending, b.N)
			one := make([]*driver.Pending, 1)
			value := make([]byte, 256)
			for i := range p {
				id := streamer.ShardID(x.idle + i%x.busy)
				p[i].Record = streamer.Record{Stream: "s", Value: value, Shard: &id}
				one[0] = &p[i]
				sink.(driver.Writer).Write(b.Context(), one)
			}
			src, err := backend.OpenSource(b.Context(), driver.SourceConfig{
				Streams: []string{"s"}, Mode: streamer.RealTime, Start: streamer.Beginning(), MaxBatch: 500,
				Assigned: func([]streamer.StreamShard) {},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				if err := src.Fetch(b.Context(), func(slab []streamer.Message) { n += len(slab) }); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			src.Close(b.Context())
		})
	}
}

// A message that arrives among many idle shards costs what it costs among few.
func BenchmarkPingPong(b *testing.B) {
	for _, shards := range []int{1, 10_000} {
		b.Run(fmt.Sprint(shards), func(b *testing.B) {
			backend, err := newBackend(Config{Log: b.Name(), Shards: shards})
			if err != nil {
				b.Fatal(err)
			}
			defer Drop(b.Name())
			sink, _ := backend.OpenSink(b.Context(), driver.SinkConfig{Stream: "s"})
			src, err := backend.OpenSource(b.Context(), driver.SourceConfig{
				Streams: []string{"s"}, Mode: streamer.RealTime, Start: streamer.Beginning(), MaxBatch: 500,
				Assigned: func([]streamer.StreamShard) {},
			})
			if err != nil {
				b.Fatal(err)
			}
			value := make([]byte, 256)
			emit := func([]streamer.Message) {}
			b.ReportAllocs()
			for b.Loop() {
				p := []*driver.Pending{{Record: streamer.Record{Stream: "s", Value: value}}}
				sink.(driver.Writer).Write(b.Context(), p)
				if err := src.Fetch(b.Context(), emit); err != nil {
					b.Fatal(err)
				}
			}
			src.Close(b.Context())
		})
	}
}
