package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// Create implements streamer.Admin. It makes the log if that does not exist,
// and notes in it that the stream does, with its shards. ErrBusy while another
// process writes the log.
func (b *backend) Create(ctx context.Context, name string, shards int) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	if shards == 0 {
		shards = b.cfg.Shards
	}
	if shards < 0 || shards > MaxShards {
		return fmt.Errorf("%w number of shards, %d: want 1 to %d", streamer.ErrInvalid, shards, MaxShards)
	}
	c := b.writeConfig()
	c.EOS, c.Create = false, streamer.CreateAuto
	l, err := b.current()
	if err != nil {
		return err
	}
	defer logs.release(l)
	w, err := l.openWriter(c)
	if err != nil {
		return err
	}
	err = w.declare(ctx, c, b.location, logfile.Declaration{Stream: name, Shards: shards})
	return disk.About(l.path, errors.Join(err, l.closeWriter(w, c)))
}

// declare notes that a stream exists, unless it does.
func (w *writer) declare(ctx context.Context, c *Config, at *location, d logfile.Declaration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.write(c, at, func() error {
		cat, err := w.catalogue(ctx)
		if err != nil {
			return err
		}
		if cat.Exists(d.Stream) {
			return &streamer.Error{Stream: d.Stream, Kind: streamer.ErrExists}
		}
		w.buf = w.file.Enc.Append(w.buf, ss.Internal, 0, 0, logfile.NowMillis(), d.Append(nil))
		if w.file.Base+w.file.Enc.Offset() > w.limit(c) {
			return full(c)
		}
		return nil
	})
	if err == nil {
		w.file.Declared[d.Stream] = d.Shards
	}
	return err
}

func (w *writer) catalogue(ctx context.Context) (*logfile.Catalogue, error) {
	v, err := w.log.view()
	if err != nil || v == nil {
		return logfile.NewCatalogue(0), err
	}
	defer v.Close()
	c := logfile.NewCatalogue(v.Start())
	return c, c.Read(ctx, &v.View)
}

// Delete implements streamer.Admin.
func (b *backend) Delete(_ context.Context, name string) error {
	return fmt.Errorf("stream %q lies between the others of the log; remove the file to delete all of them: %w", name, streamer.ErrUnsupported)
}

// read calls f with the log that the path leads to, and the catalogue of all of
// it.
func (b *backend) read(ctx context.Context, f func(*openLog, *logfile.Catalogue) error) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	l, err := b.current()
	if err != nil {
		return err
	}
	defer logs.release(l)
	if err := b.index.enter(ctx); err != nil {
		return err
	}
	defer b.index.leave()
	c, err := b.index.catalogue(ctx, l)
	if err != nil {
		return disk.About(b.location.path, err)
	}
	return f(l, c)
}

// readStream is read for a stream that exists.
func (b *backend) readStream(ctx context.Context, name string, f func(*openLog, *logfile.Catalogue) error) error {
	return b.read(ctx, func(l *openLog, c *logfile.Catalogue) error {
		if !c.Exists(name) {
			return &streamer.Error{Stream: name, Kind: streamer.ErrNotFound}
		}
		return f(l, c)
	})
}

// Describe implements streamer.Admin. A stream exists when it has messages or
// Create made it.
func (b *backend) Describe(ctx context.Context, name string) (info streamer.StreamInfo, err error) {
	err = b.readStream(ctx, name, func(_ *openLog, c *logfile.Catalogue) error {
		info.Name = name
		for _, id := range c.ShardsOf(name, b.cfg.Shards) {
			sh := streamer.ShardInfo{ID: id, First: streamer.SeqUint(1), Next: streamer.SeqUint(1), Open: true}
			if x := c.Streams[name][id]; x != nil {
				sh.First, sh.Next = streamer.SeqUint(x.First), streamer.SeqUint(logfile.NextSeq(x.Last))
			}
			info.Shards = append(info.Shards, sh)
		}
		return nil
	})
	return info, err
}

// Streams implements streamer.Admin.
func (b *backend) Streams(ctx context.Context, prefix string) (all []string, err error) {
	err = b.read(ctx, func(_ *openLog, c *logfile.Catalogue) error {
		names := map[string]bool{}
		for name := range c.Declared {
			names[name] = true
		}
		for name := range c.Streams {
			names[name] = true
		}
		maps.DeleteFunc(names, func(name string, _ bool) bool { return !strings.HasPrefix(name, prefix) })
		all = slices.Sorted(maps.Keys(names))
		return nil
	})
	return all, err
}

