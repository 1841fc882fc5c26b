package kafka

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var errNoAnswer = errors.New("the broker says nothing about the partition")

// answer is what a broker has of one shard.
type answer = *kmsg.FetchResponseTopicPartition

// ask fetches from a broker what its shards have at these offsets, past the
// client that reads them, behind whose fetches it would wait: at most size
// bytes of each, but one whole batch.
func (s *source) ask(ctx context.Context, broker int32, from map[streamer.StreamShard]int64, size int32) (map[streamer.StreamShard]answer, error) {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.SessionEpoch, req.ReplicaID = size, -1, -1
	if s.b.cfg.Isolation == Committed {
		req.IsolationLevel = 1
	}
	topics := s.known()
	parts := make(map[string][]kmsg.FetchRequestTopicPartition)
	for at, offset := range from {
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = partitionOf(at.Shard), offset, size
		parts[at.Stream] = append(parts[at.Stream], rp)
	}
	names := make(map[[16]byte]string)
	for name, list := range parts {
		rt := kmsg.NewFetchRequestTopic()
		rt.Topic, rt.TopicID, rt.Partitions = name, topics[name].id, list
		req.Topics = append(req.Topics, rt)
		names[rt.TopicID] = name
	}
	resp, err := req.RequestWith(ctx, s.b.cl.Broker(int(broker)))
	if err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	all := make(map[streamer.StreamShard]answer)
	for t := range resp.Topics {
		name := resp.Topics[t].Topic
		if name == "" {
			name = names[resp.Topics[t].TopicID]
		}
		for p := range resp.Topics[t].Partitions {
			got := &resp.Topics[t].Partitions[p]
			all[shardOf(name, got.Partition)] = got
		}
	}
	return all, nil
}

// askOne is ask for one shard. The error code of the answer is its caller's.
func (s *source) askOne(ctx context.Context, at streamer.StreamShard, offset int64, size int32) (answer, error) {
	leader, _, err := s.cl.PartitionLeader(at.Stream, partitionOf(at.Shard))
	if err != nil {
		return nil, err
	}
	all, err := s.ask(ctx, leader, map[streamer.StreamShard]int64{at: offset}, size)
	if err != nil {
		return nil, err
	}
	if all[at] == nil {
		return nil, errNoAnswer
	}
	return all[at], nil
}
