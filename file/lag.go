package file

import (
	"context"

	"github.com/gostreamer/streamer"
)

// Lag implements streamer.Lagger. A shard's messages are counted by their
// numbers, which rise by one in logs that this package and SeaStreamer write.
// Shards that reading has not come to yet count, and the engine learns of them.
func (s *source) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	if err := s.census.enter(ctx); err != nil {
		return nil, err
	}
	defer s.census.leave()
	if err := s.count(ctx); err != nil {
		return nil, about(s.log.path, err)
	}
	lags, found := s.lags()
	if len(found) == 0 {
		return lags, nil
	}
	if s.keeper == nil {
		s.cfg.Assigned(found)
		return lags, nil
	}
	if err := s.keeper.place(ctx, found); err != nil {
		return nil, err
	}
	lags, _ = s.lags()
	return lags, nil
}

// count brings the census up to the end of the log.
func (s *source) count(ctx context.Context) error {
	v, err := s.log.view()
	if err != nil || v == nil {
		return err
	}
	defer v.close()
	return s.census.read(ctx, s, &v.view)
}

// lags counts what is left of each shard that is read; found are those that
// reading has not come to, or that it has come to just now.
func (s *source) lags() (lags []streamer.ShardLag, found []streamer.StreamShard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.streams {
		for _, sh := range of {
			if sh.read {
				lags = append(lags, streamer.ShardLag{StreamShard: sh.StreamShard, Messages: sh.lag(s.census.streams[sh.Stream][sh.Shard])})
			}
		}
	}
	for stream, of := range s.census.streams {
		for id, x := range of {
			at := streamer.StreamShard{Stream: stream, Shard: id}
			if _, read := s.startOf(at); !read || !s.all || s.streams[stream][id] != nil {
				continue
			}
			found = append(found, at)
			if s.keeper == nil { // else it is nobody's before a process has taken it
				lags = append(lags, streamer.ShardLag{StreamShard: at, Messages: between(max(x.first, 1)-1, x.last)})
			}
		}
	}
	return lags, append(found, s.fresh...)
}

// lag counts what is not committed or, without a group, not emitted. x is what
// was not emitted when the census began; nil: nothing.
func (sh *shard) lag(x *extent) int64 {
	done, some, last, coming := sh.last, !sh.none, sh.last, int64(sh.coming)
	if sh.saved != nil {
		done, some, coming = sh.saved.done, sh.saved.begun, 0
	}
	if !some && sh.emitted {
		done, some = sh.from-min(sh.from, 1), true
	}
	if x != nil {
		last = max(last, x.last)
		if !some {
			done = max(x.first, 1) - 1
		}
	}
	return between(done, last) + coming
}

// between is how many numbers there are behind done up to last.
func between(done, last uint64) int64 {
	if last < done {
		return 0
	}
	return int64(min(last-done, 1<<62))
}
