package file

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
	rowLock   = ".lock" // in the directory: what its writer locks
	newSuffix = ".new"  // of a segment that is being made
)

// openWritable opens the log for writing in the form that it has.
func (l *openLog) openWritable(c *Config, create streamer.Create) (*logFile, error) {
	if l.row {
		return openRow(l.path, create, c.Beacon, l.under)
	}
	return openLogFile(l.path, create, c.Beacon, l.under)
}

// openRow opens the last segment of a directory for writing, as openLogFile opens a log in one file.
func openRow(dir string, create streamer.Create, beacon int64, under func(handle) handle) (*logFile, error) {
	l, err := lockRow(dir, create)
	if err != nil {
		return nil, err
	}
	lf, err := openLast(dir, create, beacon, under, l)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return lf, nil
}

// lockRow takes the lock of a directory's writer, and makes the directory first as create says.
func lockRow(dir string, create streamer.Create) (*flock.Flock, error) {
	for {
		if create == streamer.CreateNever {
			if _, err := os.Stat(dir); err != nil {
				return nil, disk.Translate(explain(err, create))
			}
		} else if err := makeDir(dir); err != nil {
			return nil, disk.Translate(err)
		}
		l, err := disk.Lock(filepath.Join(dir, rowLock), true)
		if errors.Is(err, streamer.ErrNotFound) {
			continue // somebody removed the directory just now
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
func openLast(dir string, create streamer.Create, beacon int64, under func(handle) handle, l *flock.Flock) (*logFile, error) {
	if err := removeUnfinished(dir); err != nil {
		return nil, disk.Translate(err)
	}
	all, err := listSegments(dir)
	if err != nil {
		return nil, disk.Translate(err)
	}
	lf := &logFile{lock: l, dir: dir, under: under}
	switch {
	case len(all) > 0 && create == streamer.CreateNew:
		return nil, fmt.Errorf("%s: %w (%w)", dir, streamer.ErrExists, errCreateNew)
	case len(all) == 0 && create == streamer.CreateNever:
		return nil, disk.Translate(explain(&os.PathError{Op: "open", Path: filepath.Join(dir, segmentName(0)), Err: fs.ErrNotExist}, create))
	case len(all) == 0:
		err = lf.createFirst(create, beacon)
	default:
		lf.oldest = all[0].base
		err = lf.openSegment(all[len(all)-1].base)
	}
	if err != nil {
		return nil, disk.About(dir, err)
	}
	return lf, nil
}

// removeUnfinished removes what a crash has left of segments in the making. A consumer that is making the first one at this moment tries again.
func removeUnfinished(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range names {
		if strings.Contains(e.Name(), suffix+".") && strings.HasSuffix(e.Name(), newSuffix) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// openSegment opens a segment that is there and makes its end good to write on.
func (lf *logFile) openSegment(base int64) error {
	lf.base, lf.path = base, filepath.Join(lf.dir, segmentName(base))
	f, err := disk.OpenPlain(lf.path, os.O_RDWR)
	if err != nil {
		return err
	}
	lf.use(f)
	if err := lf.prepare(lf.path, 0); err != nil {
		return errors.Join(notLog(lf.path, err), lf.f.Close())
	}
	return nil
}

// use works with a file.
func (lf *logFile) use(f handle) {
	if lf.f = f; lf.under != nil {
		lf.f = lf.under(f)
	}
}

// makeSegment makes the segment at lf.base, whole with what it carries, or not at all.
func (lf *logFile) makeSegment(h ss.Header, from *logFile) error {
	h.Name = segmentName(lf.base)
	lf.path = filepath.Join(lf.dir, h.Name)
	f, err := os.OpenFile(lf.path+newSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	lf.use(f)
	dir, err := disk.OpenDir(lf.dir) // before the segment is there: it could not be taken back
	if err == nil {
		err = lf.fill(h, from)
	}
	if err == nil {
		err = lf.f.Sync()
	}
	if err == nil {
		err = os.Rename(lf.path+newSuffix, lf.path)
	}
	if dir != nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	if err == nil {
		lf.info, err = lf.f.Stat()
	}
	if err != nil {
		_ = os.Remove(lf.path + newSuffix)
		return errors.Join(err, lf.f.Close())
	}
	lf.synced = lf.written.Load()
	return nil
}

// fill writes the header and what is known from the segments before.
func (lf *logFile) fill(h ss.Header, from *logFile) error {
	now := nowMillis()
	lf.header, lf.born, lf.declared = h, timeOf(now), map[string]int{}
	lf.enc = ss.NewEncoder(h.Interval, ss.HeaderSize)
	b := lf.enc.Start(h.Append(nil))
	if from != nil {
		items := from.enc.Totals()
		lf.enc.Carry(items)
		b = lf.enc.Append(b, ss.Internal, 0, 0, now, appendCarry(nil, items))
		for name, shards := range from.declared {
			b = lf.enc.Append(b, ss.Internal, 0, 0, now, declaration{name, shards}.append(nil))
			lf.declared[name] = shards
		}
	}
	if _, err := lf.f.WriteAt(b, 0); err != nil {
		return err
	}
	lf.enc.Commit()
	lf.begun = lf.enc.Offset()
	lf.written.Store(lf.begun)
	return nil
}

// full says whether the segment is to have a successor.
func (lf *logFile) full(c *Config) bool {
	if lf.dir == "" || lf.enc.Offset() == lf.begun {
		return false
	}
	return lf.enc.Offset() >= c.Segment || c.SegmentAge > 0 && time.Since(lf.born) >= c.SegmentAge
}

// successor makes the next segment. All of this one is on the disk before there is another.
func (lf *logFile) successor() (*logFile, error) {
	if err := lf.sync(lf.written.Load()); err != nil {
		return nil, err
	}
	interval := int64(lf.header.Interval)
	next := &logFile{lock: lf.lock, dir: lf.dir, under: lf.under, oldest: lf.oldest, base: (lf.base+lf.written.Load())/interval*interval + interval}
	return next, next.makeSegment(lf.header, lf)
}
