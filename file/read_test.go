package file

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// TestReplayWithoutEndOfStreamGivesEverything: defect 1.
func TestReplayWithoutEndOfStreamGivesEverything(t *testing.T) {
	for _, n := range []int{0, 1, 3, 500, 5000} {
		r := newRig(t)
		r.produce("a", numbers(0, n)...)
		r.same("messages", values(r.all("a")), numbers(0, n))
	}
}

// TestConsumer is SeaStreamer's: Earliest gets what is there and then what
// comes, Latest only that; both end with the end of stream.
func TestConsumer(t *testing.T) {
	for _, stream := range []string{"a", wildcard} {
		r := newRig(t, func(c *Config) { c.EOS = true })
		s := r.connect()
		p := r.producer(s, "a")
		r.send(p, records(numbers(0, 50)...)...)
		old := r.consumer(s, earliest(), stream)
		r.expect(old, numbers(0, 50)...)
		latest := r.consumer(s, streamer.ConsumerOptions{}, stream)
		r.send(p, records(numbers(50, 100)...)...)
		r.expect(old, numbers(50, 100)...)
		r.expect(latest, numbers(50, 100)...)
		r.ok(p.Close())
		r.ends(old)
		r.ends(latest)
	}
}

// TestDemux is SeaStreamer's: interleaved streams, each consumer sees its own.
func TestDemux(t *testing.T) {
	r := newRig(t)
	s := r.connect(func(c *Config) { c.Create = streamer.CreateAlways })
	cat, dog, both := r.consumer(s, earliest(), "cat"), r.consumer(s, streamer.ConsumerOptions{}, "dog"), r.consumer(s, earliest(), "cat", "dog")
	p := r.producer(s, "")
	for i := range 100 {
		r.send(p, streamer.Record{Stream: []string{"cat", "dog"}[i%2], Value: fmt.Append(nil, i)})
	}
	for i := range 50 {
		r.expect(cat, fmt.Sprint(2*i))
		r.expect(dog, fmt.Sprint(2*i+1))
	}
	for range 100 {
		r.next(both)
	}
}

func TestEndOfStreamInTheMiddleIsPassedOver(t *testing.T) {
	f := newForeign(1 << 10)
	f.send("a", "1")
	f.eos()
	f.session()
	f.send("a", "2")
	f.eos()
	r := newRig(t)
	r.write(f.b)
	c := r.consumer(r.connect(), earliest(), "a")
	r.expect(c, "1", "2")
	r.ends(c)
	latest := r.consumer(r.connect(), streamer.ConsumerOptions{}, "a")
	r.ends(latest)
}

