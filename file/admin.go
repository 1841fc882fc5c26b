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
	"github.com/gostreamer/streamer/file/internal/ss"
)

// Create implements streamer.Admin. It makes the log if that does not exist, and notes in it that the stream does, with its shards. ErrBusy while another
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
	err = w.declare(ctx, c, b.place, declaration{name, shards})
	return about(l.path, errors.Join(err, l.closeWriter(w, c)))
}

// declare notes that a stream exists, unless it does.
func (w *writer) declare(ctx context.Context, c *Config, at *place, d declaration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.write(c, at, func() error {
		cat, err := w.catalogue(ctx)
		if err != nil {
			return err
		}
		if cat.exists(d.stream) {
			return &streamer.Error{Stream: d.stream, Kind: streamer.ErrExists}
		}
		w.buf = w.file.enc.Append(w.buf, ss.Internal, 0, 0, nowMillis(), d.append(nil))
		if w.file.base+w.file.enc.Offset() > w.limit(c) {
			return full(c)
		}
		return nil
	})
	if err == nil {
		w.file.declared[d.stream] = d.shards
	}
	return err
}

func (w *writer) catalogue(ctx context.Context) (*catalogue, error) {
	v, err := openView(w.log.path)
	if err != nil || v == nil {
		return &catalogue{}, err
	}
	defer v.close()
	return v.catalogue(ctx)
}

// exists says whether a stream was declared or has messages.
func (c *catalogue) exists(stream string) bool {
	if c.declared[stream] > 0 {
		return true
	}
	for at := range c.shards {
		if at.Stream == stream {
			return true
		}
	}
	return false
}

// Delete implements streamer.Admin.
func (b *backend) Delete(_ context.Context, name string) error {
	return fmt.Errorf("stream %q lies between the others of the log; remove the file to delete all of them: %w", name, streamer.ErrUnsupported)
}

// read reads the whole log.
func (b *backend) read(ctx context.Context) (*catalogue, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	v, err := openView(b.place.path)
	if err != nil {
		return nil, translate(err)
	}
	if v == nil {
		return &catalogue{}, nil
	}
	defer v.close()
	c, err := v.catalogue(ctx)
	return c, about(b.place.path, err)
}

// Describe implements streamer.Admin. A stream exists when it has messages or Create made it.
func (b *backend) Describe(ctx context.Context, name string) (streamer.StreamInfo, error) {
	c, err := b.read(ctx)
	if err != nil {
		return streamer.StreamInfo{}, err
	}
	if !c.exists(name) {
		return streamer.StreamInfo{}, &streamer.Error{Stream: name, Kind: streamer.ErrNotFound}
	}
	info := streamer.StreamInfo{Name: name}
	for _, id := range c.shardsOf(name, b.cfg.Shards) {
		sh := streamer.ShardInfo{ID: id, First: streamer.SeqUint(1), Next: streamer.SeqUint(1), Open: true}
		if x := c.shards[streamer.StreamShard{Stream: name, Shard: id}]; x != nil {
			sh.First, sh.Next = streamer.SeqUint(x.first), streamer.SeqUint(next(x.last))
		}
		info.Shards = append(info.Shards, sh)
	}
	return info, nil
}

