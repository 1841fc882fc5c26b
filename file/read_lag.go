package file

import (
	"context"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// Lag implements driver.Lagger. A shard's messages are counted by their
// numbers, which rise by one in logs that this package and SeaStreamer write.
// Shards that reading has not reached yet count, and the engine learns of them.
func (s *source) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	if err := s.census.enter(ctx); err != nil {
		return nil, err
	}
	defer s.census.leave()
	if err := s.count(ctx); err != nil {
		return nil, disk.About(s.location.path, err)
	}
	lags, found, err := s.lags()
	if err != nil || len(found) == 0 {
		return lags, err
	}
	if !s.shared() {
		s.cfg.Assigned(found)
		return lags, nil
	}
	if err := s.placed(ctx, found); err != nil {
		return nil, err
	}
	lags, _, err = s.lags()
	return lags, err
}

// count brings the census up to the end of the log.
func (s *source) count(ctx context.Context) error {
	v, err := logfile.OpenView(s.location.path)
	if err != nil {
		return err
	}
	if v == nil {
		s.census.clear()
		return nil
	}
	defer v.Close()
	s.mu.Lock()
	v.Src = s.log.through(v.Handle)
	s.mu.Unlock()
	return s.census.read(ctx, s, v)
}

// lags counts what is left of each shard that is read; found are those that
// reading has not reached, or has reached just now. ErrNotFound:
// another log has replaced the one that the census is of.
func (s *source) lags() (lags []streamer.ShardLag, found []streamer.StreamShard, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.census.of != nil && s.census.of != s.is {
		return nil, nil, notThere(s.location.path)
	}
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
			if !s.shared() { // else it has no owner before a process has taken it
				lags = append(lags, streamer.ShardLag{StreamShard: at, Messages: between(max(x.First, 1)-1, x.Last)})
			}
		}
	}
	return lags, append(found, s.fresh...), nil
}

// lag counts what is not committed or, without a group, not emitted. x is what
// was not emitted when the census began; nil: nothing.
func (sh *shard) lag(x *logfile.Extent) int64 {
	done, some, last, coming := sh.last, !sh.none, sh.last, int64(sh.coming)
	if sh.saved != nil {
		done, some, coming = sh.saved.Done, sh.saved.Begun, 0
	}
	if !some && sh.emitted {
		done, some = sh.from-min(sh.from, 1), true
	}
	if x != nil {
		last = max(last, x.Last)
		if !some {
			done = max(x.First, 1) - 1
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
