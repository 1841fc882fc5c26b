package logfile

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// A log in a directory is a series of segments, each a log in one file. They
// lie in one space of offsets: that of a segment's first byte is its name, a
// multiple of the beacon interval. So a reader sees one file with beacons where
// they should be. What lies between the end of one segment and the first
// message of the next, whose header is in it, reads as one frame of the
// internal stream that the beacon at the segment's start splits.

// Segment is one file of a directory.
type Segment struct {
	Base int64 // the offset of its first byte
	Size int64 // how long it is; of the last one, how long it was
}

const (
	Suffix        = ".ss" // of a log in one file, and of a segment
	segmentDigits = 20
)

// SegmentName is the name of the file of the segment at an offset.
func SegmentName(base int64) string { return fmt.Sprintf("%0*d%s", segmentDigits, base, Suffix) }

// ListSegments finds the segments of a directory, in order. It looks at the
// sizes when it knows the names: a segment that has a successor does not grow.
func ListSegments(dir string) ([]Segment, error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []Segment
	for _, e := range names {
		digits, ok := strings.CutSuffix(e.Name(), Suffix)
		base, err := strconv.ParseInt(digits, 10, 64)
		if ok && len(digits) == segmentDigits && err == nil && base >= 0 {
			all = append(all, Segment{Base: base})
		}
	}
	slices.SortFunc(all, func(a, b Segment) int { return cmp.Compare(a.Base, b.Base) })
	kept := all[:0]
	for _, g := range all {
		info, err := os.Stat(filepath.Join(dir, SegmentName(g.Base)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // dropped just now
		}
		if err != nil {
			return nil, err
		}
		g.Size = info.Size()
		kept = append(kept, g)
	}
	return kept, nil
}

// IsSegmented reports whether path is a directory that is a log. A directory
// that cannot be read because no descriptor is left counts: opening it returns
// that error.
func IsSegmented(path string) bool {
	all, err := ListSegments(path)
	if disk.IsExhausted(err) {
		info, err := os.Stat(path)
		return err == nil && info.IsDir()
	}
	return err == nil && len(all) > 0
}

// Segments is a directory's segments as one file. Reads of one that was dropped
// are ErrTrimmed, unless it is open. Its methods may be called concurrently.
type Segments struct {
	dir string

	// mu is held across reads, which only one goroutine does at a time: it is
	// for looks at the directory meanwhile.
	mu       sync.Mutex
	segments []Segment
	header   ss.Header
	open     *os.File // the segment that was read last
	at       int64    // its base
	gap      []byte   // what lies between two segments, of the last that was read
	gapAt    int64
}

// ErrTrimmed says that the segment was dropped.
var ErrTrimmed = errors.New("the segment was dropped")

// readSegments opens a directory to read. ErrNotExist: it has no segment.
func readSegments(dir string) (*Segments, error) {
	s := &Segments{dir: dir, at: -1, gapAt: -1}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); errors.Is(err, fs.ErrNotExist) {
		return nil, &os.PathError{Op: "open", Path: filepath.Join(dir, SegmentName(0)), Err: fs.ErrNotExist}
	} else if err != nil {
		return nil, err
	}
	last := s.segments[len(s.segments)-1]
	if err := s.use(last.Base); err != nil {
		return nil, err
	}
	h, err := ReadHeader(s.open)
	if err != nil {
		return nil, errors.Join(err, s.open.Close())
	}
	s.header = ss.Header{Name: filepath.Base(dir), Created: h.Created, Interval: h.Interval}
	return s, nil
}

// refresh looks at the directory. mu is held.
func (s *Segments) refresh() error {
	all, err := ListSegments(s.dir)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fs.ErrNotExist
	}
	if n := len(s.segments); n > 0 && s.segments[n-1].Base != all[len(all)-1].Base {
		if err := s.same(all[len(all)-1].Base); err != nil {
			return err
		}
	}
	s.segments = all
	return nil
}

