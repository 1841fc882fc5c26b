package file

import (
	"context"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// catalogue is what reading a log tells of its streams: only that finds every
// one, see recovery.
type catalogue struct {
	end      int64 // where to read on
	streams  map[string]map[streamer.ShardID]*extent
	declared map[string]int

	last   *extent // of the last message: those of one shard mostly come in a row
	lastAt streamer.StreamShard
}

// extent is the first and the highest number of a shard, and in a census where
// the first message is.
type extent struct {
	first, last uint64
	offset      int64
}

// newCatalogue is one of what lies behind an offset.
func newCatalogue(from int64) *catalogue {
	return &catalogue{end: from, streams: map[string]map[streamer.ShardID]*extent{}, declared: map[string]int{}}
}

// read adds what lies behind the end of what was read before.
func (c *catalogue) read(ctx context.Context, v *view) error {
	r := v.reader()
	r.moveTo(c.end)
	r.declared = func(d declaration) { c.declared[d.stream] = d.shards }
	r.carried = c.carried
	err := r.each(ctx, func(m *entry, damaged bool) bool {
		c.see(m, damaged)
		return true
	})
	c.end = r.upTo
	return err
}

// see adds a message. One that is damaged counts where its shard is known: its
// number is used up.
func (c *catalogue) see(m *entry, damaged bool) {
	if c.last == nil || c.lastAt.Stream != string(m.Key) || c.lastAt.Shard != streamer.ShardID(m.Shard) {
		c.lastAt = at(&m.Frame)
		c.last = c.extent(c.lastAt)
	}
	if c.last == nil && !damaged {
		c.last = &extent{first: m.Seq, last: m.Seq}
		c.put(c.lastAt, c.last)
	}
	if c.last != nil {
		c.last.last = max(c.last.last, m.Seq)
	}
}

// extent is a shard's; nil where it has no message.
func (c *catalogue) extent(at streamer.StreamShard) *extent { return c.streams[at.Stream][at.Shard] }

func (c *catalogue) put(at streamer.StreamShard, x *extent) {
	of := c.streams[at.Stream]
	if of == nil {
		of = map[streamer.ShardID]*extent{}
		c.streams[at.Stream] = of
	}
	of[at.Shard] = x
}

// carried makes known the shards of which the log has no message left.
func (c *catalogue) carried(items []ss.Item) {
	for _, i := range items {
		where := streamer.StreamShard{Stream: i.Key, Shard: streamer.ShardID(i.Shard)}
		if c.extent(where) == nil {
			c.put(where, &extent{first: next(i.Seq), last: i.Seq})
		}
	}
}

// exists says whether a stream was declared or has messages.
func (c *catalogue) exists(stream string) bool {
	return c.declared[stream] > 0 || len(c.streams[stream]) > 0
}
