package engine

import (
	"fmt"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

// inUse lists what a move to one position reads: the assigned set, or else
// every shard that is read now. A member of a group reads more after it has
// left the group; that is checked when the new session knows its shards.
func (c *consumer) inUse() []streamer.StreamShard {
	c.mu.Lock()
	var set []streamer.StreamShard
	for at := range c.set {
		set = append(set, at)
	}
	c.mu.Unlock()
	if len(set) > 0 {
		return set
	}
	return c.q.Load().s.assignment()
}

// oneShard refuses a sequence number for several shards.
func oneShard(n int) error {
	if n > 1 {
		return boundary.Invalid("a sequence number belongs to one shard and %d are in use: use Assign or Each", n)
	}
	return nil
}

// shardsFor is SourceConfig.Shards for a move: the assigned set, limited to the
// shards of an Each.
func (c *consumer) shardsFor(to streamer.Position) map[string][]streamer.ShardID {
	c.mu.Lock()
	defer c.mu.Unlock()
	shards := map[string][]streamer.ShardID{}
	add := func(at streamer.StreamShard) { shards[at.Stream] = append(shards[at.Stream], at.Shard) }
	switch {
	case to.Kind() == streamer.PerShard:
		for _, at := range to.Shards() {
			if len(c.set) == 0 || c.set[at] {
				add(at)
			}
		}
	case len(c.set) == 0:
		return nil
	default:
		for at := range c.set {
			add(at)
		}
	}
	for _, ids := range shards {
		slices.Sort(ids)
	}
	return shards
}

func (c *consumer) Assign(stream string, shards ...streamer.ShardID) error {
	if err := c.checkStream("assign", stream); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range shards {
		c.set[streamer.StreamShard{Stream: stream, Shard: id}] = true
	}
	return nil
}

func (c *consumer) Unassign(stream string, shards ...streamer.ShardID) error {
	if err := c.checkStream("unassign", stream); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range shards {
		if !c.set[streamer.StreamShard{Stream: stream, Shard: id}] {
			return c.wrap("unassign", fmt.Errorf("shard %v of %s is not assigned: %w", id, stream, streamer.ErrNotFound))
		}
	}
	for _, id := range shards {
		delete(c.set, streamer.StreamShard{Stream: stream, Shard: id})
	}
	return nil
}

// checkStream refuses a stream that the consumer was not opened on. Streams
// that a pattern matched are accepted.
func (c *consumer) checkStream(op, stream string) error {
	if c.isStopped() {
		return c.wrap(op, streamer.ErrClosed)
	}
	if err := c.fixed(); err != nil {
		return c.wrap(op, err)
	}
	if slices.Contains(c.o.Streams, stream) {
		return nil
	}
	for _, at := range c.q.Load().s.assignment() {
		if at.Stream == stream {
			return nil
		}
	}
	return c.wrap(op, fmt.Errorf("the consumer was not opened on stream %q: %w", stream, streamer.ErrNotFound))
}
