package logfile

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"slices"

	"github.com/gostreamer/streamer/file/internal/ss"
)

func beUint64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// View is a log at one moment: the first Size bytes of Src.
type View struct {
	Src      io.ReaderAt
	Interval uint32
	Size     int64
	Created  uint64
	Base     int64 // where it starts: not 0 when the oldest segments were dropped

	Segments *Segments // its segments; nil for a log in one file
}

// NewView is a View of the first size bytes of src, a log with that interval of
// beacons. segments are those of src if that is a directory, else nil.
func NewView(src io.ReaderAt, segments *Segments, interval uint32, size int64) *View {
	v := &View{Src: src, Interval: interval, Size: size, Segments: segments}
	if segments != nil {
		v.Base = segments.First()
	}
	return v
}

// Start is where the first frame is.
func (v *View) Start() int64 { return v.Base + ss.HeaderSize }

// low is the index of the header, which stands where otherwise there is a
// beacon.
func (v *View) low() int64 { return v.Base / int64(v.Interval) }

// Beacons is how many beacons the log has. Those of a damaged file may be
// unreadable.
func (v *View) Beacons() int64 { return (v.Size - 1) / int64(v.Interval) }

// Beacon reads beacon n; ok is false when it is unreadable.
func (v *View) Beacon(n int64) (b ss.Beacon, ok bool, err error) {
	b, err = ss.ReadBeacon(v.Src, v.Interval, n)
	switch {
	case err == nil && v.Segments != nil:
		b.Items, err = v.carried(n, b.Items)
		return b, err == nil, err
	case err == nil:
		return b, true, nil
	case errors.Is(err, ss.ErrBeacon), errors.Is(err, io.ErrUnexpectedEOF):
		return b, false, nil
	}
	return b, false, err
}

// carried is what beacon n names, which at the start of a segment is what came
// before that.
func (v *View) carried(n int64, items []ss.Item) ([]ss.Item, error) {
	base := n * int64(v.Interval)
	if !v.Segments.starts(base) {
		return items, nil
	}
	s := ss.NewScanner(io.NewSectionReader(v.Src, 0, v.Size), v.Interval, base+ss.HeaderSize)
	for {
		f, err := s.Next()
		if err == nil {
			carry, _ := ParseCarry(f.Payload)
			return carry, nil
		}
		if !errors.Is(err, ss.ErrMore) {
			return nil, nil
		}
		if err := s.Fill(); err != nil {
			return nil, IgnoreEOF(err)
		}
	}
}

// Reader reads the log as it was at that moment.
func (v *View) Reader() *Reader {
	return NewReader(io.NewSectionReader(v.Src, 0, v.Size), v.Interval, v.Start())
}

// before is a place to start reading that is sure to be before the envelope of
// the first message behind beacon n: where another frame starts.
func (v *View) before(n int64) (int64, error) {
	for n--; n > v.low(); n-- {
		b, ok, err := v.Beacon(n)
		if err != nil {
			return 0, err
		}
		at := n*int64(v.Interval) + int64(b.Size) + int64(b.Remaining)
		if ok && at < (n+1)*int64(v.Interval) {
			return at, nil
		}
	}
	return v.Start(), nil
}

// Behind is a place to start reading for messages behind beacon n: where the
// first frame behind it starts, unless that is one that wants chooses, whose
// envelope may be in front of the beacon.
func (v *View) Behind(n int64, wants func(*ss.Frame) bool) (int64, error) {
	if n <= v.low() {
		return v.Start(), nil
	}
	at, ok, err := v.align(n)
	if err != nil {
		return 0, err
	}
	if ok {
		var f ss.Frame
		if f, ok, err = v.headAt(at); err != nil {
			return 0, err
		}
		ok = ok && !wants(&f)
	}
	if !ok {
		return v.before(n)
	}
	return at, nil
}

// align is where the first frame behind beacon n starts; ok is false when there
// is none, or when a beacon on the way cannot be read.
func (v *View) align(n int64) (at int64, ok bool, err error) {
	for ; n <= v.Beacons(); n++ {
		b, ok, err := v.Beacon(n)
		if err != nil || !ok {
			return 0, false, err
		}
		at := n*int64(v.Interval) + int64(b.Size) + int64(b.Remaining)
		if at < (n+1)*int64(v.Interval) {
			return at, at < v.Size, nil
		}
	}
	return 0, false, nil
}

// headAt is what the frame at an offset says before its payload; ok is false
// when a beacon is in that, or the end of the log.
func (v *View) headAt(at int64) (f ss.Frame, ok bool, err error) {
	const numbers = 24
	b := make([]byte, 1+math.MaxUint8+numbers)
	read, err := v.Src.ReadAt(b, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return f, false, err
	}
	n := 1 + int(b[0])
	if read < n+numbers || at%int64(v.Interval)+int64(n)+numbers > int64(v.Interval) {
		return f, false, nil
	}
	return ss.Frame{Key: b[1:n], Shard: beUint64(b[n:]), Seq: beUint64(b[n+8:]), Time: beUint64(b[n+16:])}, true, nil
}

