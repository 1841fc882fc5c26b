package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// ReadHeader reads the header of a log. io.ErrUnexpectedEOF: it is not all
// there, as in a log that is being created.
func ReadHeader(src io.ReaderAt) (ss.Header, error) {
	b := make([]byte, ss.HeaderSize)
	n, err := src.ReadAt(b, 0)
	if n < len(b) && errors.Is(err, io.EOF) {
		if !headerPrefix(b[:n]) {
			return ss.Header{}, ss.ErrHeader
		}
		return ss.Header{}, io.ErrUnexpectedEOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return ss.Header{}, err
	}
	return ss.ParseHeader(b)
}

// headerPrefix reports whether b can be the start of a header. A file for which
// it cannot is one consumer's and not a log.
func headerPrefix(b []byte) bool {
	start := ss.Header{}.Append(nil)[:3]
	n := min(len(b), len(start))
	return string(b[:n]) == string(start[:n])
}

// recovery reads a log to its end, to continue writing there. Beacons would be
// quicker and can't be relied on: a writer of SeaStreamer's forgets in its
// beacons the streams that others wrote before it.
type recovery struct {
	enc  *ss.Encoder
	end  int64      // behind the last message
	held []ss.Frame // an end of stream and envelopes: they stay if a message follows

	declared map[string]int
	born     uint64 // when the first frame was written, if that is of a segment's beginning
	begun    int64  // where the first message would be
}

// recoverLog reads the log in f, for an Encoder at its end, after making that
// the end of the file: what a crash has left there, an end of stream, and an
// envelope whose message did not follow are cut off. Unreadable bytes that may
// hold messages are not: writing continues behind the next beacon.
func recoverLog(f Handle, interval uint32) (*recovery, error) {
	r := &recovery{enc: ss.NewEncoder(interval, ss.HeaderSize), end: ss.HeaderSize, begun: ss.HeaderSize, declared: map[string]int{}}
	s := ss.NewScanner(f, interval, ss.HeaderSize)
	if err := r.read(s); err != nil {
		return nil, err
	}
	end, err := r.cut(f, s, int64(interval))
	if err != nil {
		return nil, err
	}
	r.enc.MoveTo(end)
	return r, nil
}

func (r *recovery) read(s *ss.Scanner) error {
	for {
		f, err := s.Next()
		if err == nil {
			r.take(f)
			continue
		}
		if d, ok := errors.AsType[*ss.Damage](err); ok {
			r.damage(d)
			continue
		}
		if err := s.Fill(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (r *recovery) take(f ss.Frame) {
	if f.IsEOS() || f.IsInternal() && IsEnvelope(f.Payload) {
		f.Key, f.Payload = []byte(ss.Internal), nil // not the window's
		r.held = append(r.held, f)
		return
	}
	r.release()
	if f.IsInternal() {
		r.internal(&f)
	}
	r.enc.See(&f)
	r.end = f.End
}

// internal takes what a segment begins with, and declarations.
func (r *recovery) internal(f *ss.Frame) {
	if items, ok := ParseCarry(f.Payload); ok {
		r.enc.Carry(items)
		r.born = f.Time
	} else if d, ok := ParseDeclaration(f.Payload); ok {
		r.declared[d.Stream] = d.Shards
	} else {
		return
	}
	if r.end == ss.HeaderSize || r.end == r.begun {
		r.begun = f.End
	}
}

// damage goes over unreadable bytes. A message with a wrong checksum has its
// number all the same, if its stream is known: a new one must not get it again.
func (r *recovery) damage(d *ss.Damage) {
	r.release()
	if d.Frame.Key != nil && r.enc.Knows(string(d.Frame.Key), d.Frame.Shard) {
		r.enc.See(&d.Frame)
	}
	r.end = d.Offset + d.Length
}

func (r *recovery) release() {
	for i := range r.held {
		r.enc.See(&r.held[i])
	}
	r.held = r.held[:0]
}

// cut makes the place where writing continues the end of the file.
func (r *recovery) cut(f Handle, s *ss.Scanner, interval int64) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size := info.Size()
	keep, err := WorthKeeping(f, s, size)
	if err != nil {
		return 0, err
	}
	end := r.end
	if keep {
		r.release()
		end = (s.Offset() + s.Partial() + interval - 1) / interval * interval
		if end-size > maxGap {
			return 0, &GapError{Path: f.Name(), Offset: s.Offset(), Length: size - s.Offset()}
		}
	}
	if end == size {
		return end, nil
	}
	return end, f.Truncate(end)
}

// maxGap is how many bytes a writer leaves empty to get behind unreadable ones.
// With the usual distance of beacons it needs no more than 1 MiB.
const maxGap = 64 << 20

// ErrGap refuses to write behind unreadable bytes where the next beacon is far.
var ErrGap = fmt.Errorf("%w, and the place of the next beacon is far: cut the log where they start, or write another", ss.ErrFrame)

// GapError is unreadable bytes at the end of a log behind which writing cannot
// continue. It is ErrGap.
type GapError struct {
	Path           string
	Offset, Length int64
}

func (e *GapError) Error() string {
	return fmt.Sprintf("%s: %v: %d bytes from %d on", e.Path, ErrGap, e.Length, e.Offset)
}

func (e *GapError) Unwrap() error { return ErrGap }

// WorthKeeping reports whether what is behind the last message may hold others
// that cannot be read. What a crash leaves holds none: a part of one message,
// or the zeros that file systems put where they had no time to write.
func WorthKeeping(f io.ReaderAt, s *ss.Scanner, size int64) (bool, error) {
	tail := size - s.Offset()
	if tail < ss.FrameSize(0, 0) {
		return false, nil
	}
	b := make([]byte, min(tail, maxSearch))
	if n, err := f.ReadAt(b, s.Offset()); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	} else if b = b[:n]; s.Stuck() == nil {
		return ss.ContainsFrame(b), nil
	}
	return len(bytes.Trim(b, "\x00")) > 0, nil
}

// maxSearch is how much of an incomplete message is searched for others that
// its size, if that is wrong, hides. More than a beacon's distance is not
// needed: the next beacon would show it.
const maxSearch = 1 << 20

// IsEnvelope reports whether a payload is an envelope.
func IsEnvelope(payload []byte) bool {
	_, ok := ParseEnvelope(payload)
	return ok
}

// newHeader is the header of a log that is created.
func newHeader(name string, created int64, beacon int64) ss.Header {
	return ss.Header{Name: name, Created: uint64(max(created, 0)), Interval: uint32(beacon)}
}

// NotLog says what is wrong with a file that is no log.
func NotLog(path string, err error) error {
	if errors.Is(err, ss.ErrHeader) {
		return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("%s: %w", path, err)}
	}
	return disk.About(path, err)
}
