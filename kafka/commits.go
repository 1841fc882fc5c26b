package kafka

import (
	"cmp"
	"context"
	"errors"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// place is a committed position, that of the next message, and its metadata.
type place struct {
	position
	note string
}

// committer commits: as a member of the group, or for a group that has none.
type committer struct {
	group      string
	member     string
	instance   *string
	generation int32
}

// alone commits for a group without members.
func alone(group string) committer { return committer{group: group, generation: -1} }

// committed is what a group has committed in streams.
func (b *backend) committed(ctx context.Context, group string, streams []string) (map[streamer.StreamShard]place, error) {
	var got kadm.OffsetResponses
	err := retryWhileLoading(ctx, func() (err error) {
		if got, err = b.adm.FetchOffsets(ctx, group); err != nil {
			return err
		}
		for _, stream := range streams {
			for _, o := range got[stream] {
				err = cmp.Or(err, o.Err)
			}
		}
		return err
	})
	if errors.Is(err, kerr.GroupIDNotFound) {
		return map[streamer.StreamShard]place{}, nil
	}
	if err != nil {
		return nil, b.explain(ctx, err)
	}
	return placesIn(got, streams), nil
}

func placesIn(got kadm.OffsetResponses, streams []string) map[streamer.StreamShard]place {
	all := make(map[streamer.StreamShard]place)
	for _, stream := range streams {
		for _, o := range got[stream] {
			if o.Err == nil && o.At >= 0 {
				all[shardOf(o.Topic, o.Partition)] = place{position{o.At, o.LeaderEpoch}, o.Metadata}
			}
		}
	}
	return all
}

// commit stores positions in one request. The topics' ids keep a position out
// of a topic that was recreated. An error means that none, some or all are
// stored.
func (b *backend) commit(ctx context.Context, by committer, topics map[string]topic, places map[streamer.StreamShard]place) error {
	if len(places) == 0 {
		return nil
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = by.group, by.member, by.instance, by.generation
	for name, t := range topics {
		rt := kmsg.NewOffsetCommitRequestTopic()
		rt.Topic, rt.TopicID = name, t.id
		for s, p := range places {
			if s.Stream != name {
				continue
			}
			rp := kmsg.NewOffsetCommitRequestTopicPartition()
			rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = partitionOf(s.Shard), p.offset, p.epoch, &p.note
			rt.Partitions = append(rt.Partitions, rp)
		}
		if len(rt.Partitions) > 0 {
			req.Topics = append(req.Topics, rt)
		}
	}
	resp, err := req.RequestWith(ctx, b.cl)
	if err != nil {
		return err
	}
	return commitError(resp, topics)
}

// commitError is the first failure in an answer, and says which shard it is
// about. That a topic was deleted matters least: the others may be refused too.
func commitError(resp *kmsg.OffsetCommitResponse, topics map[string]topic) error {
	var vanished error
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			code := kerr.ErrorForCode(p.ErrorCode)
			if code == nil {
				continue
			}
			err := onShard(shardOf(nameOf(t, topics), p.Partition), code)
			if !isVanished(code) {
				return err
			}
			vanished = cmp.Or(vanished, err)
		}
	}
	return vanished
}

// nameOf is the topic of an answer, which newer brokers name by its id alone.
func nameOf(t kmsg.OffsetCommitResponseTopic, topics map[string]topic) string {
	for name, known := range topics {
		if t.Topic == "" && [16]byte(known.id) == t.TopicID {
			return name
		}
	}
	return t.Topic
}
