package ss

import (
	"errors"
	"io"
	"slices"
)

const (
	// small is the window of a reader that has seen little: a consumer that
	// follows a quiet file needs no more. It holds any beacon.
	small = 128 << 10
	// large is what it grows to when a read fills it: enough that the system
	// call does not matter, little enough for the cache.
	large = 256 << 10
)

// window holds a stretch of the file's message bytes, buf[r:w], with the
// beacons taken out.
type window struct {
	src      io.ReaderAt
	interval int64
	buf      []byte
	r, w     int
	next     int64 // the file offset where the next read starts
	need     int64 // the size of the frame at r, when it is known and not all there
	ended    bool  // the last read came to the end of the file
	told     bool  // and the caller knows it
	cuts     []cut // in order
	base     int   // the last cut at or before r
}

// cut is where bytes that are adjacent in the window are not adjacent in the
// file: a beacon, or the window's start.
type cut struct {
	at        int   // window index
	before    int64 // the file offset of the beacon
	after     int64 // the file offset of the byte at window index at
	remaining int64 // the beacon's
	bad       bool  // an unreadable beacon: its whole segment is skipped
}

// offset is where the byte at window index i is in the file, when no cut after
// c is at or before it: where c is, in front of it.
func (c *cut) offset(i int) int64 {
	if i == c.at {
		return c.before
	}
	return c.after + int64(i-c.at)
}

func (w *window) reset(offset int64) {
	w.r, w.w, w.next, w.need, w.ended, w.told = 0, 0, offset, 0, false, false
	w.cuts, w.base = append(w.cuts[:0], cut{before: offset, after: offset}), 0
}

// fileOffset is where the byte at window index i ≥ r is in the file: where two
// meet at a beacon, behind it.
func (w *window) fileOffset(i int) int64 {
	c := w.base
	for c+1 < len(w.cuts) && w.cuts[c+1].at <= i {
		c++
	}
	return w.cuts[c].after + int64(i-w.cuts[c].at)
}

// startOffset is where the frame at r starts in the file: where the one before
// it ended, so in front of a beacon.
func (w *window) startOffset() int64 {
	for _, c := range w.cuts[w.base:] {
		if c.at == w.r {
			return c.before
		}
		if c.at > w.r {
			break
		}
	}
	return w.fileOffset(w.r)
}

// endOffset is where the byte before window index i > r ends in the file: in
// front of a beacon.
func (w *window) endOffset(i int) int64 { return w.fileOffset(i-1) + 1 }

// fill moves what is left to the front and reads on. It is io.EOF when not a
// byte was there.
func (w *window) fill() error {
	w.compact()
	w.resize()
	n, err := w.src.ReadAt(w.buf[w.w:], w.next)
	w.ended = errors.Is(err, io.EOF)
	if err != nil && !w.ended {
		return err
	}
	if n == 0 {
		w.told = true
		return io.EOF
	}
	w.strip(w.buf[w.w : w.w+n])
	return nil
}

func (w *window) compact() {
	w.cuts, w.base = slices.Delete(w.cuts, 0, w.base), 0
	if c := &w.cuts[0]; c.at < w.r {
		c.after += int64(w.r - c.at)
		c.at, c.before = w.r, c.after
	}
	for i := range w.cuts {
		w.cuts[i].at -= w.r
	}
	w.w = copy(w.buf, w.buf[w.r:w.w])
	w.r = 0
}

// resize makes room for any beacon and, by doubling only, for a large frame: so
// the window is never more than twice what the file had bytes for. When the
// large frame is through, the window shrinks again.
func (w *window) resize() {
	size := len(w.buf)
	switch {
	case size == 0:
		size = small
	case size-w.w < maxBeacon || int64(size) < w.need:
		size = max(large, 2*size)
	case size > large && w.w < large/2 && w.need <= large:
		size = large
	case size < large && w.w == 0 && !w.ended && w.next > HeaderSize+small:
		size = large
	}
	if size != len(w.buf) {
		buf := make([]byte, size)
		copy(buf, w.buf[:w.w])
		w.buf = buf
	}
}

// strip takes the beacons out of what was read at next, in place behind the
// bytes that are there. It stops at a beacon that is not all there.
func (w *window) strip(raw []byte) {
	for len(raw) > 0 {
		if w.next%w.interval == 0 {
			size := w.stripBeacon(raw)
			if size == 0 {
				return
			}
			raw = raw[min(size, int64(len(raw))):]
			continue // behind an unreadable one there is the next
		}
		n := copy(w.buf[w.w:], raw[:min(int64(len(raw)), w.interval-w.next%w.interval)])
		raw = raw[n:]
		w.w += n
		w.next += int64(n)
	}
}

// stripBeacon notes the beacon that raw starts with and returns how much of the
// file it takes: for one that is unreadable the whole segment, 0 when it is not
// all there.
func (w *window) stripBeacon(raw []byte) int64 {
	remaining, n, err := measureBeacon(raw)
	if errors.Is(err, errShort) && int64(len(raw)) < w.interval {
		return 0
	}
	size := int64(n)
	bad := err != nil || size > w.interval
	if bad {
		size = w.interval
	}
	w.cuts = append(w.cuts, cut{w.w, w.next, w.next + size, int64(remaining), bad})
	w.next += size
	return size
}
