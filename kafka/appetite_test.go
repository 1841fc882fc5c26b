package kafka_test

import (
	"bytes"
	"sync/atomic"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestTheMoreDataGrowsTheLessOfItIsFetchedAtOnce: a fetch is decompressed
// whole, whatever BufferBytes says.
func TestTheMoreDataGrowsTheLessOfItIsFetchedAtOnce(t *testing.T) {
	const records, size, grows, buffer = 120, 100_000, 25, 1 << 20
	r := onFake(t, 1)
	var asked, most atomic.Int64
	r.fake.ControlKey(int16(kmsg.Fetch), func(k kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		n := int64(k.(*kmsg.FetchRequest).MaxBytes) //nolint:forcetypeassert // it is one of Fetch
		asked.Store(n)
		most.Store(max(most.Load(), n))
		return nil, nil, false
	})
	s := r.connect(kafka.Config{Compression: kafka.Zstd}, streamer.StreamerOptions{})
	p := r.producer(s)
	for range records { // batches of one: a broker sends a whole one anyway
		_, err := p.Send(r.ctx(), streamer.Record{Value: bytes.Repeat(random(size/grows), grows)}).Wait(r.ctx())
		r.must(err)
	}
	c := r.consumer(s, streamer.ConsumerOptions{AutoReset: streamer.Earliest, BufferBytes: buffer, Prefetch: 1})
	for range records {
		_, err := c.Next(r.ctx())
		r.must(err)
	}
	r.until("fetches to ask for less", func() bool { return asked.Load() <= buffer/grows })
	if most.Load() > buffer/8 {
		t.Errorf("fetches ask for %d bytes at most, with a buffer of %d", most.Load(), buffer)
	}
}
