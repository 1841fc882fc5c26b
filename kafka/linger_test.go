package kafka_test

import (
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
)

// written are the batches that a hook got.
type written struct {
	mu     sync.Mutex
	events []streamer.WriteEvent
}

func (w *written) add(e streamer.WriteEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *written) has(records int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Records == records {
			return true
		}
	}
	return false
}

func TestRecordsLingerUntilFlush(t *testing.T) {
	const n = 100
	r := onFake(t, 1)
	var w written
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{
		Hooks:    streamer.Hooks{Written: w.add},
		Producer: streamer.ProducerOptions{Linger: 2 * hang, DeliveryTimeout: 4 * hang},
	})
	p := r.producer(s)
	p.Send(r.ctx(), streamer.Record{Value: []byte("of a stream that the client does not know yet")})
	r.must(p.Flush(r.ctx()))
	r.until("a batch of all that was sent between two Flushes", func() bool {
		for range n {
			p.Send(r.ctx(), streamer.Record{Value: []byte("x")})
		}
		r.must(p.Flush(r.ctx()))
		return w.has(n)
	})
	p.Send(r.ctx(), streamer.Record{Value: []byte("x")})
	r.must(p.Close())
}

func TestWhatIsStoredIsReported(t *testing.T) {
	const n = 1000
	r := onFake(t, 3)
	var w written
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{Hooks: streamer.Hooks{Written: w.add}})
	p := r.producer(s)
	for range n {
		p.Send(r.ctx(), streamer.Record{Value: make([]byte, 100)})
	}
	r.must(p.Flush(r.ctx()))
	r.until("the reports", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		records, bytes := 0, 0
		for _, e := range w.events {
			records, bytes = records+e.Records, bytes+e.Bytes
			if e.Stream != r.topic || e.Took <= 0 || e.Took > time.Minute || e.Err != nil {
				t.Fatalf("reported: %+v", e)
			}
		}
		return records == n && bytes > 100*n
	})
}
