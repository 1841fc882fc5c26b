package group

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

// Seat is a process's place among those that share a group: a file with a
// unique name that it has locked. A process that can lock the file knows that
// its owner is dead. Names sort by age, so that all processes count each other
// in the same order.
type Seat struct {
	dir  string
	like string // the prefix of the seats whose owners read the same streams
	lock *flock.Flock
}

// Enroll takes a seat in the group for a process that reads these streams.
func (g *Group) Enroll(streams []string) (*Seat, error) {
	all := slices.Compact(slices.Sorted(slices.Values(streams)))
	p := &Seat{dir: g.dir, like: fmt.Sprintf("%08x-", crc32.ChecksumIEEE([]byte(strings.Join(all, "\x00"))))}
	for {
		if err := os.MkdirAll(g.dir, 0o755); err != nil {
			return nil, disk.Translate(err)
		}
		name := fmt.Sprintf("%s%016x-%s%s", p.like, time.Now().UnixNano(), rand.Text()[:8], memberSuffix)
		l, err := disk.Lock(filepath.Join(g.dir, name), true)
		switch {
		case errors.Is(err, streamer.ErrBusy), errors.Is(err, streamer.ErrNotFound):
			continue // another process checked whether it is alive, or removed the directory
		case err != nil:
			return nil, err
		case disk.Holds(l):
			p.lock = l
			return p, nil
		}
		_ = l.Close()
	}
}

// Intact reports whether other processes still see the seat.
func (p *Seat) Intact() bool { return disk.Holds(p.lock) }

// Leave gives the seat up.
func (p *Seat) Leave() {
	_ = p.lock.Close()
	_ = os.Remove(p.lock.Path())
}

// Rank is how many processes with the same streams have a seat, and how many of
// these seats are older than this one. Seats of dead processes are removed.
func (p *Seat) Rank() (rank, members int, err error) {
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

// alive reports whether the process lives whose seat this is, and removes the
// seat of a dead one.
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

// Bury removes the seats of dead processes.
func (g *Group) Bury() {
	files, _ := os.ReadDir(g.dir)
	for _, f := range files {
		if strings.HasSuffix(f.Name(), memberSuffix) {
			_, _ = alive(filepath.Join(g.dir, f.Name()))
		}
	}
}

// Share is which of n shards the member of a rank takes first, and how many it
// takes. All members together take each shard once, and none takes two more
// than another.
func Share(n, rank, members int) (from, count int) {
	each, more := n/members, n%members
	from, count = rank*each+min(rank, more), each
	if rank < more {
		count++
	}
	return from, count
}
