package kafka_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// throttles counts how often a broker made a client wait.
type throttles struct{ n atomic.Int64 }

var _ kgo.HookBrokerThrottle = (*throttles)(nil)

// OnBrokerThrottle implements kgo.HookBrokerThrottle.
func (t *throttles) OnBrokerThrottle(kgo.BrokerMetadata, time.Duration, bool) { t.n.Add(1) }

// limit gives a client a quota of bytes per second, both ways, until the test
// ends.
func (r *rig) limit(client string, bytes float64) {
	r.Helper()
	alter := func(remove bool) {
		entity := kadm.ClientQuotaEntity{{Type: "client-id", Name: &client}}
		_, err := r.adm.AlterClientQuotas(r.ctx(), []kadm.AlterClientQuotaEntry{{Entity: entity, Ops: []kadm.AlterClientQuotaOp{
			{Key: "producer_byte_rate", Value: bytes, Remove: remove}, {Key: "consumer_byte_rate", Value: bytes, Remove: remove},
		}}})
		r.must(err)
	}
	alter(false)
	r.Cleanup(func() { alter(true) })
}

// TestAClientBeyondItsQuotaIsSlowAndLosesNothing: the broker makes it wait, and
// it gets no error.
func TestAClientBeyondItsQuotaIsSlowAndLosesNothing(t *testing.T) {
	t.Parallel()
	const n, size, quota = 10, 10_000, 50_000 // a step beyond what 11 seconds allow costs two
	r := onReal(t, 1, nil)
	if r == nil {
		return
	}
	var waited throttles
	r.limit(r.topic, quota)
	var retries atomic.Int64
	s := r.connect(kafka.Config{ClientID: r.topic, Compression: kafka.Uncompressed, Opts: []kgo.Opt{kgo.WithHooks(&waited)}}, streamer.StreamerOptions{
		Hooks: streamer.Hooks{Retrying: func(streamer.RetryEvent) { retries.Add(1) }},
	})
	c := r.consumer(s, streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: r.topic, AutoReset: streamer.Earliest, Ack: streamer.AckManual})
	p := r.producer(s)
	sent := 0
	for ; waited.n.Load() < 2; sent += n {
		r.fill(p, n, size)
		for i := range n {
			m, err := c.Next(r.ctx())
			r.must(err)
			if got := numberBefore(m.Value); got != i {
				r.Fatalf("message %d came instead of %d", got, i)
			}
			m.Ack()
		}
	}
	r.must(c.Commit(r.ctx()))
	r.Logf("%d messages of %d bytes; the broker made the clients wait %d times", sent, size, waited.n.Load())
	if retries.Load() > 0 {
		r.Errorf("%d failures were reported", retries.Load())
	}
}

// numberBefore reads the number that a filled value begins with.
func numberBefore(value []byte) (n int) {
	_, _ = fmt.Sscan(string(value[:8]), &n)
	return n
}
