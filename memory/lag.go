package memory

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
)

// Lag implements driver.Lagger. Time is the age of the first message that is
// not done.
func (s *source) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	v, err := s.log.faults.strike(ctx, Control, coversStream(s.cfg.Streams))
	if err != nil {
		return nil, err
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	now := time.Now()
	coming := s.coming()
	var lags []streamer.ShardLag
	for _, name := range s.cfg.Streams {
		sub := s.subs[name]
		for _, c := range sub.cursors {
			if c == nil {
				continue
			}
			if pl := sub.place(c.shard.id); pl != nil {
				lags = append(lags, c.shard.lag(pl.committed(), pl.lag(c.shard), now))
				continue
			}
			at := c.next
			if seq, some := coming[c.shard.at()]; some {
				at = min(at, seq)
			}
			at = max(at, c.shard.first)
			lags = append(lags, c.shard.lag(at, int64(c.shard.next-at), now))
		}
	}
	return lags, nil
}

// coming is, of each shard of which Fetch has taken messages and not emitted
// them yet, the first of those. mu is held.
func (s *source) coming() map[streamer.StreamShard]uint64 {
	first := make(map[streamer.StreamShard]uint64, len(s.spans))
	for _, sp := range s.spans {
		if _, some := first[sp.StreamShard]; !some {
			first[sp.StreamShard] = sp.seq
		}
	}
	return first
}

// lag is a reader's who has n messages to go, from seq on.
func (sh *shard) lag(seq uint64, n int64, now time.Time) streamer.ShardLag {
	lag := streamer.ShardLag{StreamShard: sh.at(), Messages: n}
	if run := sh.run(max(seq, sh.first), 1); n > 0 && len(run) > 0 {
		lag.Time = max(0, now.Sub(run[0].at))
	}
	return lag
}