// Groups implements streamer.Admin. Members of a group in another process
// cannot be counted: -1.
func (b *backend) Groups(ctx context.Context, name string) (all []streamer.GroupInfo, err error) {
	err = b.readStream(ctx, name, func(l *openLog, c *logfile.Catalogue) error {
		dirs, err := os.ReadDir(group.Dir(l.path))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return disk.Translate(err)
		}
		for _, dir := range dirs {
			g, ok, err := b.groupInfo(l, dir.Name(), name, c)
			if err != nil {
				return err
			}
			if ok {
				all = append(all, g)
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b streamer.GroupInfo) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

// groupInfo describes the group in a directory of l's groups; ok is false when
// it has no position in the stream.
func (b *backend) groupInfo(l *openLog, dir, stream string, c *logfile.Catalogue) (info streamer.GroupInfo, ok bool, err error) {
	g := group.In(filepath.Join(group.Dir(l.path), dir))
	ids, err := b.index.positions(g, stream)
	if err != nil {
		return info, false, err
	}
	for _, id := range ids {
		at := streamer.StreamShard{Stream: stream, Shard: id}
		cur, err := g.Read(at)
		if err != nil {
			return info, false, cursorError(err)
		}
		if cur == nil || group.DirName(cur.Group) != dir {
			continue
		}
		info.Name, ok = cur.Group, true
		lag := streamer.ShardLag{StreamShard: at}
		if x := c.Extent(at); x != nil {
			lag.Messages = between(max(cur.Done, x.First-min(x.First, 1)), x.Last)
		}
		info.Lag = append(info.Lag, lag)
	}
	if ok {
		info.Members, err = b.members(l, info.Name, stream, ids)
	}
	return info, ok, err
}

// members counts the members of a group on a stream.
func (b *backend) members(l *openLog, group, stream string, ids []streamer.ShardID) (int, error) {
	if n := l.owners.members(group, stream); n > 0 {
		return n, nil
	}
	g, err := b.lockOf(l, group, stream, ids)
	if errors.Is(err, streamer.ErrBusy) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	return 0, g.Unlock()
}

// idle locks every shard of a stream in which a group has a position: ErrBusy
// while it has members, ErrNotFound when there is no such group.
func (b *backend) idle(l *openLog, name, stream string) (*group.Group, error) {
	list, err := group.New(l.path, name, false).List()
	if err != nil {
		return nil, err
	}
	var ids []streamer.ShardID
	for _, at := range list {
		if at.Stream == stream {
			ids = append(ids, at.Shard)
		}
	}
	if len(ids) == 0 {
		return nil, &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: fmt.Errorf("there is no group %q", name)}
	}
	return b.lockOf(l, name, stream, ids)
}

// lockOf locks these shards of a stream for a group.
func (b *backend) lockOf(l *openLog, name, stream string, ids []streamer.ShardID) (*group.Group, error) {
	g := group.New(l.path, name, b.cfg.Sync != 0)
	for _, id := range ids {
		if err := g.Lock(streamer.StreamShard{Stream: stream, Shard: id}); err != nil {
			return nil, errors.Join(err, g.Unlock())
		}
	}
	return g, nil
}

// DeleteGroup implements streamer.Admin.
func (b *backend) DeleteGroup(ctx context.Context, stream, name string) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	l, err := b.current()
	if err != nil {
		return err
	}
	defer logs.release(l)
	g, err := b.idle(l, name, stream)
	if err != nil {
		return err
	}
	var errs []error
	for _, at := range g.Held() {
		errs = append(errs, g.Remove(at))
	}
	if rest, err := g.List(); err == nil && len(rest) == 0 {
		g.RemoveLocks()
	}
	errs = append(errs, g.Unlock())
	g.Bury()
	_ = os.Remove(g.Dir()) // if that was the last stream
	return errors.Join(errs...)
}

// ResetGroup implements streamer.Admin: it opens the group at the position,
// which commits that, and closes it. An Each moves the shards it names.
func (b *backend) ResetGroup(ctx context.Context, stream, name string, to streamer.Position) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	l, err := b.current()
	if err != nil {
		return err
	}
	defer logs.release(l)
	g, err := b.idle(l, name, stream)
	if err != nil {
		return err
	}
	shards := len(g.Held())
	if err := g.Unlock(); err != nil {
		return err
	}
	if k := to.Kind(); shards > 1 && (k == streamer.AtSeq || k == streamer.AfterSeq) {
		return fmt.Errorf("%w position: the stream has several shards: use Each", streamer.ErrInvalid)
	}
	src, err := b.OpenSource(ctx, resetting(stream, name, to))
	if err != nil {
		return err
	}
	return src.Close(ctx)
}

// resetting is the configuration of a source that is opened for its position
// alone.
func resetting(stream, group string, to streamer.Position) driver.SourceConfig {
	c := driver.SourceConfig{
		Streams: []string{stream}, Mode: streamer.Resumable, Group: group, Start: to, Reset: streamer.Earliest, MaxBatch: 1,
		Assigned: func([]streamer.StreamShard) {},
		Gone:     func(streamer.StreamShard, streamer.SeqNo, streamer.SeqNo) {},
	}
	if to.Kind() == streamer.PerShard {
		c.Shards = nil
	}
	return c
}
