package ss

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrMore is Next's answer when the window holds no further whole frame: Fill,
// then ask again.
var ErrMore = errors.New("more bytes needed")

// Damage is Next's error for bytes that hold no readable frame: Length bytes of
// the file from Offset on. Err is ErrChecksum, ErrFrame or ErrBeacon. The next
// call of Next continues behind them. For ErrChecksum with a Frame that has a
// Key, only that frame's payload is not to be trusted.
type Damage struct {
	Offset, Length int64
	Err            error
	Frame          Frame
}

func (d *Damage) Error() string {
	return fmt.Sprintf("%v at offset %d, length %d", d.Err, d.Offset, d.Length)
}

func (d *Damage) Unwrap() error { return d.Err }

// Scanner reads the frames of a file that may still grow. Fill does the I/O,
// Next hands out the frames that the window holds, so a caller can use all
// frames of a window before the next Fill overwrites them.
//
// What is not a whole frame at the end of the file is read again by the next
// Fill: a writer that opens the file after a crash cuts such bytes off and puts
// others in their place.
//
// Behind unreadable bytes the Scanner continues at the first frame that starts
// after the next beacon; behind a frame with a wrong checksum that ends where a
// frame should, at the next frame. A Scanner is not safe for concurrent use.
type Scanner struct {
	window
	key []byte // the last frame's, known to be valid

	lost  bool  // looking for the start of a frame, behind one of the cuts after base
	where int64 // since this file offset
	cause error // why; nil after MoveToBeacon
}

// NewScanner reads frames from offset on: HeaderSize, a Frame's Pos or End.
func NewScanner(src io.ReaderAt, interval uint32, offset int64) *Scanner {
	s := &Scanner{window: window{src: src, interval: int64(interval)}}
	s.MoveTo(offset)
	return s
}

// MoveTo goes to another offset, as in NewScanner.
func (s *Scanner) MoveTo(offset int64) {
	s.reset(offset)
	s.lost = false
}

// MoveToBeacon goes to the first frame that starts behind the beacon with index
// n; index 0 is the header.
func (s *Scanner) MoveToBeacon(n int64) {
	if n == 0 {
		s.MoveTo(HeaderSize)
		return
	}
	s.MoveTo(n * s.interval)
	s.lose(n*s.interval, nil)
}

// Offset is where the next frame starts, or where the bytes start that keep it
// from being found.
func (s *Scanner) Offset() int64 {
	if s.lost {
		return s.where
	}
	return s.startOffset()
}

// Aligned says that Offset is the start of a frame, though there may be none
// yet: not among unreadable bytes, and not on the way from a beacon to the
// first frame behind it.
func (s *Scanner) Aligned() bool { return !s.lost }

// Partial is how many bytes behind Offset the file has had so far: after an
// io.EOF of Fill, those that do not make a frame.
func (s *Scanner) Partial() int64 { return s.next - s.Offset() }

// Stuck is the damage at the end of the file when the bytes there will not
// become a frame by the file's growing. Nil while a frame is merely incomplete.
func (s *Scanner) Stuck() *Damage {
	if !s.lost || s.cause == nil {
		return nil
	}
	return &Damage{Offset: s.where, Length: s.next - s.where, Err: s.cause}
}

// Fill reads on, after Next said ErrMore. io.EOF: there was nothing more; it
// may be asked again. Frames from before are no longer valid.
func (s *Scanner) Fill() error {
	if s.ended && !s.told {
		s.told = true
		return io.EOF
	}
	if s.ended {
		s.again()
	}
	if s.lost {
		s.discard()
	}
	return s.fill()
}

// again goes back to the start of what is not a frame yet.
func (s *Scanner) again() {
	at, searching := s.Offset(), s.lost && s.cause == nil
	s.MoveTo(at)
	if searching {
		s.lose(at, nil)
	}
}

// discard empties the window of bytes among which no frame starts. It keeps
// what the last beacon says about how far away the next one is.
func (s *Scanner) discard() {
	last := s.cuts[len(s.cuts)-1]
	found := len(s.cuts)-1 > s.base
	s.r, s.w = 0, 0
	s.cuts, s.base = append(s.cuts[:0], cut{before: s.next, after: s.next}), 0
	if found {
		passed := s.next - last.after
		s.cuts = append(s.cuts, cut{0, last.before, s.next, last.remaining - passed, last.bad})
	}
}

// Window is the memory that frames refer to, until the next Fill.
func (s *Scanner) Window() []byte { return s.buf }

// Next returns the next frame of the window, ErrMore or a *Damage.
func (s *Scanner) Next() (f Frame, err error) {
	if err = s.Read(&f); err != nil {
		return Frame{}, err
	}
	return f, nil
}

