package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
)

func (b *backend) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.closed.Load() {
		return streamer.ErrClosed
	}
	return nil
}

// Create implements streamer.Admin. It returns when every shard has a leader.
// Config.Replicas is the number of replicas.
func (b *backend) Create(ctx context.Context, stream string, shards int) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	if err := checkName(stream); err != nil {
		return err
	}
	if shards < 1 || shards > maxShards {
		return fmt.Errorf("%w number of shards %d: want 1 to %d", streamer.ErrInvalid, shards, maxShards)
	}
	return b.create(ctx, stream, shards)
}

// maxShards is far beyond what a cluster supports and within what the protocol
// can express.
const maxShards = 1 << 20

// Delete implements streamer.Admin. It returns when the topic cannot be found
// any more.
func (b *backend) Delete(ctx context.Context, stream string) error {
	if _, err := b.existing(ctx, stream); err != nil {
		return err
	}
	if _, err := b.adm.DeleteTopic(ctx, stream); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return onStream(stream, err)
	}
	began := time.Now()
	p := newPacer()
	for time.Since(began) < patience {
		if _, err := b.look(ctx, stream); isVanished(err) {
			return nil
		}
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
	return onStream(stream, fmt.Errorf("the topic is still there %v after the broker deleted it", patience))
}

// existing looks up a topic that Admin is asked about. It never creates one.
func (b *backend) existing(ctx context.Context, stream string) (topic, error) {
	if err := b.enter(ctx); err != nil {
		return topic{}, err
	}
	if err := checkName(stream); err != nil {
		return topic{}, err
	}
	return b.topic(ctx, stream)
}

// Describe implements streamer.Admin.
func (b *backend) Describe(ctx context.Context, stream string) (streamer.StreamInfo, error) {
	t, err := b.existing(ctx, stream)
	if err != nil {
		return streamer.StreamInfo{}, err
	}
	ends, left, err := b.bounds(ctx, t.each())
	if err != nil {
		return streamer.StreamInfo{}, err
	}
	info := streamer.StreamInfo{Name: stream}
	for _, at := range t.each() {
		e, ok := ends[at]
		if !ok {
			info.Shards = append(info.Shards, streamer.ShardInfo{ID: at.Shard, Open: true, Err: onShard(at, left[at])})
			continue
		}
		info.Shards = append(info.Shards, streamer.ShardInfo{ID: at.Shard, First: seqOf(e.first), Next: seqOf(e.high), Open: true})
	}
	return info, nil
}

// Streams implements streamer.Admin. It leaves out the brokers' internal
// topics.
func (b *backend) Streams(ctx context.Context, prefix string) ([]string, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	all, err := b.adm.ListTopics(ctx)
	if err != nil {
		return nil, b.explain(ctx, err)
	}
	names := slices.DeleteFunc(all.Names(), func(name string) bool {
		return !strings.HasPrefix(name, prefix) || isVanished(all[name].Err) // the client lists what it was asked about just before
	})
	slices.Sort(names)
	return names, nil
}

// Groups implements streamer.Admin. A Resumable owner counts as a member.
// Groups that this user may not describe are left out.
func (b *backend) Groups(ctx context.Context, stream string) ([]streamer.GroupInfo, error) {
	t, err := b.existing(ctx, stream)
	if err != nil {
		return nil, err
	}
	listed, err := b.adm.ListGroups(ctx)
	if err != nil {
		return nil, b.explain(ctx, err)
	}
	ends, left, err := b.bounds(ctx, t.each())
	if err != nil {
		return nil, err
	}
	fetched := b.adm.FetchManyOffsets(ctx, listed.Groups()...)
	var groups []streamer.GroupInfo
	for _, name := range listed.Groups() {
		places := placesIn(fetched[name].Fetched, []string{stream})
		if len(places) == 0 {
			continue
		}
		members, err := b.members(ctx, name, places)
		if err != nil {
			return nil, err
		}
		lag, err := b.lagOf(ctx, places, ends, left)
		if err != nil {
			return nil, err
		}
		groups = append(groups, streamer.GroupInfo{Name: name, Members: members, Lag: lag})
	}
	return groups, ctx.Err()
}

func (b *backend) lagOf(ctx context.Context, places map[streamer.StreamShard]place, ends map[streamer.StreamShard]bounds, left unasked) ([]streamer.ShardLag, error) {
	at := make(map[streamer.StreamShard]position, len(places))
	for s, p := range places {
		at[s] = p.position
	}
	now, err := b.locate(ctx, at, ends)
	if err != nil {
		return nil, err
	}
	lags := make([]streamer.ShardLag, 0, len(now))
	for s, p := range now {
		lags = append(lags, streamer.ShardLag{StreamShard: s, Messages: ends[s].behind(p, left[s])})
	}
	slices.SortFunc(lags, func(a, b streamer.ShardLag) int { return int(a.Shard) - int(b.Shard) }) //nolint:gosec // small numbers
	return lags, nil
}

// members counts those of a group, whatever its protocol, and a Resumable
// owner.
func (b *backend) members(ctx context.Context, group string, places map[streamer.StreamShard]place) (int, error) {
	now := time.Now()
	for _, p := range places {
		if owned(p.note, now) {
			return 1, nil
		}
	}
	n, err := b.classic(ctx, group)
	if n > 0 || err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return n, b.explain(ctx, err)
	}
	// Brokers call a group of the newer protocol dead, or know none of its
	// name.
	newer, err := b.adm.DescribeConsumerGroups(ctx, group)
	if err != nil {
		return 0, ctx.Err() // an older broker, or no such group
	}
	return len(newer[group].Members), nil
}

// classic counts the members of a group of the classic protocol.
func (b *backend) classic(ctx context.Context, group string) (n int, err error) {
	err = retryWhileLoading(ctx, func() error {
		all, err := b.adm.DescribeGroups(ctx, group)
		if err == nil {
			err = all.Error()
		}
		n = len(all[group].Members)
		return err
	})
	return n, err
}
