package stdio

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// input is one reader and the sources that share what it brings.
//
// What was read is a list of blocks. Each source has its own place in it; it
// sees every line from the first one on that no consumer had been given when it
// opened. The input holds on to that place, so that lines which are read and
// not given to a consumer wait for the next source.
type input struct {
	reader
	decoder
	deals driver.Deals

	turn chan struct{} // held by a source that comes, and by the last one that goes until the reading has ended

	mu      sync.Mutex
	sources []*source
	used    bool    // a source has chosen the format
	unseen  place   // nothing has been given a line from here on
	left    []entry // lines before it that went to sources which have closed, and that no consumer was handed
	last    *block
	spare   []entry       // memory for the entries of the next block
	err     error         // what comes behind last; nil: not known yet
	running chan struct{} // closed when the reading goroutine has ended; nil: there is none
	inRead  bool          // it is inside Read
}

// place is a line in the list of blocks; behind the last line of a block, it is
// the next block's first.
type place struct {
	*block
	line int
}

func (p place) after(q place) bool {
	return p.nth > q.nth || p.nth == q.nth && p.line > q.line
}

func newInput(r io.Reader, longest int) *input {
	start := &block{}
	return &input{
		reader:  newReader(r, longest),
		decoder: decoder{max: longest},
		turn:    make(chan struct{}, 1),
		unseen:  place{block: start},
		last:    start,
	}
}

// attach opens the input for s. The first source starts the reading goroutine
// and chooses the format.
func (in *input) attach(ctx context.Context, s *source, f Format) error {
	if err := in.await(ctx); err != nil {
		return err
	}
	defer in.pass()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.used && in.format != f {
		return fmt.Errorf("%w format %v: this input is read in format %v already", streamer.ErrInvalid, f, in.format)
	}
	if !in.used {
		in.format, in.used = f, true
	}
	s.place = in.unseen
	s.before, in.left = in.left, nil
	in.sources = append(in.sources, s)
	if in.running == nil && in.err == nil {
		in.running = make(chan struct{})
		go in.run(in.running) // ends with the last source, or at the end of the input
	}
	return nil
}

// detach is attach's inverse. The last source ends the reading goroutine and
// waits for it, unless that is inside a Read which cannot be interrupted. Then
// it ends when the Read does, and what that brings is the next source's.
func (in *input) detach(ctx context.Context, s *source, rest []entry) error {
	in.mu.Lock()
	in.sources = slices.DeleteFunc(in.sources, func(other *source) bool { return other == s })
	in.inherit(rest)
	s.place = place{} // it would keep alive what is read later
	in.mu.Unlock()
	in.reader.ring()
	if err := in.await(ctx); err != nil {
		return err
	}
	defer in.pass()
	in.mu.Lock()
	running, inRead, last := in.running, in.inRead, len(in.sources) == 0
	in.mu.Unlock()
	if !last || running == nil {
		return nil
	}
	if inRead && !in.interrupt() {
		return nil
	}
	select {
	case <-running:
		in.rearm()
		return nil
	case <-ctx.Done(): // the goroutine ends later, and rearms if it was interrupted
		return ctx.Err()
	}
}

// await takes the turn of coming and going, if it is free even when ctx has
// ended; pass gives it on.
func (in *input) await(ctx context.Context) error {
	select {
	case in.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case in.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (in *input) pass() { <-in.turn }

// move says that s has been given the lines before to, and returns how far the
// reading is ahead.
func (in *input) move(s *source, to place) int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	from := s.place
	s.place = to
	if from.nth < to.nth {
		in.reuse(from.block)
	}
	if to.after(in.unseen) {
		in.unseen = to
	}
	return in.ahead()
}

// next moves s to the block behind its own. When there is none yet it says so,
// and when there will be none it says why.
func (in *input) next(s *source) (moved bool, err error) {
	in.mu.Lock()
	b, err := s.next, in.err
	in.mu.Unlock()
	if b == nil {
		return false, err
	}
	if in.move(s, place{block: b}) < window/2 { // not at once: the goroutine is woken for several Reads
		in.reader.ring()
	}
	return true, nil
}

// decode returns the entries of b. The source that comes to b first decodes it
// for all; every source goes from block to block, so that happens in the order
// of the blocks.
func (in *input) decode(b *block) []entry {
	b.decoded.Do(func() {
		in.mu.Lock()
		memory := in.spare
		in.spare = nil
		in.mu.Unlock()
		b.entries = in.entries(memory, b)
	})
	return b.entries
}

// reuse takes the entries of a block that every source has left. in.mu is held.
func (in *input) reuse(b *block) {
	for _, s := range in.sources {
		if s.nth <= b.nth {
			return
		}
	}
	const most = 16 << 10 // of very short lines there are so many that keeping their memory does not pay
	if cap(b.entries) <= most {
		in.spare = b.entries
	}
	b.entries = nil
}

// mayRead waits until a source can use more. It is false when there is no
// source or nothing more to read: then the goroutine ends.
func (in *input) mayRead() bool {
	for {
		in.mu.Lock()
		if len(in.sources) == 0 || in.err != nil {
			in.running = nil
			in.mu.Unlock()
			return false
		}
		in.inRead = in.ahead() < window
		read := in.inRead
		in.mu.Unlock()
		if read {
			return true
		}
		<-in.wake
	}
}

// ahead is how many bytes the reading is ahead of the slowest source's block.
// in.mu is held.
func (in *input) ahead() int64 {
	least := in.last.end
	for _, s := range in.sources {
		least = min(least, s.end)
	}
	return in.last.end - least
}

// publish appends what one Read brought, then err, and wakes the sources.
func (in *input) publish(blocks []*block, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.inRead = false
	in.err = err
	for _, b := range blocks {
		b.nth, b.end = in.last.nth+1, in.last.end+int64(len(b.data))
		in.last.next = b
		in.last = b
	}
	if len(blocks) == 0 && err == nil {
		return
	}
	for _, s := range in.sources {
		ring(s.wake)
	}
}

// ring wakes who waits for c, now or next time.
func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
