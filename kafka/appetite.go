package kafka

import (
	"math/bits"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A fetch is bounded in bytes as sent, and the client decompresses all of it at
// once. So a source asks for less the more its data grows.

const (
	// supposed is the growth of a fetch that is assumed before the first one.
	supposed = 8
	// leastFetch is the smallest request for one shard. A broker sends a whole
	// batch anyway.
	leastFetch = 16 << 10
)

// appetite bounds a client's requests by the decompressed size of earlier ones.
type appetite struct {
	all, shard  int64 // bytes of a fetch, and of one shard in it, when decompressed
	sent, grown atomic.Int64
	times       int64 // how many times fetches grow now; Fetch's
}

var _ kgo.HookFetchBatchRead = (*appetite)(nil)

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (a *appetite) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	a.sent.Add(int64(m.CompressedBytes))
	a.grown.Add(int64(m.UncompressedBytes))
}

// begin takes the client's own bounds, and at most buffer bytes of a broker.
func (a *appetite) begin(cl *kgo.Client, buffer int) {
	all, _ := cl.OptValue(kgo.FetchMaxBytes).(int32)
	shard, _ := cl.OptValue(kgo.FetchMaxPartitionBytes).(int32)
	a.all, a.shard = int64(all), int64(shard)
	if buffer > 0 {
		a.all = min(a.all, max(int64(buffer), leastFetch))
	}
	a.shard = min(a.shard, a.all)
	a.expect(cl, supposed)
}

// learn makes the bounds follow what has come since it was called last.
func (a *appetite) learn(cl *kgo.Client) {
	sent, grown := a.sent.Swap(0), a.grown.Swap(0)
	if sent == 0 {
		return
	}
	times := int64(1) << bits.Len64(uint64((grown-1)/sent)) //nolint:gosec // never negative: what grows is not empty
	switch {
	case times > a.times:
		a.expect(cl, times)
	case times < a.times: // slowly: the next fetch may be as the ones before
		a.expect(cl, a.times/2)
	}
}

func (a *appetite) expect(cl *kgo.Client, times int64) {
	a.times = times
	cl.UpdateFetchMaxBytes(int32(max(a.all/times, leastFetch)), int32(max(a.shard/times, leastFetch))) //nolint:gosec // at most what they were
}