// shardsOf lists a stream's shards: those that have messages, those it was declared with, and those that are configured.
func (c *catalogue) shardsOf(stream string, configured int) []streamer.ShardID {
	all := map[streamer.ShardID]bool{}
	for i := range max(configured, c.declared[stream]) {
		all[streamer.ShardID(i)] = true
	}
	for at := range c.shards {
		if at.Stream == stream {
			all[at.Shard] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Streams implements streamer.Admin.
func (b *backend) Streams(ctx context.Context, prefix string) ([]string, error) {
	c, err := b.read(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range c.declared {
		names[name] = true
	}
	for at := range c.shards {
		names[at.Stream] = true
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool { return !strings.HasPrefix(name, prefix) })
	return slices.Sorted(maps.Keys(names)), nil
}

// Groups implements streamer.Admin. Members of a group in another process cannot be counted: -1.
func (b *backend) Groups(ctx context.Context, name string) ([]streamer.GroupInfo, error) {
	c, err := b.read(ctx)
	if err != nil {
		return nil, err
	}
	if !c.exists(name) {
		return nil, &streamer.Error{Stream: name, Kind: streamer.ErrNotFound}
	}
	l, err := b.current()
	if err != nil {
		return nil, err
	}
	defer logs.release(l)
	dirs, err := os.ReadDir(l.path + groupsSuffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, translate(err)
	}
	var all []streamer.GroupInfo
	for _, dir := range dirs {
		g, ok, err := b.groupInfo(l, dir.Name(), name, c)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b streamer.GroupInfo) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// groupInfo describes the group in a directory of l's groups; ok is false when it has no position in the stream.
func (b *backend) groupInfo(l *openLog, dir, stream string, c *catalogue) (info streamer.GroupInfo, ok bool, err error) {
	g := &group{dir: filepath.Join(l.path+groupsSuffix, dir), locks: nil}
	list, err := g.list()
	if err != nil {
		return info, false, err
	}
	for _, at := range list {
		if at.Stream != stream {
			continue
		}
		cur, err := loadCursor(g.path(at, cursorSuffix))
		if err != nil {
			return info, false, err
		}
		if cur == nil || escapeName(cur.group) != dir {
			continue
		}
		info.Name, ok = cur.group, true
		lag := streamer.ShardLag{StreamShard: at}
		if x := c.shards[at]; x != nil {
			lag.Messages = count(x.last, max(cur.done, x.first-min(x.first, 1)), true)
		}
		info.Lag = append(info.Lag, lag)
	}
	if ok {
		info.Members, err = b.members(l, info.Name, stream)
	}
	return info, ok, err
}

// members counts the members of a group on a stream.
func (b *backend) members(l *openLog, group, stream string) (int, error) {
	if n := l.owners.members(group, stream); n > 0 {
		return n, nil
	}
	g, err := b.idle(l, group, stream)
	if errors.Is(err, streamer.ErrBusy) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	return 0, g.unlock()
}

// idle locks every shard of a stream in which a group has a position: ErrBusy while it has members, ErrNotFound when there is no such group.
func (b *backend) idle(l *openLog, name, stream string) (*group, error) {
	g := newGroup(l.path, name, b.cfg.Sync != 0)
	list, err := g.list()
	if err != nil {
		return nil, err
	}
	for _, at := range list {
		if at.Stream != stream {
			continue
		}
		if err := g.lock(at); err != nil {
			return nil, errors.Join(err, g.unlock())
		}
	}
	if len(g.locks) == 0 {
		return nil, &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: fmt.Errorf("there is no group %q", name)}
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
	for at := range g.locks {
		errs = append(errs, g.remove(at), os.Remove(g.path(at, lockSuffix)))
	}
	errs = append(errs, g.unlock())
	g.bury()
	_ = os.Remove(g.dir) // if that was the last stream
	return errors.Join(errs...)
}

// ResetGroup implements streamer.Admin: it opens the group at the position, which commits that, and closes it. An Each moves the shards it names.
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
	shards := len(g.locks)
	if err := g.unlock(); err != nil {
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

// resetting is the configuration of a source that is opened for its position alone.
func resetting(stream, group string, to streamer.Position) streamer.SourceConfig {
	c := streamer.SourceConfig{
		Streams: []string{stream}, Mode: streamer.Resumable, Group: group, Start: to, Reset: streamer.Earliest, MaxBatch: 1,
		Assigned: func([]streamer.StreamShard) {},
		Gone:     func(streamer.StreamShard, streamer.SeqNo, streamer.SeqNo) {},
	}
	if to.Kind() == streamer.PerShard {
		c.Shards = nil
	}
	return c
}
