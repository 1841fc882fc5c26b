package engine_test

import (
	"context"
	"io"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// slabs is a backend whose stream ends after so many messages; each slab
// spreads evenly over the shards. It is its own source and costs no more than
// the slabs.
type slabs struct {
	shards, messages int
	batch            int
	next             []uint64 // by shard: sequence number
}

func (b *slabs) Name() string { return "slabs" }

func (b *slabs) OpenSink(context.Context, driver.SinkConfig) (driver.Sink, error) {
	return nil, streamer.ErrUnsupported
}

func (b *slabs) OpenSource(_ context.Context, c driver.SourceConfig) (driver.Source, error) {
	all := make([]streamer.StreamShard, b.shards)
	for i := range all {
		all[i] = streamer.StreamShard{Stream: "s", Shard: streamer.ShardID(i)}
	}
	c.Assigned(all)
	b.batch, b.next = c.MaxBatch, make([]uint64, b.shards)
	return b, nil
}

func (b *slabs) Fetch(_ context.Context, emit func([]streamer.Message)) error {
	n := min(b.messages, b.batch)
	if n == 0 {
		return io.EOF
	}
	b.messages -= n
	slab := make([]streamer.Message, n)
	for i := range slab {
		shard := i * b.shards / n
		b.next[shard]++
		slab[i].Meta = streamer.Meta{Stream: "s", Shard: streamer.ShardID(shard), Seq: streamer.SeqUint(b.next[shard])}
	}
	emit(slab)
	return nil
}

func (b *slabs) CommitCursors(context.Context, []driver.Mark) error { return nil }

func (b *slabs) Close(context.Context) error { return nil }
