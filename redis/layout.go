package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

// A stream is the key of its name, or, where shards are numbered, the keys
// name:0, name:1 and so on.

// numbered says whether shards have numbers.
func (c *Config) numbered() bool { return c.Shards > 0 || c.Shards == ShardsAuto }

// key is where a shard lies.
func (c *Config) key(at streamer.StreamShard) string {
	if !c.numbered() || at.Shard == PlainShard {
		return at.Stream
	}
	return at.Stream + ":" + strconv.FormatUint(uint64(at.Shard), 10)
}

// cutShard takes the shard's number off a key; ok is false for a key without.
func cutShard(key string) (stream string, shard streamer.ShardID, ok bool) {
	i := strings.LastIndexByte(key, ':')
	if i < 1 {
		return key, 0, false
	}
	digits := key[i+1:]
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || len(digits) > 1 && digits[0] == '0' || digits[0] == '+' || streamer.ShardID(n) == PlainShard {
		return key, 0, false
	}
	return key[:i], streamer.ShardID(n), true
}

// shards lists the shards of a stream as the layout has them, in order; none
// where the stream does not exist.
func (b *backend) shards(ctx context.Context, stream string) ([]streamer.ShardID, error) {
	if b.cfg.Shards == ShardsAuto {
		return b.discover(ctx, stream)
	}
	all := b.cfg.allShards()
	found, err := b.exist(ctx, b.keys(stream, all)...)
	if err != nil {
		return nil, err
	}
	if slices.Contains(found, true) {
		return all, nil
	}
	if b.cfg.Shards == 0 {
		return nil, b.refuseNumbered(ctx, stream)
	}
	return nil, nil
}

// allShards are those of every stream, where discovery does not tell.
func (c *Config) allShards() []streamer.ShardID {
	all := make([]streamer.ShardID, max(c.Shards, 1))
	for i := range all {
		all[i] = streamer.ShardID(i)
	}
	return all
}

func (b *backend) keys(stream string, shards []streamer.ShardID) []string {
	keys := make([]string, len(shards))
	for i, s := range shards {
		keys[i] = b.cfg.key(streamer.StreamShard{Stream: stream, Shard: s})
	}
	return keys
}

// probed is how many numbers are tried beyond the last one that exists.
const probed = 8

// refuseNumbered explains why a stream seems to be missing whose shards are
// numbered.
func (b *backend) refuseNumbered(ctx context.Context, stream string) error {
	found, err := b.probe(ctx, stream, 0)
	if err != nil || len(found) == 0 {
		return err
	}
	return &streamer.Error{Stream: stream, Kind: streamer.ErrInvalid, Err: fmt.Errorf("there is no key %q, and there is %q: its shards are numbered, "+
		"want shards=auto or their number, or shards=none for one key", stream, b.numberedKey(stream, found[0]))}
}

// probe looks for the shards from one number on, up to a gap.
func (b *backend) probe(ctx context.Context, stream string, from streamer.ShardID) ([]streamer.ShardID, error) {
	var found []streamer.ShardID
	for {
		keys := make([]string, probed)
		for i := range keys {
			keys[i] = b.numberedKey(stream, from+streamer.ShardID(i))
		}
		there, err := b.exist(ctx, keys...)
		if err != nil {
			return nil, ignoreWrongType(err)
		}
		before := len(found)
		for i := range there {
			if there[i] {
				found = append(found, from+streamer.ShardID(i))
			}
		}
		if len(found) == before {
			return found, nil
		}
		from += probed
	}
}

// ignoreWrongType: a key that looks like a shard and is none is not in the way.
func ignoreWrongType(err error) error {
	if code(err) == "WRONGTYPE" {
		return nil
	}
	return err
}

func (b *backend) numberedKey(stream string, n streamer.ShardID) string {
	return stream + ":" + strconv.FormatUint(uint64(n), 10)
}

// discover finds a stream's keys on every master: the numbered ones, and the
// plain one as PlainShard.
func (b *backend) discover(ctx context.Context, stream string) ([]streamer.ShardID, error) {
	there, err := b.exist(ctx, stream)
	if err != nil && code(err) != "WRONGTYPE" {
		return nil, err
	}
	found := map[streamer.ShardID]bool{}
	if err == nil && there[0] {
		found[PlainShard] = true
	}
	keys, err := b.scan(ctx, escapeGlob(stream)+":*")
	if isNotPermitted(err) {
		ids, err := b.probe(ctx, stream, 0)
		for _, n := range ids {
			found[n] = true
		}
		return slices.Sorted(maps.Keys(found)), err
	}
	for _, key := range keys {
		if name, n, ok := cutShard(key); ok && name == stream {
			found[n] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), err
}

// scanCount is how many keys the server looks at per round trip.
const scanCount = 1000

// scan lists the streams whose keys match, on every master.
func (b *backend) scan(ctx context.Context, pattern string) ([]string, error) {
	var mu sync.Mutex
	var all []string
	err := b.eachMaster(ctx, func(ctx context.Context, node redis.Cmdable) error {
		iter := node.ScanType(ctx, 0, pattern, scanCount, "stream").Iterator()
		for iter.Next(ctx) {
			mu.Lock()
			all = append(all, iter.Val())
			mu.Unlock()
		}
		return iter.Err()
	})
	slices.Sort(all)
	return slices.Compact(all), bare(ctx, err)
}

func (b *backend) eachMaster(ctx context.Context, f func(context.Context, redis.Cmdable) error) error {
	cluster, ok := b.cluster()
	if !ok {
		return f(ctx, b.client)
	}
	return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return f(ctx, node) })
}

// escapeGlob makes a pattern that matches s alone.
func escapeGlob(s string) string {
	return globEscaper.Replace(s)
}

var globEscaper = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`, "^", `\^`, `\`, `\\`)
