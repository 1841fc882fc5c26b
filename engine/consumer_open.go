package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/options"
)

// opening says how a consumer's next session reads.
type opening struct {
	mode   streamer.ConsumerMode
	dealt  bool                          // for a group in this process
	start  streamer.Position             // zero: the committed position, else Start, else AutoReset
	shards map[string][]streamer.ShardID // nil: all
}

// open opens a session and returns the consumer's queue on it.
func (c *consumer) open(ctx context.Context, o opening) (*queue, error) {
	if o.mode != streamer.LoadBalanced {
		return c.openOwn(ctx, o)
	}
	q, err := c.openOwn(ctx, o)
	if !errors.Is(err, driver.ErrNoGroups) {
		return q, err
	}
	return c.openDealt(ctx)
}

// openOwn opens a session of the consumer's own.
func (c *consumer) openOwn(ctx context.Context, o opening) (*queue, error) {
	s := newSession(c.sessionOptions(o.mode), c.obs)
	q := newQueue(s, c.obs)
	s.queues = []*queue{q}
	if err := s.open(ctx, c.home.b, c.sourceConfig(o)); err != nil {
		return nil, err
	}
	if k := o.first(c.o.Start).Kind(); k != streamer.AtSeq && k != streamer.AfterSeq {
		return q, nil
	}
	if err := oneShard(len(s.assignment())); err != nil {
		c.closeOld(q)
		return nil, err
	}
	return q, nil
}

// first is the position that decides where a shard without a committed one
// starts.
func (o *opening) first(fallback streamer.Position) streamer.Position {
	if o.start.Kind() != streamer.AtCommitted {
		return o.start
	}
	return fallback
}

// openDealt makes the consumer a member of an in-process group. The group's
// source is Resumable where the backend keeps positions.
func (c *consumer) openDealt(ctx context.Context) (*queue, error) {
	group := groupOptions{streams: c.o.Streams, session: c.sessionOptions(streamer.LoadBalanced), reset: c.o.AutoReset, start: c.o.Start}
	group.session.dealt = true
	q := newQueue(nil, c.obs)
	err := c.home.deals().join(ctx, c.o.Group, group, q, func(s *session) error {
		err := s.open(ctx, c.home.b, c.sourceConfig(opening{mode: streamer.Resumable, dealt: true}))
		if errors.Is(err, streamer.ErrUnsupported) {
			err = s.open(ctx, c.home.b, c.sourceConfig(opening{mode: streamer.RealTime, dealt: true}))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

func (c *consumer) sessionOptions(mode streamer.ConsumerMode) sessionOptions {
	return sessionOptions{
		mode:        mode,
		ack:         c.o.Ack,
		ackDelay:    c.o.AckDelay,
		commitEvery: c.o.CommitEvery,
		maxInFlight: c.o.MaxInFlight,
		prefetch:    c.o.Prefetch,
		bufferBytes: c.o.BufferBytes,
	}
}

func (c *consumer) sourceConfig(o opening) driver.SourceConfig {
	cfg := driver.SourceConfig{
		Streams:  slices.Clone(c.o.Streams),
		Shards:   o.shards,
		Mode:     o.mode,
		Dealt:    o.dealt,
		Start:    o.start,
		Fallback: c.o.Start,
		Reset:    c.o.AutoReset,
		Logger:   c.obs.Log,
	}
	switch {
	case o.mode != streamer.RealTime:
		cfg.Group, cfg.Name = c.o.Group, c.o.Name
	case o.start.Kind() == streamer.AtCommitted: // nothing is committed in RealTime
		cfg.Start = c.o.Start
	}
	return cfg
}

// checkStart refuses a Start with a sequence number if several shards would
// start there. A consumer that commits its first position must find out before
// it opens; for a backend without Admin that is not possible.
func (c *consumer) checkStart(ctx context.Context) error {
	if err := options.CheckPosition(c.o.Start); err != nil {
		return err
	}
	k := c.o.Start.Kind()
	admin, ok := c.home.b.(streamer.Admin)
	if k != streamer.AtSeq && k != streamer.AfterSeq || !ok || c.o.Mode == streamer.RealTime {
		return nil
	}
	n := 0
	for _, stream := range c.o.Streams {
		info, err := admin.Describe(ctx, stream)
		if err != nil {
			return nil //nolint:nilerr // OpenSource says it better
		}
		for _, sh := range info.Shards {
			if len(c.o.Shards) == 0 || slices.Contains(c.o.Shards, sh.ID) {
				n++
			}
		}
	}
	return oneShard(n)
}
