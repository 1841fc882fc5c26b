// Package group is the part of a group that lies beside its log, in a directory
// for each group: a cursor for each shard, which is the group's position there,
// the kernel's locks by which a process owns shards, and a seat for each
// process that shares the group. It knows nothing of the log's contents and has
// no goroutine.
package group

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
)

const (
	dirSuffix    = ".groups" // of the directory beside the log
	cursorSuffix = ".cursor"
	lockSuffix   = ".lock"
	allStreams   = "+all" // EveryStream in a file's name; no stream has this name
	replacement  = ".new" // a cursor that is about to replace another
	maxGroupName = 150    // bytes of a group's name in a directory's; file systems allow 255
)

// EveryStream is the stream of a StreamShard that means all streams of a log.
const EveryStream = "*"

// Everywhere is the shard in whose cursor a group has a position in all
// streams, including those that do not exist yet.
var Everywhere = streamer.StreamShard{Stream: EveryStream}

// Group is the directory of a group beside its log, with the locks that this
// Group holds on its shards. It is not safe for concurrent use.
type Group struct {
	name  string
	dir   string
	sync  bool // a cursor is on the disk when Store returns
	locks shardLocks
}

// New is the group of that name of the log at that path. With sync a cursor is
// on the disk when Store returns. New creates nothing.
func New(log, name string, sync bool) *Group {
	dir := filepath.Join(Dir(log), DirName(name))
	return &Group{name: name, dir: dir, sync: sync, locks: newShardLocks(dir)}
}

// In is the group in a directory, whatever its name, to list and read its
// cursors with List and Read.
func In(dir string) *Group { return &Group{dir: dir} }

// Dir is the directory of all groups of the log at that path.
func Dir(log string) string { return log + dirSuffix }

// Dir is the group's directory.
func (g *Group) Dir() string { return g.dir }

// Held lists the shards whose locks g holds, in order.
func (g *Group) Held() []streamer.StreamShard {
	return slices.SortedFunc(maps.Keys(g.locks.held), streamer.StreamShard.Compare)
}

// RemoveLocks removes the lock files in which no other Group holds a lock.
func (g *Group) RemoveLocks() { g.locks.remove() }

// CursorPath is the path of a shard's cursor.
func (g *Group) CursorPath(at streamer.StreamShard) string { return g.path(at, cursorSuffix) }

// HasCursor reports whether the group has a cursor in a shard.
func (g *Group) HasCursor(at streamer.StreamShard) bool {
	_, err := os.Stat(g.CursorPath(at))
	return err == nil
}

// Read is Load without a check that the cursor is of this group and shard.
func (g *Group) Read(at streamer.StreamShard) (*Cursor, error) { return LoadCursor(g.CursorPath(at)) }

// DirName makes any string the name of a directory. Different strings have
// different names.
func DirName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0
		if plain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	s := b.String()
	if len(s) > maxGroupName {
		return fmt.Sprintf("%s%%%x", s[:maxGroupName], sha256.Sum256([]byte(name)))
	}
	if s == "" {
		return "%"
	}
	return s
}

// path is the path of a shard's cursor or lock.
func (g *Group) path(at streamer.StreamShard, suffix string) string {
	stream := at.Stream
	if stream == EveryStream {
		stream = allStreams
	}
	return filepath.Join(g.dir, stream+"."+strconv.FormatUint(uint64(at.Shard), 10)+suffix)
}

// shardOf is the inverse of path for the last element of a path.
func shardOf(name, suffix string) (at streamer.StreamShard, ok bool) {
	name, ok = strings.CutSuffix(name, suffix)
	i := strings.LastIndexByte(name, '.')
	if !ok || i < 0 {
		return at, false
	}
	n, err := strconv.ParseUint(name[i+1:], 10, 64)
	if at.Stream = name[:i]; at.Stream == allStreams {
		at.Stream = EveryStream
	}
	at.Shard = streamer.ShardID(n)
	return at, err == nil
}

// Lock makes g the owner of a shard. ErrBusy: it has another owner.
// ErrNotFound: the group was removed, and g still holds locks of what it was.
func (g *Group) Lock(at streamer.StreamShard) error {
	if g.Owns(at) {
		return nil
	}
	for {
		if err := os.MkdirAll(g.dir, 0o755); err != nil {
			return disk.Translate(err)
		}
		err := g.locks.take(at)
		if errors.Is(err, streamer.ErrBusy) {
			return g.busy(at)
		}
		if !errors.Is(err, streamer.ErrNotFound) || len(g.locks.held) > 0 {
			return err
		}
	}
}

// Owns reports whether g holds the lock of a shard.
func (g *Group) Owns(at streamer.StreamShard) bool { return g.locks.held[at] }

func (g *Group) busy(at streamer.StreamShard) error {
	e := &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Kind: streamer.ErrBusy}
	if at.Stream == EveryStream {
		e.Shard = nil
	}
	e.Err = fmt.Errorf("group %q is read by another consumer", g.name)
	return e
}

// Intact reports whether the locks are on the files that other processes find.
func (g *Group) Intact() bool { return g.locks.intact() }

// Free gives up the lock of a shard.
func (g *Group) Free(at streamer.StreamShard) { g.locks.free(at) }

// Unlock gives up all locks.
func (g *Group) Unlock() error { return g.locks.close() }

// List is the shards that have a cursor, in order.
func (g *Group) List() ([]streamer.StreamShard, error) {
	files, err := os.ReadDir(g.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, disk.Translate(err)
	}
	var all []streamer.StreamShard
	for _, f := range files {
		if at, ok := shardOf(f.Name(), cursorSuffix); ok {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, streamer.StreamShard.Compare)
	return all, nil
}

// Load reads a shard's cursor; it is nil when there is none. The error is a
// *DamagedError when the file is not a cursor of this group and shard.
func (g *Group) Load(at streamer.StreamShard) (*Cursor, error) {
	path := g.path(at, cursorSuffix)
	c, err := LoadCursor(path)
	if c != nil && (c.Group != g.name || c.StreamShard != at) {
		return nil, &DamagedError{path, fmt.Errorf("it is of group %q, stream %q, shard %v", c.Group, c.Stream, c.Shard)}
	}
	return c, err
}

// LoadCursor reads the cursor in a file; it is nil when there is no file. The
// error is a *DamagedError when the file is not a cursor.
func LoadCursor(path string) (*Cursor, error) {
	f, err := disk.OpenPlain(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, disk.Translate(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCursor+1))
	if err != nil {
		return nil, disk.Translate(err)
	}
	c, err := parseCursor(b)
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	return c, nil
}

// Store replaces the cursor of c's shard. The file is the old one or the new
// one, whatever happens.
func (g *Group) Store(c *Cursor) error {
	path := g.path(c.StreamShard, cursorSuffix)
	temp := path + replacement
	if err := g.write(temp, c.Append(nil)); err != nil {
		return disk.Translate(err)
	}
	if err := os.Rename(temp, path); err != nil {
		return disk.Translate(err)
	}
	if g.sync {
		return disk.SyncDir(g.dir)
	}
	return nil
}

func (g *Group) write(path string, b []byte) error {
	f, err := disk.OpenPlain(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(g.dir, 0o755); err != nil {
			return err
		}
		f, err = disk.OpenPlain(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && g.sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Remove removes the cursor of a shard, if there is one.
func (g *Group) Remove(at streamer.StreamShard) error {
	err := os.Remove(g.path(at, cursorSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return disk.Translate(err)
}

// DamagedError is a file that should be a cursor of the group and is not.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s: no cursor of the group: %v", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }
