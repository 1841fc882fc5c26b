package file

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// retention says of which segments every group has done everything. The zero
// value has no group, and nothing is done.
type retention struct {
	dir    string
	groups []*group.Cursors
}

// of reports whether every group has done the segment at base, whose successor
// begins at next. What a segment holds is the difference between what it and
// its successor carry.
func (p *retention) of(base, next int64) bool {
	if len(p.groups) == 0 {
		return false
	}
	before, err := carryOf(p.dir, base)
	if err != nil {
		return false
	}
	after, err := carryOf(p.dir, next)
	if err != nil {
		return false
	}
	had := map[streamer.StreamShard]uint64{}
	for _, i := range before {
		had[itemShard(i)] = i.Seq
	}
	for _, i := range after {
		if seq, ok := had[itemShard(i)]; ok && seq == i.Seq {
			continue
		}
		for _, g := range p.groups {
			if g.Begun(i.Key) && !passed(g, i, next) {
				return false
			}
		}
	}
	return true
}

func itemShard(i ss.Item) streamer.StreamShard {
	return streamer.StreamShard{Stream: i.Key, Shard: streamer.ShardID(i.Shard)}
}

// passed reports whether a group has done a shard up to the message that i
// names, which is the shard's last before offset end. A shard without a
// position is read from its beginning when a member takes it: it is not done,
// unless the group knows that it had nothing there.
func passed(c *group.Cursors, i ss.Item, end int64) bool {
	cur := c.Of[itemShard(i)]
	switch {
	case cur == nil:
		return end <= c.SeenOf(i.Key)
	case cur.Log != c.Log:
		return false
	case cur.Begun:
		return cur.Done >= i.Seq
	}
	return end <= cur.Resume
}

var errNoCarry = errors.New("the segment does not begin with what those before it had")

// carryOf reads what a segment begins with: the last number of each shard
// before it. Nothing comes before the first segment of a log.
func carryOf(dir string, base int64) ([]ss.Item, error) {
	if base == 0 {
		return nil, nil
	}
	f, err := disk.OpenPlain(filepath.Join(dir, logfile.SegmentName(base)), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, err := logfile.ReadHeader(f)
	if err != nil {
		return nil, err
	}
	s := ss.NewScanner(f, h.Interval, ss.HeaderSize)
	for {
		frame, err := s.Next()
		if err == nil {
			if items, ok := logfile.ParseCarry(frame.Payload); ok && frame.IsInternal() {
				return items, nil
			}
			return nil, errNoCarry
		}
		if !errors.Is(err, ss.ErrMore) {
			return nil, err
		}
		if err := s.Fill(); errors.Is(err, io.EOF) {
			return nil, errNoCarry
		} else if err != nil {
			return nil, err
		}
	}
}
