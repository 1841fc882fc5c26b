package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/nonblock"
)

// output is one writer, and the numbers of the lines that went there. Who has
// the turn has everything in it.
type output struct {
	to       io.Writer
	deadline interface{ SetWriteDeadline(time.Time) error } // nil: a Write cannot be interrupted
	turn     chan struct{}                                  // from the first line's formatting to the end of the Write: lines never mix

	numbers numbering
	buf     []byte
	rest    int       // at the start of buf stands the rest of a line whose beginning is written already, so many bytes
	lines   []outLine // behind it
}

// outLine is a whole line in an output's buf.
type outLine struct {
	*track
	seq uint64
	end int
}

// written is what came of an output's buf.
type written struct {
	lines   int  // how many of them are written
	cut     bool // the next one is in part
	unknown bool // the Write has not returned, lines is of no use
	err     error
}

func newOutput(w io.Writer) *output {
	o := &output{to: w, turn: make(chan struct{}, 1)}
	if d, ok := w.(interface{ SetWriteDeadline(time.Time) error }); ok && d.SetWriteDeadline(time.Time{}) == nil {
		o.deadline = d
	}
	if f, ok := w.(*os.File); ok {
		o.to = nonblock.Writer(f, unsignalled(f))
	}
	return o
}

// await takes the turn, pass gives it on.
func (o *output) await(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (o *output) pass() { <-o.turn }

// added takes what stands in buf from from on as the next line of t, or takes
// it out again because it is too long.
func (o *output) added(t *track, from int) error {
	if n := len(o.buf) - from - len(newline); n > maxLine {
		o.buf = o.buf[:from]
		return fmt.Errorf("a line of %d bytes, and %d are the most: %w", n, maxLine, streamer.ErrTooLarge)
	}
	o.lines = append(o.lines, outLine{track: t, seq: t.take(), end: len(o.buf)})
	return nil
}

// flush writes buf and passes the turn. When ctx ends during a Write that
// cannot be interrupted, the Write is left alone and keeps the turn until it
// returns.
func (o *output) flush(ctx context.Context) written {
	if o.deadline != nil {
		defer o.pass()
		return o.write(ctx)
	}
	done := make(chan written, 1)
	go func() { // ends with the Write: flush waits for it while ctx lasts
		w := o.write(ctx)
		o.pass()
		done <- w
	}()
	select {
	case w := <-done:
		return w
	case <-ctx.Done():
	}
	select {
	case w := <-done: // at the same time
		return w
	default:
		return written{unknown: true, err: ctx.Err()}
	}
}

func (o *output) write(ctx context.Context) written {
	if len(o.lines) == 0 {
		return written{}
	}
	rearm := o.interruptAfter(ctx)
	n, err := o.to.Write(o.buf)
	rearm()
	switch {
	case n < 0 || n > len(o.buf):
		n, err = 0, fmt.Errorf("the writer says that it wrote %d of %d bytes", n, len(o.buf))
	case n < len(o.buf) && err == nil:
		err = io.ErrShortWrite
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		err = ctx.Err()
	case isClosed(err):
		err = &streamer.Error{Kind: streamer.ErrClosed, Err: err}
	}
	return o.settle(n, err)
}

// interruptAfter makes a Write return that waits when ctx ends. What it returns
// undoes that.
func (o *output) interruptAfter(ctx context.Context) (rearm func()) {
	if o.deadline == nil {
		return func() {}
	}
	set := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = o.deadline.SetWriteDeadline(time.Unix(1, 0)) // an error means that the file is closed, which the Write reports
		close(set)
	})
	return func() {
		if !stop() {
			<-set
			_ = o.deadline.SetWriteDeadline(time.Time{})
		}
	}
}

// settle empties buf after n bytes of it were written. Of a line in part it
// keeps the rest, to go before the next line; the numbers of lines that are not
// written are given out again.
func (o *output) settle(n int, err error) written {
	w := written{err: err}
	start, end := 0, o.rest
	for w.lines < len(o.lines) && o.lines[w.lines].end <= n {
		start, end = o.lines[w.lines].end, o.lines[w.lines].end
		w.lines++
	}
	undo := w.lines
	if w.lines < len(o.lines) && n > max(start, o.rest) {
		end, w.cut = o.lines[w.lines].end, true
		undo++
	}
	for i := len(o.lines) - 1; i >= undo; i-- {
		o.lines[i].next = o.lines[i].seq
	}
	o.rest = copy(o.buf, o.buf[n:max(n, end)])
	o.buf, o.lines = shrunk(o.buf[:o.rest]), o.lines[:0]
	return w
}

// shrunk releases a buffer that one long line has grown.
func shrunk(buf []byte) []byte {
	if cap(buf) > 4*batchBytes && len(buf) < batchBytes {
		return append([]byte(nil), buf...)
	}
	return buf
}

// isClosed says that nothing will ever read what is written.
func isClosed(err error) bool {
	return brokenPipe(err) || errors.Is(err, fs.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}
