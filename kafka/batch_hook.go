package kafka

import (
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batchHook reports the batches that a sink's client has stored. The outcomes
// of other records are on their receipts.
type batchHook struct {
	sink   *sink
	report func(streamer.WriteEvent)

	mu   sync.Mutex
	took map[int32]time.Duration // of the latest request, by broker
}

var _ interface {
	kgo.HookBrokerE2E
	kgo.HookProduceBatchWritten
} = (*batchHook)(nil)

// OnBrokerE2E implements kgo.HookBrokerE2E. The client calls it before it
// reports the batches of the request.
func (t *batchHook) OnBrokerE2E(m kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key != int16(kmsg.Produce) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took[m.NodeID] = e.DurationE2E()
}

// OnProduceBatchWritten implements kgo.HookProduceBatchWritten. The client does
// not wait for the goroutine on which it calls this.
func (t *batchHook) OnProduceBatchWritten(m kgo.BrokerMetadata, topic string, _ int32, b kgo.ProduceBatchMetrics) {
	if !t.sink.enter() {
		return
	}
	defer t.sink.work.Done()
	t.mu.Lock()
	took := t.took[m.NodeID]
	t.mu.Unlock()
	t.report(streamer.WriteEvent{Stream: topic, Records: b.NumRecords, Bytes: b.UncompressedBytes, Took: took})
}
