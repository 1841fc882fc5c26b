package file

import (
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
)

// claim is what a source has of its group: the files, the locks on shards and,
// where processes share it, a seat.
type claim struct {
	committing sync.Mutex // held by commits and rounds, and while the log is exchanged: then the rest, and saved of each shard, are the holder's

	group    *group.Group // nil in RealTime
	seat     *group.Seat  // nil unless several processes may share the group, and when it was given up
	unlocked bool         // the group was removed, and not all of its locks are taken again

	// mine are the shards that this process owns of a group that several share,
	// also before they are read. It changes with mu held as well.
	mine map[streamer.StreamShard]*shard
}

// whole reports whether the group's files are those that other processes find.
// committing is held.
func (c *claim) whole() bool {
	return !c.unlocked && c.group.Intact() && (c.seat == nil || c.seat.Intact())
}

// resign gives up the process's seat, and keeps the shards that it has: nothing
// more will be read here.
func (c *claim) resign() {
	c.committing.Lock()
	defer c.committing.Unlock()
	if c.seat != nil {
		c.seat.Leave()
		c.seat = nil
	}
}

// takeFrom makes what other has the claim's own. The committing of both is
// held, or they are not in use.
func (c *claim) takeFrom(other *claim) {
	c.group, c.seat, c.mine, c.unlocked = other.group, other.seat, other.mine, other.unlocked
}
