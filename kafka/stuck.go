package kafka

import (
	"context"
	"math/bits"
	"time"

	"github.com/gostreamer/streamer"
)

const (
	// glimpse is how often the shards are looked through for those that stand
	// still, and how soon a damaged batch is noticed which the client does not
	// report.
	glimpse = time.Second
	// restful is after how many of these a shard that is idle is looked at each
	// time.
	restful = 10
	// glimpseTime bounds one look.
	glimpseTime = 5 * time.Second
)

// still counts how often a shard was found where it was. It is the watcher's.
type still struct {
	next  int64
	times uint
}

// inspect looks at the shards that do not move: a second after the latest
// record, then after 2, 4 and 8 seconds, then every ten.
func (s *source) inspect(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, glimpseTime)
	defer cancel()
	for leader, from := range s.unmoved() {
		all, err := s.ask(bounded, leader, from, 1)
		if err != nil {
			continue // reading says why
		}
		for at, got := range all {
			if got.ErrorCode == 0 && len(got.RecordBatches) == 0 && s.finish(got) <= from[at] {
				continue
			}
			if f, err := s.examine(bounded, at, from[at]); err == nil && f.damage != nil {
				s.suspect(at, nil)
			}
		}
	}
	return nil
}

// unmoved are the shards to look at, by their leader.
func (s *source) unmoved() map[int32]map[streamer.StreamShard]int64 {
	now := s.positions()
	due := make(map[int32]map[streamer.StreamShard]int64)
	for at, p := range now {
		next := p.offset
		if next == unresolved {
			continue
		}
		was, known := s.stills[at]
		if !known || was.next != next {
			s.stills[at] = still{next: next}
			continue
		}
		was.times++
		s.stills[at] = was
		if bits.OnesCount(was.times) > 1 && was.times%restful != 0 || was.times > restful && was.times%restful != 0 {
			continue
		}
		leader, _, err := s.cl.PartitionLeader(at.Stream, partitionOf(at.Shard))
		if err != nil || leader < 0 {
			continue
		}
		if due[leader] == nil {
			due[leader] = make(map[streamer.StreamShard]int64)
		}
		due[leader][at] = next
	}
	for at := range s.stills {
		if _, ours := now[at]; !ours {
			delete(s.stills, at)
		}
	}
	return due
}
