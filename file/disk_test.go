package file

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"

	"github.com/gostreamer/streamer/file/internal/logfile"
)

// failingDisk stands between a writer and its file. It counts what the writer
// does, fails one step or all from one on, and knows what was on the disk after
// the last fsync.
type failingDisk struct {
	mu     sync.Mutex
	steps  int
	from   int    // the first step that fails
	times  int    // how many fail
	only   string // the kind of step that fails; "": all
	err    error
	effect bool // a step that fails has its effect all the same
	fsyncs int
	failed []string

	durable []byte // the file as the disk has it
	onSync  func() // before each fsync
	path    string // of the log
}

// install puts d below the writers of the rig's log, until the test ends or
// lift is called.
func (r *rig) install(d *failingDisk) (lift func()) {
	r.Helper()
	l, err := logs.acquire(r.cfg.Path, r.cfg.Segment > 0)
	r.ok(err)
	d.path = l.path
	l.under = func(h logfile.Handle) logfile.Handle { return &faulty{h, d} }
	lift = sync.OnceFunc(func() {
		l.under = nil
		logs.release(l)
	})
	r.Cleanup(lift)
	return lift
}

// step reports whether this one fails.
func (d *failingDisk) step(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.only != "" && d.only != name {
		return nil
	}
	d.steps++
	if d.err == nil || d.steps < d.from || d.steps >= d.from+d.times {
		return nil
	}
	d.failed = append(d.failed, name)
	return d.err
}

// failNext makes the next step of a kind fail.
func (d *failingDisk) failNext(kind string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.only, d.err, d.from, d.times = kind, syscall.EIO, d.steps+1, 1
}

type faulty struct {
	logfile.Handle
	d *failingDisk
}

func (f *faulty) ReadAt(p []byte, off int64) (int, error) {
	if err := f.d.step("read"); err != nil {
		return 0, err
	}
	return f.Handle.ReadAt(p, off)
}

// WriteAt that fails writes a part.
func (f *faulty) WriteAt(p []byte, off int64) (int, error) {
	if err := f.d.step("write"); err != nil {
		part := len(p) / 2
		if f.d.effect {
			part = len(p) - 1
		}
		n, _ := f.Handle.WriteAt(p[:part], off)
		return n, err
	}
	return f.Handle.WriteAt(p, off)
}

func (f *faulty) Truncate(size int64) error {
	err := f.d.step("truncate")
	if err == nil || f.d.effect {
		return errors.Join(err, f.Handle.Truncate(size))
	}
	return err
}

func (f *faulty) Stat() (os.FileInfo, error) {
	if err := f.d.step("stat"); err != nil {
		return nil, err
	}
	return f.Handle.Stat()
}

func (f *faulty) Sync() error {
	if f.d.onSync != nil {
		f.d.onSync()
	}
	b, _ := os.ReadFile(f.d.path) // of a log in one file
	err := f.d.step("fsync")
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.d.fsyncs++
	if err == nil {
		f.d.durable = b
	}
	return err
}

// crash is what a loss of power leaves: what the disk had, and of what came
// since some sectors and others not.
func (d *failingDisk) crash(rnd *rand.Rand, now []byte) []byte {
	const sector = 512
	size := len(d.durable)
	if more := len(now) - size; more > 0 {
		size += rnd.IntN(more + 1)
	}
	b := make([]byte, size)
	copy(b, d.durable)
	for at := 0; at < size; at += sector {
		if rnd.IntN(2) == 0 {
			copy(b[at:min(at+sector, size)], now[min(at, len(now)):])
		}
	}
	copy(b, d.durable) // these bytes were never written again
	return b
}

// narrow is a file that cannot be larger than size, as long as full.
type narrow struct {
	logfile.Handle
	size int
	full *bool
}

func (n *narrow) WriteAt(p []byte, off int64) (int, error) {
	if room := max(n.size-int(off), 0); *n.full && len(p) > room {
		k, _ := n.Handle.WriteAt(p[:room], off)
		return k, syscall.ENOSPC
	}
	return n.Handle.WriteAt(p, off)
}

// noting notes where is written.
type noting struct {
	logfile.Handle
	at *[]int64
}

func (n *noting) WriteAt(p []byte, off int64) (int, error) {
	*n.at = append(*n.at, off)
	return n.Handle.WriteAt(p, off)
}
