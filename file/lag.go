package file

import (
	"context"

	"github.com/gostreamer/streamer"
)

// Lag implements streamer.Lagger. A shard's messages are counted by their numbers, which rise by one in logs that this package and SeaStreamer
// write.
func (s *source) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	last, err := s.lastOf(ctx)
	if err != nil {
		return nil, about(s.place.path, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var lags []streamer.ShardLag
	for _, sh := range s.shards() {
		if sh.read {
			lags = append(lags, streamer.ShardLag{StreamShard: sh.StreamShard, Messages: sh.lag(last[sh.StreamShard])})
		}
	}
	return lags, nil
}

// lastOf is the last number of every shard that the end of the log tells of.
func (s *source) lastOf(ctx context.Context) (map[streamer.StreamShard]uint64, error) {
	v, err := openView(s.place.path)
	if err != nil || v == nil {
		return nil, err
	}
	defer v.close()
	e, err := v.ending(ctx)
	return e.last, err
}

// lag counts what is not committed or, without a group, not emitted.
func (sh *shard) lag(last uint64) int64 {
	done, some := sh.last, !sh.none
	last = max(last, done)
	if sh.saved != nil {
		return count(last, sh.saved.done, sh.saved.begun)
	}
	return count(last, done, some) + int64(sh.coming)
}

// count is how many numbers there are up to last behind done, or from the first one on.
func count(last, done uint64, some bool) int64 {
	if !some {
		done = 0
	}
	if last < done {
		return 0
	}
	return int64(min(last-done, 1<<62))
}
