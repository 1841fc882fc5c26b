package stdio

import (
	"bytes"
	"time"
)

const (
	// chunkSize is the memory that lines are read into: what a pipe holds on
	// Linux, twice, so that one read can empty it.
	chunkSize = 128 << 10
	// minRead is the least room that a read is given.
	minRead = 4 << 10
	// maxLine is the longest line, without its newline. It bounds what one
	// line, or an input without newlines, can take of memory.
	maxLine = 64 << 20
	// headKept is how much is kept of a longer line: enough for its head, which
	// says the stream.
	headKept = 4 << 10
)

// splitter cuts what is read into blocks of whole lines. Blocks share the
// memory they were read into, which is never written again.
type splitter struct {
	max   int    // the longest line
	chunk []byte // what was read into the current memory
	from  int    // where the unfinished line begins in chunk
	head  []byte // the start of the unfinished line, when it is too long
	long  int64  // the length so far of an unfinished line that is too long; 0: it is not
}

// room is where to read to next. It grows with what was read, never with what
// an announced length says.
func (s *splitter) room() []byte {
	if free := cap(s.chunk) - len(s.chunk); free >= minRead {
		return s.chunk[len(s.chunk):cap(s.chunk)]
	}
	line := s.chunk[s.from:]
	chunk := make([]byte, len(line), max(chunkSize, min(2*len(line)+minRead, s.max+chunkSize)))
	copy(chunk, line)
	s.chunk, s.from = chunk, 0
	return chunk[len(chunk):cap(chunk)]
}

// added takes the n bytes that were read to room, at the time t, and appends
// the blocks that they complete.
func (s *splitter) added(blocks []*block, n int, t time.Time) []*block {
	fresh := len(s.chunk)
	s.chunk = s.chunk[:fresh+n]
	if s.long > 0 {
		end := bytes.IndexByte(s.chunk[fresh:], '\n')
		if end < 0 {
			s.long += int64(n)
			s.from = len(s.chunk)
			return blocks
		}
		s.long += int64(end)
		blocks = append(blocks, s.longBlock(t))
		fresh += end + 1
		s.from = fresh
	}
	if i := bytes.LastIndexByte(s.chunk[fresh:], '\n'); i >= 0 {
		end := fresh + i + 1
		blocks = append(blocks, &block{data: s.chunk[s.from:end:end], read: t})
		s.from = end
	}
	s.giveUp()
	return blocks
}

// giveUp stops keeping the unfinished line when it is too long.
func (s *splitter) giveUp() {
	line := s.chunk[s.from:]
	if len(line) > s.max {
		s.head, s.long = bytes.Clone(line[:min(headKept, len(line))]), int64(len(line))
		s.chunk, s.from = nil, 0
	}
}

func (s *splitter) longBlock(t time.Time) *block {
	b := &block{data: s.head, long: s.long, read: t}
	s.head, s.long = nil, 0
	return b
}

// rest appends the last line, which has no newline, if there is one.
func (s *splitter) rest(blocks []*block, t time.Time) []*block {
	line := s.chunk[s.from:]
	s.chunk, s.from = nil, 0
	switch {
	case s.long > 0:
		return append(blocks, s.longBlock(t))
	case len(line) > 0:
		return append(blocks, &block{data: line, read: t})
	}
	return blocks
}