// same makes sure that a segment that was not there before is of the same log.
// mu is held.
func (s *Segments) same(base int64) error {
	f, err := disk.OpenPlain(filepath.Join(s.dir, SegmentName(base)), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	h, err := ReadHeader(f)
	if err == nil && h.Created != s.header.Created {
		err = fmt.Errorf("%s is another log now: %w", s.dir, fs.ErrNotExist)
	}
	return err
}

// use opens a segment, if it is not the one that is open. mu is held.
func (s *Segments) use(base int64) error {
	if s.open != nil && s.at == base {
		return nil
	}
	f, err := disk.OpenPlain(filepath.Join(s.dir, SegmentName(base)), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrTrimmed
	}
	if err != nil {
		return err
	}
	if s.open != nil {
		_ = s.open.Close()
	}
	s.open, s.at = f, base
	return nil
}

// First is the offset of the oldest segment.
func (s *Segments) First() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.segments[0].Base
}

// bases are the offsets at which segments begin.
func (s *Segments) bases() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]int64, len(s.segments))
	for i, g := range s.segments {
		all[i] = g.Base
	}
	return all
}

// starts reports whether a segment begins at an offset.
func (s *Segments) starts(off int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := slices.BinarySearchFunc(s.segments, off, func(g Segment, off int64) int { return cmp.Compare(g.Base, off) })
	return ok && off > 0
}

// Look lists the directory again, and returns the offset of the log's end.
func (s *Segments) Look() (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); err != nil {
		return 0, err
	}
	last := s.segments[len(s.segments)-1]
	return last.Base + last.Size, nil
}

// Verify makes sure that the segment that is read is still the file of that
// name, unless it was dropped. ErrNotExist: it is not.
func (s *Segments) Verify() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); err != nil || s.open == nil {
		return err
	}
	return s.unchanged()
}

