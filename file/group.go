package file

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
	groupsSuffix = ".groups" // the directory beside the log
	cursorSuffix = ".cursor"
	lockSuffix   = ".lock"
	allStreams   = "+all" // stands for every stream in a file's name; no stream can be called so
	maxGroupName = 150    // bytes of a group's name in a directory's; file systems allow 255
)

// group is the state of a group beside its log: a cursor and a lock for each shard. It is not safe for concurrent use.
type group struct {
	name  string
	dir   string
	sync  bool // cursors are on the disk before a commit returns
	locks shardLocks
}

func newGroup(log, name string, sync bool) *group {
	dir := filepath.Join(log+groupsSuffix, escapeName(name))
	return &group{name: name, dir: dir, sync: sync, locks: newShardLocks(dir)}
}

// escapeName makes any string a directory's name, which differs for different strings.
func escapeName(name string) string {
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

// path is where a shard's cursor or lock is.
func (g *group) path(at streamer.StreamShard, suffix string) string {
	stream := at.Stream
	if stream == wildcard {
		stream = allStreams
	}
	return filepath.Join(g.dir, stream+"."+strconv.FormatUint(uint64(at.Shard), 10)+suffix)
}

// shardOfPath is path's inverse for the last element of a path.
func shardOfPath(name, suffix string) (at streamer.StreamShard, ok bool) {
	name, ok = strings.CutSuffix(name, suffix)
	i := strings.LastIndexByte(name, '.')
	if !ok || i < 0 {
		return at, false
	}
	n, err := strconv.ParseUint(name[i+1:], 10, 64)
	if at.Stream = name[:i]; at.Stream == allStreams {
		at.Stream = wildcard
	}
	at.Shard = streamer.ShardID(n)
	return at, err == nil
}

// lock makes this process the owner of a shard: ErrBusy. ErrNotFound: somebody removed the group of which it owns others.
func (g *group) lock(at streamer.StreamShard) error {
	if g.owns(at) {
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

// owns says whether this process owns a shard.
func (g *group) owns(at streamer.StreamShard) bool { return g.locks.held[at] }

func (g *group) busy(at streamer.StreamShard) error {
	e := &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Kind: streamer.ErrBusy}
	if at.Stream == wildcard {
		e.Shard = nil
	}
	e.Err = fmt.Errorf("group %q is read by another consumer", g.name)
	return e
}

// intact says whether the locks are still what others would find.
func (g *group) intact() bool { return g.locks.intact() }

// free gives a shard up.
func (g *group) free(at streamer.StreamShard) { g.locks.free(at) }

// unlock gives every shard up.
func (g *group) unlock() error { return g.locks.close() }

// list is the shards that have a cursor, in order.
func (g *group) list() ([]streamer.StreamShard, error) {
	files, err := os.ReadDir(g.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, disk.Translate(err)
	}
	var all []streamer.StreamShard
	for _, f := range files {
		if at, ok := shardOfPath(f.Name(), cursorSuffix); ok {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, streamer.StreamShard.Compare)
	return all, nil
}

// load reads a cursor; nil when there is none. A *CursorError says that there is something else.
func (g *group) load(at streamer.StreamShard) (*cursor, error) {
	path := g.path(at, cursorSuffix)
	c, err := loadCursor(path)
	if c != nil && (c.group != g.name || c.StreamShard != at) {
		return nil, &CursorError{path, fmt.Errorf("it is of group %q, stream %q, shard %v", c.group, c.Stream, c.Shard)}
	}
	return c, err
}

func loadCursor(path string) (*cursor, error) {
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
		return nil, &CursorError{path, err}
	}
	return c, nil
}

// store replaces a cursor: afterwards the file is the old one or the new one, whatever happens.
func (g *group) store(c *cursor) error {
	path := g.path(c.StreamShard, cursorSuffix)
	temp := path + ".new"
	if err := g.write(temp, c.append(nil)); err != nil {
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

func (g *group) write(path string, b []byte) error {
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

// remove forgets a position.
func (g *group) remove(at streamer.StreamShard) error {
	err := os.Remove(g.path(at, cursorSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return disk.Translate(err)
}

// sortedShards lists the keys of a map in order.
func sortedShards[V any](of map[streamer.StreamShard]V) []streamer.StreamShard {
	return slices.SortedFunc(maps.Keys(of), streamer.StreamShard.Compare)
}
