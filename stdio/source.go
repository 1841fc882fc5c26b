package stdio

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// source is one consumer's view of an input.
type source struct {
	in    *input
	c     driver.SourceConfig
	wake  chan struct{} // there may be a next block, or an end
	place               // guarded by in.mu; the holder of fetching alone changes it once the source is open, and reads it without

	fetching sync.Mutex
	unread                 // the holder of fetching's
	done     chan struct{} // closed by Close
	close    sync.Once
	closed   error

	known  []knowledge            // by track.id
	shards []streamer.StreamShard // what Assigned was or will be given
	grown  bool                   // it has not been told the last of them
	warned bool                   // of a line that only looks like the format
}

// knowledge is what a source found out about a track when it met it.
type knowledge uint8

const (
	met knowledge = 1 << iota
	subscribed
	assigned // to the consumer, as subscribed or because a line for everyone has come in it
)

// everyStream, as a consumer's stream, is all of them.
const everyStream = "*"

func openSource(ctx context.Context, in *input, f Format, c driver.SourceConfig) (*source, error) {
	s := &source{in: in, c: c, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if err := in.attach(ctx, s, f); err != nil {
		return nil, err
	}
	for _, stream := range c.Streams {
		if stream == everyStream {
			stream = broadcast
		}
		s.assign(streamer.StreamShard{Stream: stream})
	}
	s.report()
	return s, nil
}

// assign adds a shard to those that are read.
func (s *source) assign(shard streamer.StreamShard) {
	if !slices.Contains(s.shards, shard) {
		s.shards = append(s.shards, shard)
		s.grown = true
	}
}

// report tells Assigned what assign added.
func (s *source) report() {
	if s.grown {
		s.grown = false
		s.c.Assigned(slices.Clone(s.shards))
	}
}

// Fetch implements driver.Source. It emits buffered lines, at most a block and
// a slab of them.
func (s *source) Fetch(ctx context.Context, emit func([]streamer.Message)) error {
	s.fetching.Lock()
	defer s.fetching.Unlock()
	for {
		if err := s.obstacle(ctx); err != nil {
			return err
		}
		if s.handOutBefore(emit) || s.handOut(emit) {
			return nil
		}
		moved, err := s.in.next(s)
		if moved {
			continue
		}
		if err != nil {
			return err
		}
		select {
		case <-s.wake:
		case <-s.done:
		case <-ctx.Done():
		}
	}
}

// obstacle is what keeps Fetch from going on.
func (s *source) obstacle(ctx context.Context) error {
	select {
	case <-s.done:
		return streamer.ErrClosed
	default:
		return ctx.Err()
	}
}

// Close implements driver.Source. Lines that were not handed out go to the next
// source that opens.
func (s *source) Close(ctx context.Context) error {
	s.close.Do(func() {
		close(s.done)
		s.fetching.Lock()
		defer s.fetching.Unlock()
		s.closed = s.in.detach(ctx, s, s.rest())
	})
	return s.closed
}

// handOut emits messages of the current block. It is false when there were
// none.
func (s *source) handOut(emit func([]streamer.Message)) bool {
	entries := s.in.decode(s.block)
	for s.line < len(entries) {
		slab, line := s.slab(entries)
		long := len(slab) == 0 && line < len(entries)
		if long {
			line++
		}
		s.in.move(s, place{block: s.block, line: line})
		s.report()
		if len(slab) > 0 {
			emit(slab)
			return true
		}
		if long {
			s.skip(&entries[line-1])
		}
	}
	return false
}

// slab makes messages of the lines from s.line up to the one that it returns:
// the end of the block, what a full slab has no room for, or a line to skip.
func (s *source) slab(entries []entry) (slab []streamer.Message, line int) {
	n, line := s.ahead(entries, s.room())
	if n == 0 {
		return nil, line
	}
	s.forget()
	slab = make([]streamer.Message, n)
	i := 0
	for at := s.line; i < n; at++ {
		if e := &entries[at]; s.reads(e) {
			e.fill(&slab[i])
			s.emitted(e)
			i++
		}
	}
	return slab, line
}

// ahead counts the messages for a slab.
func (s *source) ahead(entries []entry, room int) (n, line int) {
	for line = s.line; line < len(entries); line++ {
		e := &entries[line]
		if !s.reads(e) {
			continue
		}
		if e.length > 0 || n == room {
			break
		}
		n++
	}
	return n, line
}

// reads says whether e is for s.
func (s *source) reads(e *entry) bool {
	for e.id >= len(s.known) {
		s.known = append(s.known, 0)
	}
	k := &s.known[e.id]
	if *k&met == 0 {
		*k |= met
		if s.subscribes(e.Stream) {
			*k |= subscribed
		}
	}
	if *k&subscribed == 0 && !e.everyone {
		return false
	}
	if *k&assigned == 0 {
		*k |= assigned
		s.assign(e.StreamShard)
	}
	if e.odd && !s.warned {
		s.warn(e)
	}
	return true
}

func (s *source) subscribes(stream string) bool {
	return slices.Contains(s.c.Streams, stream) || slices.Contains(s.c.Streams, everyStream)
}

// warn tells of the first line that only looks like the format, since a writer
// that means it means it on every line.
func (s *source) warn(e *entry) {
	s.warned = true
	s.c.Logger.Warn("stdio: a line looks like the format and is not, so it is taken as it stands, as will be others",
		slog.String("format", s.in.format.String()), slog.String("stream", e.Stream), slog.Uint64("seq", e.seq))
}

// skip reports a line that is too long.
func (s *source) skip(e *entry) {
	s.c.Skipped(e.StreamShard, e.position(), fmt.Errorf("a line of %d bytes, and %d are the most: %w", e.length, s.in.max, streamer.ErrTooLarge))
}

// room is how many messages the slab may have.
func (s *source) room() int {
	n := s.c.MaxBatch
	if s.c.Room != nil {
		n = min(n, s.c.Room())
	}
	return max(n, 1)
}