// TestEmptyFileHoldsUpNobody: a live consumer of a file without a header waits
// for it, alone (defect 14).
func TestEmptyFileHoldsUpNobody(t *testing.T) {
	r := newRig(t)
	r.write(nil)
	c := r.consumer(r.connect(), streamer.ConsumerOptions{}, "a")
	ctx, cancel := context.WithTimeout(r.ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := c.Next(ctx); err != context.DeadlineExceeded {
		t.Fatalf("Next: %v", err)
	}
	other := newRig(t)
	other.produce("b", "1")
	other.expect(other.consumer(other.connect(), earliest(), "b"), "1")
	if got := r.all("a"); len(got) > 0 {
		t.Errorf("an empty log has %d messages", len(got))
	}
	r.produce("a", "1", "2")
	r.expect(c, "1", "2")
}

// TestHeaderThatComesInParts: as a network file system may show it.
func TestHeaderThatComesInParts(t *testing.T) {
	f := newForeign(1 << 10)
	f.send("a", "1")
	r := newRig(t)
	r.write(nil)
	c := r.consumer(r.connect(), earliest(), "a")
	file, err := os.OpenFile(r.cfg.Path, os.O_WRONLY, 0)
	r.ok(err)
	defer file.Close()
	at := 0
	for _, n := range []int{1, 3, 64, 127, 128, 140, len(f.b)} {
		_, err := file.Write(f.b[at:n])
		r.ok(err)
		at = n
	}
	r.expect(c, "1")
}

// TestForeignFramesAreIgnored: envelopes that do not match, and whatever else
// is on the internal key.
func TestForeignFramesAreIgnored(t *testing.T) {
	f := newForeign(1 << 10)
	env := func(stream string, shard, seq uint64) {
		r := streamer.Record{Stream: stream, Key: []byte("wrong"), Value: []byte{}}
		f.b = f.e.Append(f.b, ss.Internal, shard, seq, 1, logfile.AppendEnvelope(nil, &r))
	}
	env("a", 0, 2)
	f.send("a", "1")
	env("b", 0, 2)
	f.send("a", "2")
	env("a", 1, 3)
	f.send("a", "3")
	env("a", 0, 4)
	f.b = f.e.Append(f.b, ss.Internal, 0, 4, 1, []byte("PULSE"))
	f.send("a", "4")
	env("a", 0, 5)
	env("a", 0, 5)
	f.send("a", "5")
	r := newRig(t)
	r.write(f.b)
	got := r.all(wildcard)
	r.same("messages", values(got), numbers(1, 6))
	for i, m := range got {
		if want := i == 4; (m.Key != nil) != want {
			t.Errorf("message %d has key %q", i+1, m.Key)
		}
	}
}

// TestMessagesOfAnySize: windows grow for large ones and go back.
func TestMessagesOfAnySize(t *testing.T) {
	r := newRig(t)
	p := r.producer(r.connect(), "a")
	var want []streamer.Record
	for i := range 24 {
		want = append(want, streamer.Record{
			Value:   bytes.Repeat([]byte{byte(i)}, 1<<i/3),
			Headers: []streamer.Header{{Key: "n", Value: fmt.Append(nil, i)}, {Key: "n"}, {Key: "", Value: []byte{}}},
		})
	}
	r.send(p, want...)
	for i, m := range r.all("a") {
		if !bytes.Equal(m.Value, want[i].Value) || len(m.Headers) != 3 || string(m.Headers[0].Value) != fmt.Sprint(i) ||
			m.Headers[1].Value != nil || m.Headers[2].Value == nil {
			t.Errorf("message %d: %d bytes, headers %q", i, len(m.Value), m.Headers)
		}
	}
}

// sourceConfig reads a stream from its beginning.
func sourceConfig(stream string) driver.SourceConfig {
	return driver.SourceConfig{
		Streams: []string{stream}, Mode: streamer.RealTime, Reset: streamer.Earliest, MaxBatch: 500,
		Assigned: func([]streamer.StreamShard) {},
		Revoked:  func([]streamer.StreamShard, bool) {},
		Skipped:  func(streamer.StreamShard, streamer.SeqNo, error) {},
		Gone:     func(streamer.StreamShard, streamer.SeqNo, streamer.SeqNo) {},
		Retrying: func(string, error, time.Duration) {},
	}
}

// TestFetchEnds: with its ctx, with Close, and once the log has ended with
// that.
func TestFetchEnds(t *testing.T) {
	r := newRig(t)
	r.produce("a", "1")
	b, err := newBackend(r.cfg)
	r.ok(err)
	defer b.Close(r.ctx)
	src, err := b.OpenSource(r.ctx, sourceConfig("a"))
	r.ok(err)
	n := 0
	r.ok(src.Fetch(r.ctx, func(ms []streamer.Message) { n += len(ms) }))
	ctx, cancel := context.WithTimeout(r.ctx, 10*time.Millisecond)
	defer cancel()
	if err := src.Fetch(ctx, nil); err != context.DeadlineExceeded {
		t.Errorf("Fetch: %v", err)
	}
	done := make(chan error)
	go func() { done <- src.Fetch(r.ctx, nil) }()
	r.ok(src.Close(r.ctx))
	r.is(<-done, streamer.ErrClosed)
	r.ok(src.Close(r.ctx))
	if n != 1 {
		t.Errorf("%d messages", n)
	}
}

// TestReadersShareNothing: a fast consumer does not let a slow one's buffer
// grow, a seek of one does not move another (defect 12).
func TestReadersShareNothing(t *testing.T) {
	r := newRig(t)
	s := r.connect()
	r.send(r.producer(s, "a"), records(numbers(0, 100)...)...)
	c1, c2 := r.consumer(s, earliest(), "a"), r.consumer(s, earliest(), "a")
	r.expect(c1, numbers(0, 10)...)
	r.ok(c2.Rewind(r.ctx, streamer.At(streamer.SeqUint(51))))
	r.expect(c1, numbers(10, 100)...)
	r.expect(c2, numbers(50, 100)...)
}

// TestReadAllocations: amortised, nothing per message.
func TestReadAllocations(t *testing.T) {
	const n = 20_000
	r := newRig(t, func(c *Config) { c.Beacon = 1 << 20 })
	p := r.producer(r.connect(), "a")
	for i := range n {
		p.Send(r.ctx, streamer.Record{Key: []byte("key"), Value: bytes.Repeat([]byte("v"), 100), Headers: []streamer.Header{{Key: fmt.Sprint("h", i%3), Value: []byte("x")}}})
	}
	r.ok(p.Flush(r.ctx))
	b, err := newBackend(r.cfg)
	r.ok(err)
	defer b.Close(r.ctx)
	perRun := testing.AllocsPerRun(1, func() {
		src, err := b.OpenSource(r.ctx, sourceConfig("a"))
		r.ok(err)
		got := 0
		for got < n {
			r.ok(src.Fetch(r.ctx, func(ms []streamer.Message) { got += len(ms) }))
		}
		r.ok(src.Close(r.ctx))
	})
	if perMessage := perRun / n; perMessage > 0.05 {
		t.Errorf("%.3f allocations per message", perMessage)
	}
}

// TestPing: a log that does not exist can be made, by Admin.Create with
// create=never too, where its directory exists.
func TestPing(t *testing.T) {
	r := newRig(t)
	never := func(c *Config) { c.Create = streamer.CreateNever }
	r.ok(r.connect().Ping(r.ctx))
	r.ok(r.connect(never).Ping(r.ctx))
	astray := func(c *Config) { c.Path = filepath.Join(filepath.Dir(c.Path), "none", "log.ss") }
	r.is(r.connect(astray).Ping(r.ctx), streamer.ErrNotFound)
	r.is(r.connect(astray, never).Ping(r.ctx), streamer.ErrNotFound)
	r.produce("a", "1")
	r.ok(r.connect(never).Ping(r.ctx))
}

// TestEmptyStreamName: SeaStreamer's code lets it be written, against its
// documentation.
func TestEmptyStreamName(t *testing.T) {
	f := newForeign(1 << 10)
	f.send("a", "1")
	f.send("", "2")
	f.send("a", "3")
	r := newRig(t)
	r.write(f.b)
	r.same("messages", values(r.all("a")), []string{"1", "3"})
	if got := r.all(wildcard); len(got) != 3 {
		t.Errorf("%q", values(got))
	}
	c := r.consumer(r.connect(), resumable("g"), wildcard)
	for range 3 {
		r.next(c).Ack()
	}
	r.ok(c.Commit(r.ctx))
}
