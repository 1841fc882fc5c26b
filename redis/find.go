package redis

import (
	"context"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
)

// scanEvery is how often all keys are looked through for shards, where numbers
// may have gaps.
const scanEvery = 30 * time.Second

// find looks for shards that are new, where the server is to tell which there
// are. They are read from their beginning.
func (s *source) find(ctx context.Context) error {
	if s.b.cfg.Shards != ShardsAuto || time.Since(s.found) < findEvery {
		return nil
	}
	s.found = time.Now()
	whole := time.Since(s.scanned) >= scanEvery
	if whole {
		s.scanned = s.found
	}
	grown := false
	for _, stream := range s.cfg.Streams {
		ids, err := s.newShards(ctx, stream, whole)
		if err != nil {
			break // reading says it better
		}
		for _, n := range ids {
			ok, err := s.adopt(ctx, streamer.StreamShard{Stream: stream, Shard: n})
			switch {
			case err != nil && ctx.Err() == nil && !isOutage(err):
				return translate(err)
			case err != nil:
				s.cfg.Retrying("open", translate(err), findEvery)
			}
			grown = grown || ok
		}
	}
	if grown {
		s.announce()
	}
	return ctx.Err()
}

// newShards lists those that are not read yet: the next numbers, or, when it is
// time for the whole, all.
func (s *source) newShards(ctx context.Context, stream string, whole bool) ([]streamer.ShardID, error) {
	known := map[streamer.ShardID]bool{}
	next := streamer.ShardID(0)
	for _, sh := range s.all() {
		if sh.Stream == stream {
			known[sh.Shard] = true
			if sh.Shard != PlainShard {
				next = max(next, sh.Shard+1)
			}
		}
	}
	var ids []streamer.ShardID
	var err error
	if whole {
		ids, err = s.b.discover(ctx, stream)
	} else {
		ids, err = s.b.probe(ctx, stream, next)
	}
	return slices.DeleteFunc(ids, func(n streamer.ShardID) bool { return known[n] }), err
}

// adopt begins to read a shard that appeared, if it is to be read.
func (s *source) adopt(ctx context.Context, at streamer.StreamShard) (bool, error) {
	start, ok := s.cfg.StartOf(at)
	if !ok {
		return false, nil
	}
	if start.Kind() == streamer.AtCommitted {
		if _, ok, err := s.cfg.FirstOf(at); !ok && err == nil {
			return false, nil
		}
	}
	sh := s.newShard(at)
	if s.grouped() {
		states, err := s.b.inspect(ctx, sh.key)
		if err != nil {
			return false, err
		}
		g, err := s.b.groupState(ctx, sh.key, s.group)
		if err != nil {
			return false, err
		}
		if err := s.enterGroup(ctx, sh, &states[0], g, entrance{}); err != nil {
			return false, err
		}
	}
	s.mu.Lock()
	s.shards = append(s.shards, sh)
	s.mu.Unlock()
	return true, nil
}
