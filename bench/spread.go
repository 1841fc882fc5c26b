package main

import (
	"context"
	"io"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// spread is a log whose one shard is read as if each fetch found a few messages
// in each of many, and which ends after so many messages. Progress is not kept,
// as there is nothing to come back to.
type spread struct {
	driver.Backend
	shards   int
	messages int
	begin    chan struct{} // closed when the clock runs: nothing is fetched before
}

type spreadSource struct {
	inner driver.Source
	left  int
	next  []uint64 // by shard: sequence number
	begin <-chan struct{}
}

func (s *spread) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	assigned := c.Assigned
	c.Assigned = func([]streamer.StreamShard) {}
	c.Mode, c.Group, c.Start = streamer.RealTime, "", streamer.Beginning()
	inner, err := s.Backend.OpenSource(ctx, c)
	if err != nil {
		return nil, err
	}
	all := make([]streamer.StreamShard, s.shards)
	for i := range all {
		all[i] = streamer.StreamShard{Stream: streamName, Shard: streamer.ShardID(i)}
	}
	assigned(all)
	return &spreadSource{inner: inner, left: s.messages, next: make([]uint64, s.shards), begin: s.begin}, nil
}

func (s *spreadSource) Fetch(ctx context.Context, emit func([]streamer.Message)) error {
	select {
	case <-s.begin:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.left == 0 {
		return io.EOF
	}
	return s.inner.Fetch(ctx, func(slab []streamer.Message) {
		s.left -= len(slab)
		s.renumber(slab)
		emit(slab)
	})
}

// renumber deals the slab to the shards, each getting a run of neighbours.
func (s *spreadSource) renumber(slab []streamer.Message) {
	for i := range slab {
		shard := i * len(s.next) / len(slab)
		slab[i].Shard, slab[i].Seq = streamer.ShardID(shard), streamer.SeqUint(s.next[shard])
		s.next[shard]++
	}
}

func (s *spreadSource) Close(ctx context.Context) error { return s.inner.Close(ctx) }

// CommitCursors implements driver.CursorCommitter.
func (s *spreadSource) CommitCursors(context.Context, []driver.Mark) error { return nil }
