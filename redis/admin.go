package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

// Create implements streamer.Admin.
func (b *backend) Create(ctx context.Context, stream string, shards int) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	switch n := b.cfg.Shards; {
	case !b.cfg.numbered() && shards > 1:
		return fmt.Errorf("%w: one key per stream is one shard; for more want shards=auto or shards=%d", streamer.ErrInvalid, shards)
	case n > 0 && shards != n || shards > MaxShards:
		return fmt.Errorf("%w: %d shards, want shards=%d, which all streams here have", streamer.ErrInvalid, shards, n)
	}
	there, err := b.politelyShards(ctx, stream)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return &streamer.Error{Stream: stream, Kind: streamer.ErrExists}
	}
	for n := range streamer.ShardID(shards) {
		key := b.cfg.key(streamer.StreamShard{Stream: stream, Shard: n})
		if err := politely(ctx, func() error { return b.touch(ctx, key) }); err != nil {
			return err
		}
	}
	return nil
}

// politelyShards is shards of a server that may refuse to say for a while.
func (b *backend) politelyShards(ctx context.Context, stream string) (all []streamer.ShardID, err error) {
	err = politely(ctx, func() (err error) {
		all, err = b.shards(ctx, stream)
		return err
	})
	return all, err
}

// existing lists the keys of a stream that exists.
func (b *backend) existing(ctx context.Context, stream string) (shards []streamer.ShardID, keys []string, err error) {
	if err := b.enter(ctx); err != nil {
		return nil, nil, err
	}
	if shards, err = b.politelyShards(ctx, stream); err != nil {
		return nil, nil, err
	}
	if len(shards) == 0 {
		return nil, nil, notFound(stream)
	}
	return shards, b.keys(stream, shards), nil
}

// Delete implements streamer.Admin.
func (b *backend) Delete(ctx context.Context, stream string) error {
	_, keys, err := b.existing(ctx, stream)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := politely(ctx, func() error { return b.client.Del(ctx, key).Err() }); err != nil {
			return bare(ctx, err)
		}
	}
	return nil
}

// Describe implements streamer.Admin. Next is the smallest position that the
// next message can get.
func (b *backend) Describe(ctx context.Context, stream string) (streamer.StreamInfo, error) {
	shards, keys, err := b.existing(ctx, stream)
	if err != nil {
		return streamer.StreamInfo{}, err
	}
	states, err := b.inspect(ctx, keys...)
	if err != nil {
		return streamer.StreamInfo{}, err
	}
	info := streamer.StreamInfo{Name: stream}
	for i, n := range shards {
		sh := streamer.ShardInfo{ID: n, Open: true}
		if st := &states[i]; st.exists {
			next := st.last().next()
			sh.Next, sh.First = next.seqNo(), next.seqNo()
			if first, some := st.first(); some {
				sh.First = first.seqNo()
			}
		}
		info.Shards = append(info.Shards, sh)
	}
	return info, nil
}

