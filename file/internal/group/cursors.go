package group

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
)

// Cursors are cursors of one group: all, or those in the streams that a
// consumer reads.
type Cursors struct {
	Log  uint64 // when the log was created to which offsets refer
	Of   map[streamer.StreamShard]*Cursor
	seen map[string]int64 // by stream: the highest Seen of a cursor in that log
}

func newCursors(log uint64) *Cursors {
	return &Cursors{log, map[streamer.StreamShard]*Cursor{}, map[string]int64{}}
}

func (c *Cursors) add(at streamer.StreamShard, cur *Cursor) {
	c.Of[at] = cur
	seen := c.seen[at.Stream]
	if cur.Log == c.Log {
		seen = max(seen, cur.Seen)
	}
	c.seen[at.Stream] = seen
}

// enoughCursors of a stream say as well as all of them whether the group has
// begun there, and how far the stream was seen.
const enoughCursors = 8

// LoadSome loads, of the cursors that reads chooses, those that matter and some
// of the others. It returns a *DamagedError only for one that matters. log is
// when the log was created to which offsets refer.
func (g *Group) LoadSome(log uint64, reads, matters func(streamer.StreamShard) bool) (*Cursors, error) {
	list, err := g.List()
	if err != nil {
		return nil, err
	}
	others := map[string]int{}
	all := newCursors(log)
	for _, at := range list {
		if !reads(at) {
			continue
		}
		needed := matters(at)
		if !needed && (all.Of[Everywhere] != nil || others[at.Stream] >= enoughCursors) {
			continue
		}
		c, err := g.Load(at)
		if err != nil && (needed || errors.Is(err, disk.ErrDescriptors)) {
			return nil, err
		}
		if c != nil {
			all.add(at, c)
			others[at.Stream]++
		}
	}
	return all, nil
}

// Begun reports whether the group has a position in any shard of the stream. A
// shard without one is new then.
func (c *Cursors) Begun(stream string) bool {
	_, some := c.seen[stream]
	_, every := c.seen[EveryStream]
	return some || every
}

// SeenOf is an offset before which no shard of the stream without a position
// has anything to deliver.
func (c *Cursors) SeenOf(stream string) int64 { return max(c.seen[stream], c.seen[EveryStream]) }

// LoadAll loads the cursors of every group of the log at that path, for offsets
// in the log that was created then. It is nil when there is no group, or one
// whose cursors cannot be read.
func LoadAll(log string, created uint64) []*Cursors {
	dirs, err := os.ReadDir(Dir(log))
	if err != nil {
		return nil
	}
	var all []*Cursors
	for _, d := range dirs {
		dir := filepath.Join(Dir(log), d.Name())
		if info, err := os.Stat(dir); err == nil && !info.IsDir() {
			continue
		}
		c, err := positions(dir, created)
		if err != nil {
			return nil
		}
		if len(c.Of) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// positions loads every cursor of the group in a directory. A listing may lack
// the name of a cursor that is being replaced; it has that of the replacement
// then.
func positions(dir string, created uint64) (*Cursors, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := newCursors(created)
	for _, f := range files {
		name, replacing := strings.CutSuffix(f.Name(), replacement)
		at, ok := shardOf(name, cursorSuffix)
		if !ok {
			continue
		}
		c, err := LoadCursor(filepath.Join(dir, name))
		switch {
		case err != nil:
			return nil, err
		case c != nil:
			all.add(at, c)
		case !replacing:
			return nil, fs.ErrNotExist // the group is being removed
		}
	}
	return all, nil
}
