package file

import (
	"context"
	"errors"
	"hash/crc32"
	"os"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// index is what Admin has read: what a log has got since is read when it is
// asked for, so that asking about each stream reads the log once. Its methods
// are for the holder of the token.
type index struct {
	turn chan struct{} // capacity 1: holding the token is the right to use the rest

	of       *logfile.Catalogue
	info     os.FileInfo
	header   ss.Header
	segments []logfile.Segment
	tail     tail // of what the catalogue has come to

	listings map[string]listing
}

// listing is which shards of each stream have a position in a group's
// directory.
type listing struct {
	changed, read time.Time
	shards        map[string][]streamer.ShardID
}

func newIndex() index {
	return index{turn: make(chan struct{}, 1), listings: map[string]listing{}}
}

// enter takes the token.
func (x *index) enter(ctx context.Context) error {
	select {
	case x.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (x *index) leave() { <-x.turn }

// catalogue is that of the whole log as it is now.
func (x *index) catalogue(ctx context.Context, l *openLog) (*logfile.Catalogue, error) {
	for {
		c, err := x.update(ctx, l)
		if !errors.Is(err, logfile.ErrTrimmed) {
			return c, err
		}
		x.of = nil
	}
}

func (x *index) update(ctx context.Context, l *openLog) (*logfile.Catalogue, error) {
	v, err := l.view()
	if err != nil || v == nil {
		x.of = nil
		return logfile.NewCatalogue(0), err
	}
	defer v.Close()
	info, err := v.Handle.Stat()
	if err != nil {
		return nil, err
	}
	header, err := logfile.ReadHeader(v.Handle)
	if err != nil {
		return nil, err
	}
	same, err := x.same(v, info, header)
	if err != nil {
		return nil, err
	}
	if !same {
		x.of = logfile.NewCatalogue(v.Start())
	}
	if err := x.of.Read(ctx, &v.View); err != nil {
		x.of = nil
		return nil, err
	}
	x.info, x.header, x.segments = logfile.PlainInfo(info), header, v.SegmentList()
	x.tail, err = tailOf(v, x.of.End)
	return x.of, err
}

// same reports whether v is the log that was read, or has become of it.
func (x *index) same(v *logfile.OpenedView, info os.FileInfo, header ss.Header) (bool, error) {
	if x.of == nil || !os.SameFile(x.info, logfile.PlainInfo(info)) || header != x.header || v.Size < x.of.End {
		return false, nil
	}
	now := v.SegmentList()
	if n := len(x.segments); n > len(now) || n > 0 && (!slices.Equal(x.segments[:n-1], now[:n-1]) || x.segments[n-1].Base != now[n-1].Base) {
		return false, nil
	}
	tail, err := tailOf(v, x.of.End)
	return tail == x.tail, err
}

// tail is the checksum of the last bytes before an offset.
type tail struct {
	end int64
	sum uint32
}

// tailSize is how many bytes are enough.
const tailSize = 4096

func tailOf(v *logfile.OpenedView, end int64) (tail, error) {
	b := make([]byte, min(end-v.Start(), tailSize))
	if _, err := v.Src.ReadAt(b, end-int64(len(b))); err != nil {
		return tail{}, logfile.IgnoreEOF(err)
	}
	return tail{end, crc32.ChecksumIEEE(b)}, nil
}

// listingAge is how old a directory's time of change is at least when a listing
// is used again: a change within one tick of its clock does not show.
const listingAge = 100 * time.Millisecond

// positions is which shards of a stream have a position in a group's directory.
func (x *index) positions(g *group.Group, stream string) ([]streamer.ShardID, error) {
	dir := g.Dir()
	info, err := os.Stat(dir)
	if err != nil {
		return nil, disk.Translate(err)
	}
	known, ok := x.listings[dir]
	if !ok || !known.changed.Equal(info.ModTime()) || known.read.Sub(known.changed) < listingAge {
		known = listing{changed: info.ModTime(), read: time.Now(), shards: map[string][]streamer.ShardID{}}
		all, err := g.List()
		if err != nil {
			return nil, err
		}
		for _, at := range all {
			known.shards[at.Stream] = append(known.shards[at.Stream], at.Shard)
		}
		x.listings[dir] = known
	}
	return known.shards[stream], nil
}
