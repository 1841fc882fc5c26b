package file

import (
	"fmt"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// The engine's own allocation, the Pending, is made outside of what is
// measured.
func TestWritingAllocatesNothingPerRecord(t *testing.T) {
	key := streamer.Record{Stream: "s", Key: make([]byte, 16), Value: make([]byte, 256), Headers: []streamer.Header{{Key: "h", Value: make([]byte, 8)}}}
	for name, rec := range map[string]streamer.Record{"value": {Stream: "s", Value: make([]byte, 256)}, "key and headers": key} {
		t.Run(name, func(t *testing.T) {
			const batch, rounds = 1000, 20
			r := newRig(t, func(c *Config) { c.Beacon = 1 << 20 })
			b, err := newBackend(r.cfg)
			r.ok(err)
			defer b.Close(r.ctx)
			sink, err := b.OpenSink(r.ctx, driver.SinkConfig{Stream: "s"})
			r.ok(err)
			store := make([]driver.Pending, (rounds+2)*batch)
			p := make([]*driver.Pending, batch)
			n := testing.AllocsPerRun(rounds, func() {
				for i := range p {
					p[i] = &store[i]
					p[i].Record = rec
				}
				store = store[batch:]
				r.ok(sink.(driver.Writer).Write(r.ctx, p))
			})
			if per := n / batch; per > 0.05 {
				t.Errorf("%.3f allocations per record", per)
			}
			r.ok(sink.Close(r.ctx))
		})
	}
}

func TestSendAllocatesOncePerRecord(t *testing.T) {
	const n = 20_000
	r := newRig(t, func(c *Config) { c.Beacon = 1 << 20 })
	p := r.producer(r.connect(), "s")
	value := make([]byte, 256)
	per := testing.AllocsPerRun(3, func() {
		for range n {
			p.Send(r.ctx, streamer.Record{Value: value})
		}
		r.ok(p.Flush(r.ctx))
	}) / n
	if per > 1.05 {
		t.Errorf("%.3f allocations per record", per)
	}
}

// TestReadAllocations has sources without a group.
func TestReplayingInAGroupAllocatesNothingPerMessage(t *testing.T) {
	for _, shards := range []int{1, 50} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			const n = 20_000
			r := newRig(t, func(c *Config) { c.Beacon, c.Shards, c.NoFollow = 1<<20, shards, true })
			s := r.connect()
			p := r.producer(s, "s")
			for range 2 * n {
				p.Send(r.ctx, streamer.Record{Value: make([]byte, 256)})
			}
			r.ok(p.Flush(r.ctx))
			c, err := s.Consumer(r.ctx, streamer.ConsumerOptions{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g", AutoReset: streamer.Earliest,
				CommitEvery: streamer.Never}) // how many commits there would be is a matter of time
			r.ok(err)
			per := testing.AllocsPerRun(1, func() { // the first run of two is not counted
				for range n {
					m, err := c.Next(r.ctx)
					r.ok(err)
					m.Ack()
				}
			}) / n
			if per > 0.05 {
				t.Errorf("%.3f allocations per message", per)
			}
		})
	}
}