// unchanged compares the segment that is open with what has its name. mu is
// held.
func (s *Segments) unchanged() error {
	named, err := os.Stat(filepath.Join(s.dir, SegmentName(s.at)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // dropped
	}
	if err != nil {
		return err
	}
	read, err := s.open.Stat()
	if err == nil && !os.SameFile(named, read) {
		err = fmt.Errorf("%s is another file now: %w", named.Name(), fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	h, err := ReadHeader(s.open)
	if err == nil && h.Created != s.header.Created {
		err = fmt.Errorf("%s is of another log now: %w", named.Name(), fs.ErrNotExist)
	}
	return err
}

// ReadAt implements io.ReaderAt for all segments.
func (s *Segments) ReadAt(p []byte, off int64) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if off < ss.HeaderSize {
		n = copy(p, s.header.Append(nil)[off:])
		off += int64(n)
	}
	for n < len(p) {
		k, err := s.readPart(p[n:], off)
		n, off = n+k, off+int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// readPart reads from one segment, or from what lies before the next one. Where
// the last segment that is known ends, it looks for another. mu is held.
func (s *Segments) readPart(p []byte, off int64) (int, error) {
	for again := false; ; again = true {
		i, known := s.find(off)
		if known {
			n, err := s.readKnown(p, off, i)
			if n > 0 || err != nil && !errors.Is(err, io.EOF) || again {
				return n, err
			}
		}
		if again {
			return 0, ErrTrimmed
		}
		if err := s.refresh(); errors.Is(err, fs.ErrNotExist) {
			return 0, io.EOF // the process that waits for more finds out
		} else if err != nil {
			return 0, err
		}
	}
}

// find is the segment with an offset; it is false for one before the first,
// unless that is still open. mu is held.
func (s *Segments) find(off int64) (i int, known bool) {
	i, ok := slices.BinarySearchFunc(s.segments, off, func(g Segment, off int64) int { return cmp.Compare(g.Base, off) })
	if !ok {
		i--
	}
	return i, i >= 0 || s.open != nil && off >= s.at
}

// readKnown reads from segment i, and from the gap behind it when it has a
// successor; -1 represents the one that is open and was dropped. mu is held.
func (s *Segments) readKnown(p []byte, off int64, i int) (int, error) {
	base, next := s.at, int64(-1)
	if i >= 0 {
		base = s.segments[i].Base
	}
	if i+1 < len(s.segments) {
		next = s.segments[i+1].Base
	}
	if off-base < ss.HeaderSize && base > 0 {
		before := base - 1 // of the oldest: nothing comes from there
		if i > 0 {
			before = s.segments[i-1].Base + s.segments[i-1].Size
		}
		return copy(p, s.gapBytes(before, base)[off-before:]), nil
	}
	if err := s.use(base); err != nil {
		return 0, err
	}
	if next < 0 {
		return s.open.ReadAt(p, off-base)
	}
	info, err := s.open.Stat()
	if err != nil {
		return 0, err
	}
	end := base + info.Size()
	if off < end {
		return s.open.ReadAt(p[:min(int64(len(p)), end-off)], off-base)
	}
	if i < 0 && next-end > int64(s.header.Interval) {
		return 0, ErrTrimmed // its successor was dropped too
	}
	return copy(p, s.gapBytes(end, next)[off-end:]), nil
}

// gapBytes is what a reader gets from the end of a segment to the first frame
// of the next, which is at next, further on: a frame with nothing in it, and
// the beacon that stands there. Where a loss of power has taken more of a
// segment than that, it is zeros. mu is held.
func (s *Segments) gapBytes(end, next int64) []byte {
	if s.gapAt == end && int64(len(s.gap)) == next+ss.HeaderSize-end {
		return s.gap
	}
	const beacon = 7
	before, behind := next-end, int64(ss.HeaderSize-beacon)
	var frame []byte
	if before <= int64(s.header.Interval) {
		payload := make([]byte, before+behind-ss.FrameSize(len(ss.Internal), 0))
		frame = ss.NewEncoder(1<<31, ss.HeaderSize).Append(nil, ss.Internal, 0, 0, 0, payload)
	} else {
		frame = make([]byte, before+behind)
	}
	b := slices.Clone(frame[:before])
	b = append(b, '\r')
	b = binary.BigEndian.AppendUint32(b, uint32(behind))
	b = append(b, 0, '\r')
	b = append(b, frame[before:]...)
	s.gap, s.gapAt = b, end
	return s.gap
}

// sizedInfo is a directory's, with the offset of the log's end for its size.
type sizedInfo struct {
	os.FileInfo
	size int64
}

func (i sizedInfo) Size() int64       { return i.size }
func (i sizedInfo) Mode() os.FileMode { return 0o644 }

// Stat has the end of the log for a size.
func (s *Segments) Stat() (os.FileInfo, error) {
	info, err := os.Stat(s.dir)
	if err != nil {
		return nil, err
	}
	end, err := s.Look()
	return sizedInfo{info, end}, err
}

// Name is the path of the directory.
func (s *Segments) Name() string { return s.dir }

// Close closes the segment that is open.
func (s *Segments) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return nil
	}
	err := s.open.Close()
	s.open = nil
	return err
}

var errReadOnly = fmt.Errorf("%w: segments are read here", streamer.ErrUnsupported)

// WriteAt fails: Segments are for reading. So do Truncate and Sync.
func (s *Segments) WriteAt([]byte, int64) (int, error) { return 0, errReadOnly }
func (s *Segments) Truncate(int64) error               { return errReadOnly }
func (s *Segments) Sync() error                        { return errReadOnly }

// OpenToRead opens a log in either form.
func OpenToRead(path string) (Handle, error) {
	f, err := disk.OpenPlain(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.IsDir() {
		return f, err
	}
	_ = f.Close()
	s, err := readSegments(path)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// NotRegular is the error for a path that is neither a regular file nor a
// directory of segments.
func NotRegular(path string, info os.FileInfo) error {
	if info.IsDir() {
		return fmt.Errorf("%s is a directory without segments: give the size of one, segment=64MiB, to make it a log: %w", path, streamer.ErrUnsupported)
	}
	return disk.NotPlain(path, info)
}