// Find is the item of one shard.
func Find(b ss.Beacon, key string, shard uint64) (ss.Item, bool) {
	for _, i := range b.Items {
		if i.Shard == shard && i.Key == key {
			return i, true
		}
	}
	return ss.Item{}, false
}

// SeqBefore finds a beacon before which everything of a shard has a lower
// number than the one that below asks about, and one, or the end, before which
// not everything has. Beacons need not name the shard: those that don't are
// skipped, so there may be some between the two.
func (v *View) SeqBefore(key string, shard uint64, below func(seq uint64) bool) (found, limit int64, err error) {
	found, limit = v.low(), v.Beacons()+1
	for lo, hi := found+1, limit; lo < hi; {
		mid := lo + (hi-lo)/2
		item, n, err := v.named(key, shard, mid, hi)
		if err != nil {
			return 0, 0, err
		}
		switch {
		case n < hi && below(item.Seq):
			found, lo = n, n+1
		case n < hi:
			limit, hi = n, mid
		default:
			hi = mid
		}
	}
	return found, limit, nil
}

// Closer looks at the messages behind beacons between two that SeqBefore has
// found, as far as one read goes, for one that is nearer to the limit.
func (v *View) Closer(found, limit int64, key string, shard uint64, below func(seq uint64) bool) (int64, error) {
	for limit-found > 1 {
		mid := found + (limit-found)/2
		seq, ok, err := v.firstBehind(mid, key, shard)
		switch {
		case err != nil:
			return 0, err
		case !ok:
			return found, nil
		case below(seq):
			found = mid
		default:
			limit = mid
		}
	}
	return found, nil
}

// firstBehind is the number of a shard's first message behind a beacon; ok is
// false when it is further away than one read of a Scanner goes.
func (v *View) firstBehind(n int64, key string, shard uint64) (seq uint64, ok bool, err error) {
	s := ss.NewScanner(io.NewSectionReader(v.Src, 0, v.Size), v.Interval, ss.HeaderSize)
	s.MoveToBeacon(n)
	if err := s.Fill(); err != nil {
		return 0, false, IgnoreEOF(err)
	}
	for {
		f, err := s.Next()
		if err != nil {
			return 0, false, nil //nolint:nilerr // unreadable, or further on
		}
		if f.Shard == shard && string(f.Key) == key {
			return f.Seq, true, nil
		}
	}
}

// IgnoreEOF is err, or nil for io.EOF.
func IgnoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// named is the item of a shard in the first beacon from n on, below limit, that
// names it; limit when none does.
func (v *View) named(key string, shard uint64, n, limit int64) (ss.Item, int64, error) {
	for ; n < limit; n++ {
		b, ok, err := v.Beacon(n)
		if err != nil {
			return ss.Item{}, 0, err
		}
		if i, named := Find(b, key, shard); ok && named {
			return i, n, nil
		}
	}
	return ss.Item{}, limit, nil
}

// OpenView opens a log to look at it as it is now; nil when it has no header
// yet.
func OpenView(path string) (*OpenedView, error) {
	f, err := OpenToRead(path)
	if err != nil {
		return nil, err
	}
	v, err := viewOf(f)
	if v == nil {
		return nil, errors.Join(err, f.Close())
	}
	return &OpenedView{*v, f}, nil
}

// OpenedView is a View of a file that it has open.
type OpenedView struct {
	View
	Handle Handle
}

// Close closes the file.
func (v *OpenedView) Close() { _ = v.Handle.Close() }

func viewOf(f Handle) (*View, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = NotRegular(f.Name(), info)
	}
	if err != nil {
		return nil, err
	}
	h, err := ReadHeader(f)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, nil
	case err != nil:
		return nil, NotLog(f.Name(), err)
	}
	rows, _ := f.(*Segments)
	v := NewView(f, rows, h.Interval, info.Size())
	v.Created = h.Created
	return v, nil
}

// PlainInfo is info in the form that os.SameFile can compare.
func PlainInfo(info os.FileInfo) os.FileInfo {
	if s, ok := info.(sizedInfo); ok {
		return s.FileInfo
	}
	return info
}

// SegmentList is the segments of a log in a directory, else nil.
func (v *OpenedView) SegmentList() []Segment {
	if v.Segments == nil {
		return nil
	}
	v.Segments.mu.Lock()
	defer v.Segments.mu.Unlock()
	return slices.Clone(v.Segments.segments)
}
