package memory

import (
	"github.com/gostreamer/streamer"
)

// subscription is one stream that a source reads.
type subscription struct {
	src      *source
	stream   *stream
	progress *progress // the group's; nil in RealTime
	cursors  []*cursor // by shard; nil where it is not read, or not by this source
	skip     map[streamer.ShardID]bool
}

func (sub *subscription) place(id streamer.ShardID) *place {
	if sub.progress == nil {
		return nil
	}
	return &sub.progress.places[id]
}

func (sub *subscription) window(id streamer.ShardID) *window {
	if sub.progress == nil {
		return nil
	}
	return sub.progress.places[id].window
}

func (sub *subscription) cursor(id streamer.ShardID) *cursor {
	if id >= streamer.ShardID(len(sub.cursors)) {
		return nil
	}
	return sub.cursors[id]
}

// reserve makes room for the cursors of shards that were added.
func (sub *subscription) reserve() {
	if n := len(sub.stream.shards) - len(sub.cursors); n > 0 {
		sub.cursors = append(sub.cursors, make([]*cursor, n)...)
	}
}

// claim says whether the source should read the shard now, and makes it the
// owner where there is one.
func (sub *subscription) claim(id streamer.ShardID) bool {
	s, pl := sub.src, sub.place(id)
	switch {
	case s.expelled || sub.stream.deleted || sub.skip[id]:
		return false
	case pl == nil || s.shared():
		return true
	case pl.withheld || s.cfg.Mode == streamer.LoadBalanced && pl.plan != s:
		return false
	case pl.owner == nil:
		pl.owner = s
	}
	return pl.owner == s
}

// owns says whether the source may still commit in the shard.
func (sub *subscription) owns(id streamer.ShardID) bool {
	pl := sub.place(id)
	return !sub.stream.deleted && !sub.src.expelled && (pl == nil || sub.src.shared() || pl.owner == sub.src)
}

// drop forgets the cursor and gives the shard up.
func (sub *subscription) drop(id streamer.ShardID) {
	sub.cursors[id].unlisten()
	sub.cursors[id] = nil
	sub.giveUp(id)
}

func (sub *subscription) giveUp(id streamer.ShardID) {
	pl := sub.place(id)
	if pl == nil {
		return
	}
	if pl.owner == sub.src {
		pl.owner = nil
	}
	if pl.window != nil {
		pl.window.releaseAll(sub.src.id)
		sub.stream.shards[id].offer()
	}
}

// vacate gives every shard up.
func (sub *subscription) vacate() {
	for i, c := range sub.cursors {
		if c != nil {
			sub.drop(streamer.ShardID(i))
		}
	}
	for i := range sub.stream.shards {
		sub.giveUp(streamer.ShardID(i))
	}
}

// follow moves to the stream's next life, whose messages are all new.
func (sub *subscription) follow() {
	s, next := sub.src, sub.src.log.streams[sub.stream.name]
	if !s.always || next == nil || next == sub.stream || !sub.idle() {
		return
	}
	sub.stream, sub.cursors, sub.skip = next, nil, nil
	if s.group == nil {
		return
	}
	if next.groups[s.group.name] == nil {
		p := newProgress(s.acks, len(next.shards))
		for i, sh := range next.shards {
			p.commit(streamer.ShardID(i), sh.first)
		}
		next.groups[s.group.name] = p
	}
	sub.progress = next.groups[s.group.name]
	s.group.rebalance()
}

// idle says that no cursor is left.
func (sub *subscription) idle() bool {
	for _, c := range sub.cursors {
		if c != nil {
			return false
		}
	}
	return true
}
