package redis

import (
	"io"
	"slices"
)

// slab takes a whole reply in. Messages are parts of it, so it is never written again when it was scanned.
type slab struct{ b []byte }

// Write implements io.Writer.
func (s *slab) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

// leastRead is how much room a read of unknown length gets.
const leastRead = 512

// ReadFrom implements io.ReaderFrom, which spares go-redis a buffer between the connection and the slab. It reads an io.LimitedReader to its end.
func (s *slab) ReadFrom(r io.Reader) (int64, error) {
	l, ok := r.(*io.LimitedReader)
	if !ok {
		return s.readAll(r)
	}
	// What is announced need not come: a slab grows with what does.
	from := len(s.b)
	for l.N > 0 {
		n := len(s.b)
		s.b = slices.Grow(s.b, int(min(l.N, largestGrowth)))
		m, err := l.Read(s.b[n:min(cap(s.b), n+int(min(l.N, largestGrowth)))])
		s.b = s.b[:n+m]
		if err != nil && l.N > 0 {
			return int64(len(s.b) - from), err
		}
	}
	return int64(len(s.b) - from), nil
}

const largestGrowth = 1 << 20

func (s *slab) readAll(r io.Reader) (read int64, err error) {
	for {
		n := len(s.b)
		s.b = slices.Grow(s.b, leastRead)
		m, err := r.Read(s.b[n:cap(s.b)])
		s.b = s.b[:n+m]
		read += int64(m)
		if err == io.EOF { //nolint:errorlint // io.Reader's contract
			return read, nil
		}
		if err != nil {
			return read, err
		}
	}
}
