package kafka

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The header of a batch, as far as it says where the next one starts: https://kafka.apache.org/documentation/#recordbatch.
const (
	batchMagicAt     = 16
	batchLastDeltaAt = 23
	batchHeaderSize  = 27
	batchMagic       = 2
	rawFetchBytes    = 1 << 10 // brokers send one whole batch, however large
)

var errNoBatch = errors.New("the broker sends no batch there")

// behindBatch is the offset after the batch that has offset, read from its header alone.
func (s *source) behindBatch(ctx context.Context, at streamer.StreamShard, offset int64) (int64, error) {
	s.mu.Lock()
	id := s.topics[at.Stream].id
	s.mu.Unlock()
	leader, _, err := s.cl.PartitionLeader(at.Stream, partitionOf(at.Shard))
	if err != nil {
		return 0, err
	}
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.SessionEpoch, req.ReplicaID = rawFetchBytes, -1, -1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = at.Stream, id
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = partitionOf(at.Shard), offset, rawFetchBytes
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, s.cl.Broker(int(leader)))
	if err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, errNoBatch
	}
	got := &resp.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		return 0, err
	}
	return afterBatch(got.RecordBatches, offset)
}

// afterBatch finds the batch that has offset in what a broker sent, and the offset after it.
func afterBatch(in []byte, offset int64) (int64, error) {
	for len(in) >= batchHeaderSize {
		next := int64(binary.BigEndian.Uint64(in)) + 1 //nolint:gosec // checked by the caller's use: it must be beyond offset
		if in[batchMagicAt] == batchMagic {
			next += int64(int32(binary.BigEndian.Uint32(in[batchLastDeltaAt:]))) //nolint:gosec // as the format has it
		}
		if next > offset {
			return next, nil
		}
		size := int64(binary.BigEndian.Uint32(in[8:])) + 12
		if size > int64(len(in)) {
			break
		}
		in = in[size:]
	}
	return 0, errNoBatch
}
