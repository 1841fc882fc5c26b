package kafka_test

import (
	"sync"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// spoilt serves a topic's batches, one of them with a byte that is not as its
// checksum says.
type spoilt struct {
	r       *rig
	id      [16]byte
	batches [][]byte
}

// spoil reads the n batches of shard 0, one record each, and damages the one at
// offset bad.
func spoil(r *rig, n int, bad int64) *spoilt {
	md, err := r.adm.Metadata(r.ctx(), r.topic)
	r.must(err)
	s := &spoilt{r: r, id: md.Topics[r.topic].ID}
	for offset := range int64(n) {
		req := kmsg.NewPtrFetchRequest()
		req.MaxBytes, req.SessionEpoch, req.ReplicaID = 1, -1, -1
		rt := kmsg.NewFetchRequestTopic()
		rt.Topic, rt.TopicID = r.topic, s.id
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.FetchOffset, rp.PartitionMaxBytes = offset, 1
		rt.Partitions = append(rt.Partitions, rp)
		req.Topics = append(req.Topics, rt)
		resp, err := req.RequestWith(r.ctx(), r.raw.Broker(0))
		r.must(err)
		batch := resp.Topics[0].Partitions[0].RecordBatches
		if offset == bad {
			batch[len(batch)-1] ^= 0xff
		}
		s.batches = append(s.batches, batch)
	}
	return s
}

// answer is a broker's answer to a fetch.
func (s *spoilt) answer(k kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // the fake's signature
	s.r.fake.KeepControl()
	req := k.(*kmsg.FetchRequest)
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			if p.FetchOffset >= int64(len(s.batches)) {
				return nil, nil, false
			}
			rt := kmsg.NewFetchResponseTopic()
			rt.Topic, rt.TopicID = t.Topic, t.TopicID
			rp := kmsg.NewFetchResponseTopicPartition()
			rp.Partition, rp.HighWatermark, rp.LastStableOffset = p.Partition, int64(len(s.batches)), int64(len(s.batches))
			for _, b := range s.batches[p.FetchOffset:] {
				rp.RecordBatches = append(rp.RecordBatches, b...)
			}
			rt.Partitions = append(rt.Partitions, rp)
			resp.Topics = append(resp.Topics, rt)
		}
	}
	return resp, nil, len(resp.Topics) > 0
}

func TestABatchThatIsDamagedIsPassedOverOnce(t *testing.T) {
	const n, bad = 20, 7
	r := onFake(t, 1)
	var mu sync.Mutex
	var skipped []streamer.SkipEvent
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{Hooks: streamer.Hooks{Skipped: func(e streamer.SkipEvent) {
		mu.Lock()
		defer mu.Unlock()
		skipped = append(skipped, e)
	}}})
	r.send(r.producer(s), 0, n)
	r.fake.ControlKey(int16(kmsg.Fetch), spoil(r, n, bad).answer)
	c := r.consumer(s, streamer.ConsumerOptions{AutoReset: streamer.Earliest})
	r.expect(c, 0, bad)
	r.expect(c, bad+1, n)
	mu.Lock()
	defer mu.Unlock()
	if len(skipped) != 1 || skipped[0].Seq != streamer.SeqUint(bad) || skipped[0].Err == nil {
		t.Errorf("skipped: %+v", skipped)
	}
}
