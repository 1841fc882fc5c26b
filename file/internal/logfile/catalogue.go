package logfile

import (
	"context"
	"maps"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// Catalogue is what reading a log tells of its streams: only that finds every
// one, see recovery.
type Catalogue struct {
	End      int64 // where to read on
	Streams  map[string]map[streamer.ShardID]*Extent
	Declared map[string]int

	last   *Extent // of the last message: those of one shard mostly come in a row
	lastAt streamer.StreamShard
}

// Extent is the first and the highest number of a shard, and in a census where
// the first message is.
type Extent struct {
	First, Last uint64
	Offset      int64
}

// NewCatalogue is one of what lies behind an offset.
func NewCatalogue(from int64) *Catalogue {
	return &Catalogue{End: from, Streams: map[string]map[streamer.ShardID]*Extent{}, Declared: map[string]int{}}
}

// Read adds what lies behind the end of what was read before.
func (c *Catalogue) Read(ctx context.Context, v *View) error {
	r := v.Reader()
	r.SeekTo(c.End)
	r.declared = func(d Declaration) { c.Declared[d.Stream] = d.Shards }
	r.carried = c.carried
	err := r.Each(ctx, func(m *Entry, damaged bool) bool {
		c.see(m, damaged)
		return true
	})
	c.End = r.UpTo
	return err
}

// see adds a message. One that is damaged counts where its shard is known: its
// number is used up.
func (c *Catalogue) see(m *Entry, damaged bool) {
	if c.last == nil || c.lastAt.Stream != string(m.Key) || c.lastAt.Shard != streamer.ShardID(m.Shard) {
		c.lastAt = ShardOf(&m.Frame)
		c.last = c.Extent(c.lastAt)
	}
	if c.last == nil && !damaged {
		c.last = &Extent{First: m.Seq, Last: m.Seq}
		c.put(c.lastAt, c.last)
	}
	if c.last != nil {
		c.last.Last = max(c.last.Last, m.Seq)
	}
}

// Extent is a shard's; nil where it has no message.
func (c *Catalogue) Extent(at streamer.StreamShard) *Extent { return c.Streams[at.Stream][at.Shard] }

func (c *Catalogue) put(at streamer.StreamShard, x *Extent) {
	of := c.Streams[at.Stream]
	if of == nil {
		of = map[streamer.ShardID]*Extent{}
		c.Streams[at.Stream] = of
	}
	of[at.Shard] = x
}

// carried makes known the shards of which the log has no message left.
func (c *Catalogue) carried(items []ss.Item) {
	for _, i := range items {
		where := streamer.StreamShard{Stream: i.Key, Shard: streamer.ShardID(i.Shard)}
		if c.Extent(where) == nil {
			c.put(where, &Extent{First: NextSeq(i.Seq), Last: i.Seq})
		}
	}
}

// Exists reports whether a stream was declared or has messages.
func (c *Catalogue) Exists(stream string) bool {
	return c.Declared[stream] > 0 || len(c.Streams[stream]) > 0
}

// ShardsOf lists a stream's shards: those that have messages, those it was
// declared with, and those that are configured.
func (c *Catalogue) ShardsOf(stream string, configured int) []streamer.ShardID {
	all := map[streamer.ShardID]bool{}
	for i := range max(configured, c.Declared[stream]) {
		all[streamer.ShardID(i)] = true
	}
	for id := range c.Streams[stream] {
		all[id] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// Has reports whether a shard exists.
func (c *Catalogue) Has(at streamer.StreamShard) bool {
	return c.Extent(at) != nil || uint64(at.Shard) < uint64(c.Declared[at.Stream])
}
