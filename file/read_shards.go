package file

import (
	"slices"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// shardTable is what a source knows of the shards of its log. Fetch changes it
// with mu held and reads it without; others hold mu.
type shardTable struct {
	mu sync.Mutex

	streams map[string]map[streamer.ShardID]*shard
	fresh   []streamer.StreamShard // that reading has found and the engine need not know yet
	turned  int                    // how often what is read has changed: shards came and went, or another log replaced it
	unknown start                  // of shards that were not known when the source was opened
	seen    int64                  // everything before this offset was emitted or skipped
	coming  []*shard               // that have messages in a slab which is being emitted
	is      *identity              // another one for each log that is opened
}

// shard is what a source knows of one shard.
type shard struct {
	streamer.StreamShard
	read  bool  // else it is skipped
	open  bool  // its first message was found: all that follow are delivered
	start start // where that is

	last    uint64 // the highest number emitted or, before that, skipped
	none    bool   // nothing was: last means nothing
	from    uint64 // the first number emitted, if emitted
	emitted bool
	cut     bool // segments were dropped that were not read yet: its next message may not be the next one

	lane

	trail trail         // emitted and not committed, in order; groups only
	saved *group.Cursor // as it is in its file; nil when the shard is not this source's; groups only
	first *group.Cursor // as it was when the source began; groups only

	slot, count int // of the batch that is being made
	coming      int // messages of the slab that is being emitted: last counts them already
}

// step is where a message lies.
type step struct {
	seq          uint64
	start, frame int64
}

// start says which message of a shard is delivered first.
type start struct {
	at  streamer.Position // AtBeginning, AtEnd, AtSeq, AfterSeq or AtOrAfterTime
	end int64             // from this offset on any message is: what is out of range means the nearest end
}

// begins reports whether e is, or comes after, the first message.
func (s *start) begins(e *logfile.Entry) bool {
	if e.Start >= s.end {
		return true
	}
	switch s.at.Kind() {
	case streamer.AtBeginning:
		return true
	case streamer.AtSeq:
		return streamer.SeqUint(e.Seq).Compare(s.at.Seq()) >= 0
	case streamer.AfterSeq:
		return streamer.SeqUint(e.Seq).Compare(s.at.Seq()) > 0
	case streamer.AtOrAfterTime:
		return late(e.Time, s.at.Time().UnixMilli())
	}
	return false
}

// late reports whether a message's time is not before ms, which may be before
// 1970.
func late(at uint64, ms int64) bool { return ms <= 0 || at >= uint64(ms) }

// add makes a shard known. mu is held, or the source is not yet in use.
func (t *shardTable) add(at streamer.StreamShard) *shard {
	of := t.streams[at.Stream]
	if of == nil {
		of = map[streamer.ShardID]*shard{}
		t.streams[at.Stream] = of
	}
	if of[at.Shard] == nil {
		of[at.Shard] = newShard(at)
	}
	return of[at.Shard]
}

// shards lists the known ones in order.
func (t *shardTable) shards() []*shard {
	var all []*shard
	for _, of := range t.streams {
		for _, sh := range of {
			all = append(all, sh)
		}
	}
	slices.SortFunc(all, func(a, b *shard) int { return streamer.StreamShard.Compare(a.StreamShard, b.StreamShard) })
	return all
}

func (t *shardTable) assigned() []streamer.StreamShard {
	var all []streamer.StreamShard
	for _, sh := range t.shards() {
		if sh.read {
			all = append(all, sh.StreamShard)
		}
	}
	return all
}

// newShard is one of which nothing is known, and which is not read.
func newShard(at streamer.StreamShard) *shard {
	return &shard{StreamShard: at, none: true, lane: lane{behind: onPar}}
}

// reading reports whether any shard is read.
func (t *shardTable) reading() bool {
	for _, of := range t.streams {
		for _, sh := range of {
			if sh.read {
				return true
			}
		}
	}
	return false
}
