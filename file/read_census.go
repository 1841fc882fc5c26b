package file

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// census is what a source has to deliver that it had not emitted when the
// census began. It is read on where it ended, so that all calls of Lag together
// read the log once, and of that only what the source has not read.
type census struct {
	turn    chan struct{} // capacity 1: the holder of the token owns the rest
	of      *identity     // source.is when it began
	turned  int           // and source.turned
	upTo    int64
	streams map[string]map[streamer.ShardID]*logfile.Extent // nil: it has not begun
}

func newCensus() census { return census{turn: make(chan struct{}, 1)} }

// enter takes the token.
func (c *census) enter(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *census) leave() { <-c.turn }

// clear forgets what was read.
func (c *census) clear() { c.of, c.streams = nil, nil }

// begin begins again, where what was read does not hold for the log that v
// shows. ErrNotFound: that is not the one that the source reads.
func (c *census) begin(s *source, v *logfile.OpenedView) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if same, err := s.is.of(v); err != nil {
		return err
	} else if !same {
		return notThere(s.location.path)
	}
	if c.of == s.is && s.turned == c.turned && c.upTo <= v.Size {
		return nil
	}
	c.of, c.turned, c.upTo, c.streams = s.is, s.turned, s.seen, map[string]map[streamer.ShardID]*logfile.Extent{}
	for _, of := range s.streams {
		for _, sh := range of {
			if sh.read {
				c.upTo = min(c.upTo, sh.emittedTo(s.seen))
			}
		}
	}
	return nil
}

// read reads on to the end of v. What was read when ctx ends counts.
func (c *census) read(ctx context.Context, s *source, v *logfile.OpenedView) error {
	if err := c.begin(s, v); err != nil {
		return err
	}
	for c.upTo < v.Size {
		r := v.Reader()
		r.SeekTo(max(c.upTo, v.Start()))
		err := r.Each(ctx, func(e *logfile.Entry, damaged bool) bool {
			c.see(s, e, damaged)
			return true
		})
		c.upTo = r.UpTo
		if !errors.Is(err, logfile.ErrTrimmed) {
			return err
		}
		if _, err := v.Segments.Look(); err != nil {
			return err
		}
		v.Base = v.Segments.First()
	}
	return nil
}

func (c *census) see(s *source, e *logfile.Entry, damaged bool) {
	of := c.streams[string(e.Key)]
	x := of[streamer.ShardID(e.Shard)]
	if x == nil {
		if damaged || !s.delivers(e) {
			return
		}
		if of == nil {
			of = map[streamer.ShardID]*logfile.Extent{}
			c.streams[string(e.Key)] = of
		}
		x = &logfile.Extent{First: e.Seq, Last: e.Seq, Offset: e.Start}
		of[streamer.ShardID(e.Shard)] = x
	}
	x.Last = max(x.Last, e.Seq)
}

// delivers reports whether a message is, or comes after, the first of its shard
// that the source delivers.
func (s *source) delivers(e *logfile.Entry) bool {
	stream := string(e.Key)
	if !s.wants(stream) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh := s.streams[stream][streamer.ShardID(e.Shard)]; sh != nil {
		return sh.start.begins(e)
	}
	return s.unknown.begins(e)
}