// Read is Next into f, which means nothing after an error.
func (s *Scanner) Read(f *Frame) error {
	for s.settle(); s.lost; s.settle() {
		if !s.resync() {
			return ErrMore
		}
		if s.cause != nil {
			return s.damage()
		}
	}
	size, err := f.parse(s.buf[s.r:s.w], s.key)
	switch {
	case err != nil:
		return s.fail(err)
	case size == 0:
		return ErrMore
	case size > math.MaxInt-int64(s.r):
		return s.fail(ErrFrame)
	}
	end := s.r + int(size)
	if end <= s.w && s.unbroken(end) {
		c := &s.cuts[s.base]
		f.Pos, f.End = c.offset(s.r), c.after+int64(end-c.at)
		return s.whole(f, end, true)
	}
	return s.spliced(f, end, size)
}

// unbroken says that no beacon is in the frame that ends at window index end,
// nor right behind it: so it is with all but one in thousands.
func (s *Scanner) unbroken(end int) bool {
	return s.base+1 == len(s.cuts) || s.cuts[s.base+1].at > end
}

// spliced is a frame that may have beacons in it, or is not all there.
func (s *Scanner) spliced(f *Frame, end int, size int64) error {
	agree, broken := s.agrees(end)
	switch {
	case broken:
		return s.fail(ErrBeacon)
	case end > s.w:
		return s.incomplete(size, agree)
	}
	f.Pos, f.End = s.startOffset(), s.endOffset(end)
	return s.whole(f, end, agree)
}

// settle takes the beacons at the window's position as passed. Behind an
// unreadable one the frames are lost.
func (s *Scanner) settle() {
	for !s.lost && s.base+1 < len(s.cuts) && s.cuts[s.base+1].at <= s.r {
		s.base++
		if c := &s.cuts[s.base]; c.bad {
			s.lose(c.before, ErrBeacon)
		}
	}
}

// agrees compares a frame that ends at window index end with the beacons that
// split it, each of which knows how much of it is still to come. broken: one of
// them is unreadable, and the frame with it.
func (s *Scanner) agrees(end int) (agree, broken bool) {
	agree = true
	for _, c := range s.cuts[s.base+1:] {
		if c.at > end || c.bad && c.at == end {
			break
		}
		if c.bad {
			return false, true
		}
		agree = agree && c.remaining == int64(end-c.at)
	}
	return agree, false
}

// incomplete waits for the rest of a frame. One that contradicts a beacon is
// not waited for at the end of the file, nor does the window grow for it.
func (s *Scanner) incomplete(size int64, agree bool) error {
	if !agree && (s.ended || size > int64(len(s.buf))) {
		return s.fail(ErrFrame)
	}
	s.need = size
	return ErrMore
}

// whole checks a frame that is all there. Of three signs, checksum, mark and
// beacons, two are enough to trust its length: what follows it is read from
// there.
func (s *Scanner) whole(f *Frame, end int, agree bool) error {
	sound, marked := Checksum(f.Payload) == f.Sum, s.buf[end-1] == mark
	f.At, f.Marked = end-trailer-len(f.Payload), marked
	switch {
	case !sound && (!marked || !agree):
		return s.fail(ErrChecksum)
	case !marked && !agree:
		return s.fail(ErrFrame)
	}
	if string(s.key) != string(f.Key) {
		s.key = append(s.key[:0], f.Key...)
	}
	s.r, s.need = end, 0
	if !sound {
		return &Damage{f.Pos, f.End - f.Pos, ErrChecksum, *f}
	}
	return nil
}

// fail gives up the frame at the window's position.
func (s *Scanner) fail(cause error) error {
	s.lose(s.startOffset(), cause)
	if !s.resync() {
		return ErrMore
	}
	return s.damage()
}

func (s *Scanner) lose(where int64, cause error) {
	s.lost, s.where, s.cause, s.need = true, where, cause, 0
}

// resync goes to the start of a frame: as many bytes behind a beacon as the
// beacon says, unless the next beacon comes first and says it again.
func (s *Scanner) resync() bool {
	for i := s.base + 1; i < len(s.cuts); i++ {
		c := &s.cuts[i]
		to := int64(c.at) + c.remaining
		superseded := i+1 < len(s.cuts) && to > int64(s.cuts[i+1].at)
		if c.bad || superseded {
			continue
		}
		if to > int64(s.w) {
			return false
		}
		s.r, s.base, s.lost = int(to), i, false
		return true
	}
	return false
}

// damage is what resync skipped.
func (s *Scanner) damage() *Damage {
	return &Damage{Offset: s.where, Length: s.startOffset() - s.where, Err: s.cause}
}
