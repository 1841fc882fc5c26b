package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/ss"
)

const (
	SegmentsLock = ".lock" // in the directory: what its writer locks
	NewSuffix    = ".new"  // of a segment that is being made
)

// OpenSegments opens the last segment of a directory for writing, as
// OpenFile opens a log in one file.
func OpenSegments(dir string, create streamer.Create, beacon int64, under func(Handle) Handle) (*File, error) {
	l, err := lockSegments(dir, create)
	if err != nil {
		return nil, err
	}
	lf, err := openLast(dir, create, beacon, under, l)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return lf, nil
}

// lockSegments takes the lock of a directory's writer, and makes the directory
// first as create says.
func lockSegments(dir string, create streamer.Create) (*flock.Flock, error) {
	for {
		if create == streamer.CreateNever {
			if _, err := os.Stat(dir); err != nil {
				return nil, disk.Translate(explain(err, create))
			}
		} else if err := makeDir(dir); err != nil {
			return nil, disk.Translate(err)
		}
		l, err := disk.Lock(filepath.Join(dir, SegmentsLock), true)
		if errors.Is(err, streamer.ErrNotFound) {
			continue // the directory was removed just now
		}
		if err != nil {
			return nil, err
		}
		if disk.Holds(l) {
			return l, nil
		}
		_ = l.Close()
	}
}

// openLast opens the last segment, or makes the first.
func openLast(dir string, create streamer.Create, beacon int64, under func(Handle) Handle, l *flock.Flock) (*File, error) {
	if err := removeUnfinished(dir); err != nil {
		return nil, disk.Translate(err)
	}
	all, err := ListSegments(dir)
	if err != nil {
		return nil, disk.Translate(err)
	}
	lf := &File{lock: l, Dir: dir, under: under}
	switch {
	case len(all) > 0 && create == streamer.CreateNew:
		return nil, fmt.Errorf("%s: %w (%w)", dir, streamer.ErrExists, ErrCreateNew)
	case len(all) == 0 && create == streamer.CreateNever:
		return nil, disk.Translate(explain(&os.PathError{Op: "open", Path: filepath.Join(dir, SegmentName(0)), Err: fs.ErrNotExist}, create))
	case len(all) == 0:
		err = lf.createFirst(create, beacon)
	default:
		lf.Oldest = all[0].Base
		err = lf.openSegment(all[len(all)-1].Base)
	}
	if err != nil {
		return nil, disk.About(dir, err)
	}
	return lf, nil
}

// removeUnfinished removes what a crash has left of segments in the making. A
// consumer that is making the first one at this moment tries again.
func removeUnfinished(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range names {
		if strings.Contains(e.Name(), Suffix+".") && strings.HasSuffix(e.Name(), NewSuffix) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// openSegment opens a segment that is there and makes its end good to write on.
func (lf *File) openSegment(base int64) error {
	lf.Base, lf.path = base, filepath.Join(lf.Dir, SegmentName(base))
	f, err := disk.OpenPlain(lf.path, os.O_RDWR)
	if err != nil {
		return err
	}
	lf.use(f)
	if err := lf.prepare(lf.path, 0); err != nil {
		return errors.Join(NotLog(lf.path, err), lf.Handle.Close())
	}
	return nil
}

// use works with a file.
func (lf *File) use(f Handle) {
	if lf.Handle = f; lf.under != nil {
		lf.Handle = lf.under(f)
	}
}

// makeSegment makes the segment at lf.base, whole with what it carries, or not
// at all.
func (lf *File) makeSegment(h ss.Header, from *File) error {
	h.Name = SegmentName(lf.Base)
	lf.path = filepath.Join(lf.Dir, h.Name)
	f, err := os.OpenFile(lf.path+NewSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	lf.use(f)
	dir, err := disk.OpenDir(lf.Dir) // before the segment is there: it could not be taken back
	if err == nil {
		err = lf.fill(h, from)
	}
	if err == nil {
		err = lf.Handle.Sync()
	}
	if err == nil {
		err = os.Rename(lf.path+NewSuffix, lf.path)
	}
	if dir != nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	if err == nil {
		lf.info, err = lf.Handle.Stat()
	}
	if err != nil {
		_ = os.Remove(lf.path + NewSuffix)
		return errors.Join(err, lf.Handle.Close())
	}
	lf.synced = lf.Written.Load()
	return nil
}

// fill writes the header and what is known from the segments before.
func (lf *File) fill(h ss.Header, from *File) error {
	now := NowMillis()
	lf.Header, lf.born, lf.Declared = h, TimeOf(now), map[string]int{}
	lf.Enc = ss.NewEncoder(h.Interval, ss.HeaderSize)
	b := lf.Enc.Start(h.Append(nil))
	if from != nil {
		items := from.Enc.Totals()
		lf.Enc.Carry(items)
		b = lf.Enc.Append(b, ss.Internal, 0, 0, now, appendCarry(nil, items))
		for name, shards := range from.Declared {
			b = lf.Enc.Append(b, ss.Internal, 0, 0, now, Declaration{name, shards}.Append(nil))
			lf.Declared[name] = shards
		}
	}
	if _, err := lf.Handle.WriteAt(b, 0); err != nil {
		return err
	}
	lf.Enc.Commit()
	lf.begun = lf.Enc.Offset()
	lf.Written.Store(lf.begun)
	return nil
}

// Full reports whether the segment is to have a successor.
func (lf *File) Full(size int64, age time.Duration) bool {
	if lf.Dir == "" || lf.Enc.Offset() == lf.begun {
		return false
	}
	return lf.Enc.Offset() >= size || age > 0 && time.Since(lf.born) >= age
}

// Successor makes the next segment. All of this one is on the disk before there
// is another.
func (lf *File) Successor() (*File, error) {
	if err := lf.Sync(lf.Written.Load()); err != nil {
		return nil, err
	}
	interval := int64(lf.Header.Interval)
	next := &File{lock: lf.lock, Dir: lf.Dir, under: lf.under, Oldest: lf.Oldest, Base: (lf.Base+lf.Written.Load())/interval*interval + interval}
	return next, next.makeSegment(lf.Header, lf)
}
