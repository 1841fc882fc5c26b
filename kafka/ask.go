package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A shard is asked about at its leader. A shard without one must not keep the
// others from being used.

const (
	// electionTime is how long an answer waits for a shard that has no leader
	// when others have one: an election in a healthy cluster takes less.
	electionTime = time.Second
	// answerTime is how long it waits for a leader that does not answer. By
	// then the cluster knows as well, and has another leader or none
	// (broker.session.timeout.ms, 9 s).
	answerTime = 10 * time.Second
	// tryTime bounds one try, so that the next one asks another leader.
	tryTime = 5 * time.Second
)

// unasked are the shards without an answer, and why.
type unasked map[streamer.StreamShard]error

// each asks about shards until it has an answer for all, or the others have no
// leader or one that does not answer. An error is permanent or that of ctx.
func (b *backend) each(ctx context.Context, shards []streamer.StreamShard, ask func(context.Context, []streamer.StreamShard) unasked) (unasked, error) {
	began := time.Now()
	p := newPacer()
	for {
		try, cancel := context.WithTimeout(ctx, tryTime)
		left := ask(try, shards)
		cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		wait := electionTime
		for at, err := range left {
			if !passes(err) {
				return nil, b.explain(ctx, onShard(at, err))
			}
			if !errors.Is(err, kerr.LeaderNotAvailable) {
				wait = answerTime
			}
		}
		if len(left) == 0 || time.Since(began) > wait {
			return left, nil
		}
		shards = slices.Collect(maps.Keys(left))
		if err := p.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// passes says that a question may be answered later. An error without a code of
// Kafka's concerns the connection to the broker.
func passes(err error) bool {
	if _, code := errors.AsType[*kerr.Error](err); code {
		return isCold(err)
	}
	return !errors.Is(err, kgo.ErrClientClosed)
}

// reach calls f, which asks any broker, until one answers: the client may
// choose one that is gone.
func reach(ctx context.Context, f func() error) error {
	began := time.Now()
	p := newPacer()
	for {
		err := f()
		if err == nil || ctx.Err() == nil && (!isNetwork(err) || time.Since(began) > answerTime) {
			return err
		}
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
}

// The times that ask for an end of a shard.
const (
	atLogStart = -2
	atLogEnd   = -1
)

// listed is an answer about one shard. Its offset is -1 when all records are
// older than the time that was asked for.
type listed map[streamer.StreamShard]position

// list asks the leaders for the offsets of a time, in milliseconds, and adds
// the answers to got.
func (b *backend) list(ctx context.Context, shards []streamer.StreamShard, millis int64, level int8, got listed) unasked {
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel = level
	for stream, ids := range byStream(shards) {
		rt := kmsg.NewListOffsetsRequestTopic()
		rt.Topic = stream
		for _, id := range ids {
			rp := kmsg.NewListOffsetsRequestTopicPartition()
			rp.Partition, rp.Timestamp = id, millis
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	left := make(unasked)
	for _, part := range b.cl.RequestSharded(ctx, req) {
		if part.Err != nil {
			asked := part.Req.(*kmsg.ListOffsetsRequest) //nolint:forcetypeassert // it is a part of ours
			for _, t := range asked.Topics {
				for _, p := range t.Partitions {
					left[shardOf(t.Topic, p.Partition)] = part.Err
				}
			}
			continue
		}
		answer := part.Resp.(*kmsg.ListOffsetsResponse) //nolint:forcetypeassert // it answers ours
		for _, t := range answer.Topics {
			for _, p := range t.Partitions {
				at := shardOf(t.Topic, p.Partition)
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					left[at] = err
					continue
				}
				got[at] = position{p.Offset, p.LeaderEpoch}
			}
		}
	}
	return left
}

func byStream(shards []streamer.StreamShard) map[string][]int32 {
	all := make(map[string][]int32)
	for _, at := range shards {
		all[at.Stream] = append(all[at.Stream], partitionOf(at.Shard))
	}
	return all
}

// epochEnds asks where the logs end for their epochs. A shard whose answer is
// unknown is left out: the client asks again when it reads.
func (b *backend) epochEnds(ctx context.Context, at map[streamer.StreamShard]position) map[streamer.StreamShard]position {
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -1
	for stream, ids := range byStream(slices.Collect(maps.Keys(at))) {
		rt := kmsg.NewOffsetForLeaderEpochRequestTopic()
		rt.Topic = stream
		for _, id := range ids {
			rp := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
			rp.Partition, rp.LeaderEpoch = id, at[shardOf(stream, id)].epoch
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	ends := make(map[streamer.StreamShard]position, len(at))
	if len(at) == 0 {
		return ends
	}
	try, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	for _, part := range b.cl.RequestSharded(try, req) {
		if part.Err != nil {
			continue
		}
		answer := part.Resp.(*kmsg.OffsetForLeaderEpochResponse) //nolint:forcetypeassert // it answers ours
		for _, t := range answer.Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode == 0 && p.EndOffset >= 0 {
					ends[shardOf(t.Topic, p.Partition)] = position{p.EndOffset, p.LeaderEpoch}
				}
			}
		}
	}
	return ends
}