// Streams implements streamer.Admin. It scans every key of the server.
func (b *backend) Streams(ctx context.Context, prefix string) ([]string, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	var keys []string
	err := politely(ctx, func() (err error) {
		keys, err = b.scan(ctx, escapeGlob(prefix)+"*")
		return err
	})
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, key := range keys {
		name := key
		if b.cfg.numbered() {
			name, _, _ = cutShard(key)
		}
		if strings.HasPrefix(name, prefix) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// Groups implements streamer.Admin.
func (b *backend) Groups(ctx context.Context, stream string) ([]streamer.GroupInfo, error) {
	shards, keys, err := b.existing(ctx, stream)
	if err != nil {
		return nil, err
	}
	groups := map[string]*streamer.GroupInfo{}
	for i, key := range keys {
		all, err := b.client.XInfoGroups(ctx, key).Result()
		if isMissingKey(err) {
			continue
		}
		if err != nil {
			return nil, bare(ctx, err)
		}
		for _, g := range all {
			if groups[g.Name] == nil {
				groups[g.Name] = &streamer.GroupInfo{Name: g.Name}
			}
			lag, err := b.lag(ctx, streamer.StreamShard{Stream: stream, Shard: shards[i]}, g.Name)
			if err != nil {
				return nil, bare(ctx, err)
			}
			groups[g.Name].Lag = append(groups[g.Name].Lag, lag)
		}
	}
	var infos []streamer.GroupInfo
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := groups[name]
		if g.Members, err = b.members(ctx, keys, name); err != nil {
			return nil, bare(ctx, err)
		}
		infos = append(infos, *g)
	}
	return infos, nil
}

// members counts who reads for a group: consumers that the server has heard of
// lately. The owner of a Resumable group reads under the group's name, and
// counts as the one that says so.
func (b *backend) members(ctx context.Context, keys []string, group string) (int, error) {
	live := map[string]bool{}
	for _, key := range keys {
		all, err := b.client.XInfoConsumers(ctx, key, group).Result()
		if isMissingKey(err) || isGone(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		for _, c := range all {
			switch owner := strings.HasPrefix(c.Name, ownerPrefix); {
			case owner && c.Idle < leaseTime:
				live[c.Name] = true
			case !owner && c.Name != group && c.Name != returned && c.Idle < memberTime:
				live[c.Name] = true
			}
		}
	}
	return len(live), nil
}

// idle lists the shards of a stream on which a group without members has a
// position: ErrBusy, ErrNotFound.
func (b *backend) idle(ctx context.Context, stream, group string) ([]streamer.StreamShard, error) {
	shards, keys, err := b.existing(ctx, stream)
	if err != nil {
		return nil, err
	}
	n, err := b.members(ctx, keys, group)
	if err != nil {
		return nil, bare(ctx, err)
	}
	if n > 0 {
		return nil, &streamer.Error{Stream: stream, Kind: streamer.ErrBusy, Err: fmt.Errorf("group %q has %d members", group, n)}
	}
	var on []streamer.StreamShard
	for i, key := range keys {
		g, err := b.groupState(ctx, key, group)
		if err != nil {
			return nil, bare(ctx, err)
		}
		if g != nil {
			on = append(on, streamer.StreamShard{Stream: stream, Shard: shards[i]})
		}
	}
	if len(on) == 0 {
		return nil, &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: fmt.Errorf("group %q is not known", group)}
	}
	return on, nil
}

// ResetGroup implements streamer.Admin. An Each moves only the shards that it
// names.
func (b *backend) ResetGroup(ctx context.Context, stream, group string, to streamer.Position) error {
	on, err := b.idle(ctx, stream, group)
	if err != nil {
		return err
	}
	if k := to.Kind(); len(on) > 1 && (k == streamer.AtSeq || k == streamer.AfterSeq) {
		return fmt.Errorf("%w position: the stream has several shards: use Each", streamer.ErrInvalid)
	}
	for _, at := range on {
		p, ok := to.Of(at)
		if !ok || p.Kind() == streamer.AtCommitted {
			continue
		}
		states, err := b.inspect(ctx, b.cfg.key(at))
		if err != nil {
			return err
		}
		after, err := resolve(p, &states[0])
		if err != nil {
			return err
		}
		err = politely(ctx, func() error { return b.regroup(ctx, b.cfg.key(at), group, after) })
		if err != nil {
			return bare(ctx, err)
		}
	}
	return nil
}

// regroup makes a group begin after an id.
func (b *backend) regroup(ctx context.Context, key, group string, after id) error {
	pipe := b.client.TxPipeline()
	pipe.XGroupDestroy(ctx, key, group)
	pipe.XGroupCreateMkStream(ctx, key, group, after.String())
	return execute(ctx, pipe)
}

// DeleteGroup implements streamer.Admin.
func (b *backend) DeleteGroup(ctx context.Context, stream, group string) error {
	on, err := b.idle(ctx, stream, group)
	if err != nil {
		return err
	}
	for _, at := range on {
		err := politely(ctx, func() error { return b.client.XGroupDestroy(ctx, b.cfg.key(at), group).Err() })
		if err != nil && !errors.Is(err, redis.Nil) {
			return bare(ctx, err)
		}
	}
	return nil
}
