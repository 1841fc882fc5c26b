package file

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
)

// census is what a source has to deliver that it had not emitted when the
// census began. It is read on where it ended, so that all calls of Lag together
// read the log once, and of that only what the source has not read.
type census struct {
	turn    chan struct{} // capacity 1: the rest is of who holds the token
	of      *identity     // source.is when it began
	turned  int           // and source.turned
	upTo    int64
	streams map[string]map[streamer.ShardID]*extent // nil: it has not begun
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
func (c *census) begin(s *source, v *openedView) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if same, err := s.is.of(v); err != nil {
		return err
	} else if !same {
		return notThere(s.place.path)
	}
	if c.of == s.is && s.turned == c.turned && c.upTo <= v.size {
		return nil
	}
	c.of, c.turned, c.upTo, c.streams = s.is, s.turned, s.seen, map[string]map[streamer.ShardID]*extent{}
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
func (c *census) read(ctx context.Context, s *source, v *openedView) error {
	if err := c.begin(s, v); err != nil {
		return err
	}
	for c.upTo < v.size {
		r := v.reader()
		r.moveTo(max(c.upTo, v.start()))
		err := r.each(ctx, func(e *entry, damaged bool) bool {
			c.see(s, e, damaged)
			return true
		})
		c.upTo = r.upTo
		if !errors.Is(err, errTrimmed) {
			return err
		}
		if _, err := v.rows.look(); err != nil {
			return err
		}
		v.base = v.rows.first()
	}
	return nil
}

func (c *census) see(s *source, e *entry, damaged bool) {
	of := c.streams[string(e.Key)]
	x := of[streamer.ShardID(e.Shard)]
	if x == nil {
		if damaged || !s.delivers(e) {
			return
		}
		if of == nil {
			of = map[streamer.ShardID]*extent{}
			c.streams[string(e.Key)] = of
		}
		x = &extent{first: e.Seq, last: e.Seq, offset: e.start}
		of[streamer.ShardID(e.Shard)] = x
	}
	x.last = max(x.last, e.Seq)
}

// delivers says whether a message is, or comes after, the first of its shard
// that the source delivers.
func (s *source) delivers(e *entry) bool {
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
