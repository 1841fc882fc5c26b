package stdio

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gostreamer/streamer/internal/nonblock"
)

// window bounds in bytes how far the reading is ahead of the slowest source;
// one Read may go beyond it.
const window = 1 << 20

// reader is what an input reads from, and the reading goroutine's state.
type reader struct {
	from     io.Reader
	deadline interface{ SetReadDeadline(time.Time) error } // nil: a Read cannot be interrupted
	split    splitter
	idle     int           // how many Reads in a row brought nothing
	wake     chan struct{} // there may be room to read, or nothing left to read for
}

func newReader(r io.Reader, longest int) reader {
	rd := reader{from: nonblock.Reader(r), split: splitter{max: longest}, wake: make(chan struct{}, 1)}
	// A file that the runtime cannot poll, such as a terminal or a pipe as
	// standard input, has the method and refuses.
	if d, ok := r.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Time{}) == nil {
		rd.deadline = d
	}
	return rd
}

func (r *reader) ring() { ring(r.wake) }

// interrupt makes a Read return that waits for bytes, now or later. It is false
// where that cannot be done.
func (r *reader) interrupt() bool {
	return r.deadline != nil && r.deadline.SetReadDeadline(time.Unix(1, 0)) == nil
}

// rearm undoes interrupt.
func (r *reader) rearm() {
	if r.deadline != nil {
		_ = r.deadline.SetReadDeadline(time.Time{}) // it could be set before; if not, the next Read says why
	}
}

// run is the reading goroutine.
func (in *input) run(ended chan<- struct{}) {
	defer close(ended)
	for in.mayRead() {
		in.publish(in.read())
	}
}

// read reads once. A nil error says that there may be more. A deadline that has
// passed is interrupt's: whether to continue is for mayRead to say.
func (r *reader) read() ([]*block, error) {
	room := r.split.room()
	n, err := r.from.Read(room)
	now := time.Now().UTC().Round(0)
	if n < 0 || n > len(room) {
		return nil, fmt.Errorf("the reader says that it read %d bytes into room for %d", n, len(room))
	}
	blocks := r.split.added(nil, n, now)
	switch {
	case err == io.EOF:
		return r.split.rest(blocks, now), io.EOF
	case r.deadline != nil && errors.Is(err, os.ErrDeadlineExceeded):
		r.rearm()
		return blocks, nil
	case err != nil:
		return blocks, err
	case n > 0:
		r.idle = 0
		return blocks, nil
	}
	if r.idle++; r.idle == 100 {
		return blocks, io.ErrNoProgress
	}
	return blocks, nil
}
