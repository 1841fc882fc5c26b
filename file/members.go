package file

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
)

const memberSuffix = ".member"

// seat is a process's place among those that share a group: a file that it has locked and that nobody else has the name of. Who can lock it too knows that the process
// is dead. Names sort by age, so that all processes count each other in the same order.
type seat struct {
	dir  string
	like string // what the names of those begin with that read the same streams
	lock *flock.Flock
}

// enroll takes a place.
func (g *group) enroll(streams []string) (*seat, error) {
	all := slices.Compact(slices.Sorted(slices.Values(streams)))
	p := &seat{dir: g.dir, like: fmt.Sprintf("%08x-", crc32.ChecksumIEEE([]byte(strings.Join(all, "\x00"))))}
	for {
		if err := os.MkdirAll(g.dir, 0o755); err != nil {
			return nil, disk.Translate(err)
		}
		name := fmt.Sprintf("%s%016x-%s%s", p.like, time.Now().UnixNano(), rand.Text()[:8], memberSuffix)
		l, err := disk.Lock(filepath.Join(g.dir, name), true)
		switch {
		case errors.Is(err, streamer.ErrBusy), errors.Is(err, streamer.ErrNotFound):
			continue // somebody looked whether it is alive, or removed the directory
		case err != nil:
			return nil, err
		case disk.Holds(l):
			p.lock = l
			return p, nil
		}
		_ = l.Close()
	}
}

// intact says whether the others still see the place.
func (p *seat) intact() bool { return disk.Holds(p.lock) }

// leave gives the place up.
func (p *seat) leave() {
	_ = p.lock.Close()
	_ = os.Remove(p.lock.Path())
}

// rank is how many members there are, and how many of them are older than this one.
func (p *seat) rank() (rank, members int, err error) {
	files, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, disk.Translate(err)
	}
	own := filepath.Base(p.lock.Path())
	members = 1
	for _, f := range files {
		name := f.Name()
		if name == own || !strings.HasPrefix(name, p.like) || !strings.HasSuffix(name, memberSuffix) {
			continue
		}
		there, err := alive(filepath.Join(p.dir, name))
		if err != nil {
			return 0, 0, err
		}
		if !there {
			continue
		}
		members++
		if name < own {
			rank++
		}
	}
	return rank, members, nil
}

// alive says whether the process is there whose place this is. What a dead one has left is removed.
func alive(path string) (bool, error) {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	dead, err := l.TryRLock()
	if disk.IsExhausted(err) {
		return false, disk.About(path, err)
	}
	if err != nil {
		return false, nil //nolint:nilerr // it has left
	}
	_ = l.Close()
	if dead {
		_ = os.Remove(path)
	}
	return !dead, nil
}

// bury removes what dead members have left.
func (g *group) bury() {
	files, _ := os.ReadDir(g.dir)
	for _, f := range files {
		if strings.HasSuffix(f.Name(), memberSuffix) {
			_, _ = alive(filepath.Join(g.dir, f.Name()))
		}
	}
}

// share says which of n shards the member of a rank takes first, and how many it has: all members together have each shard once, and none has two more than another.
func share(n, rank, members int) (from, count int) {
	each, more := n/members, n%members
	from, count = rank*each+min(rank, more), each
	if rank < more {
		count++
	}
	return from, count
}
