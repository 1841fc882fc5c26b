package file

import (
	"errors"

	"github.com/gostreamer/streamer"
)

// cursors are positions of a group: all, or those in the streams that a source
// reads.
type cursors struct {
	log  uint64 // the log that offsets are asked about
	of   map[streamer.StreamShard]*cursor
	seen map[string]int64 // of each stream that has a position, the highest seen of one in that log
}

func newCursors(log uint64) *cursors {
	return &cursors{log, map[streamer.StreamShard]*cursor{}, map[string]int64{}}
}

func (c *cursors) add(at streamer.StreamShard, cur *cursor) {
	c.of[at] = cur
	seen := c.seen[at.Stream]
	if cur.log == c.log {
		seen = max(seen, cur.seen)
	}
	c.seen[at.Stream] = seen
}

// enoughCursors of a stream say as well as all that it is begun, and how far it
// was seen.
const enoughCursors = 8

// loadCursors loads the positions that matter in the streams that are read, and
// some of the others. One that is damaged is an error if it matters.
func (s *source) loadCursors(matters func(streamer.StreamShard) bool) (*cursors, error) {
	list, err := s.group.list()
	if err != nil {
		return nil, err
	}
	others := map[string]int{}
	all := newCursors(s.header.Created)
	for _, at := range list {
		if at.Stream != wildcard && !s.wants(at.Stream) || at.Stream == wildcard && !s.wild() {
			continue
		}
		needed := matters(at)
		if !needed && (all.of[everywhere] != nil || others[at.Stream] >= enoughCursors) {
			continue
		}
		c, err := s.group.load(at)
		if err != nil && (needed || errors.Is(err, ErrDescriptors)) {
			return nil, err
		}
		if c != nil {
			all.add(at, c)
			others[at.Stream]++
		}
	}
	return all, nil
}

// begun says whether the group has a position in any shard of the stream: then
// a shard without one is new.
func (c *cursors) begun(stream string) bool {
	_, some := c.seen[stream]
	_, every := c.seen[wildcard]
	return some || every
}

// seenOf is an offset before which no shard of the stream without a position
// has anything to deliver.
func (c *cursors) seenOf(stream string) int64 { return max(c.seen[stream], c.seen[wildcard]) }
