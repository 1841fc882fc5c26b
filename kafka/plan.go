package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// plan is where a source starts.
type plan struct {
	topics   map[string]topic
	starts   map[streamer.StreamShard]position      // the shards to read, and from where
	fresh    map[streamer.StreamShard]bool          // those whose start is not what is committed
	gone     map[streamer.StreamShard]int64         // the committed positions that do not exist any more
	deferred map[streamer.StreamShard]deferredStart // the shards to read whose start only their next leader can tell
	left     unasked                                // the shards to read whose leader does not answer
}

// plan finds out where to start. The ends are asked for before the commits are:
// what is sent after another member has committed a start is not skipped.
func (b *backend) plan(ctx context.Context, cfg *driver.SourceConfig) (*plan, error) {
	began := time.Now()
	topics, err := b.topics(ctx, cfg.Streams)
	if err != nil {
		return nil, err
	}
	if err := checkShards(cfg, topics); err != nil {
		return nil, err
	}
	p := &plan{
		topics:   topics,
		starts:   make(map[streamer.StreamShard]position),
		fresh:    make(map[streamer.StreamShard]bool),
		gone:     make(map[streamer.StreamShard]int64),
		deferred: make(map[streamer.StreamShard]deferredStart),
	}
	ends, err := p.ends(ctx, b, cfg)
	if err != nil {
		return nil, err
	}
	var places map[streamer.StreamShard]place
	if cfg.Mode != streamer.RealTime {
		err := reach(ctx, func() (err error) {
			places, err = b.committed(ctx, cfg.Group, cfg.Streams)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	want, err := p.choose(cfg, places)
	if err != nil {
		return nil, err
	}
	for s, at := range want {
		if err := p.left[s]; err != nil {
			p.deferred[s] = p.postpone(s, at, err, began)
			delete(want, s)
		}
	}
	if err := p.resume(ctx, b, cfg, ends); err != nil {
		return nil, err
	}
	at, err := b.resolve(ctx, want, ends)
	if err != nil {
		return nil, err
	}
	for s, start := range at {
		p.starts[s], p.fresh[s] = start, true
	}
	return p, nil
}

// ends asks for the ends of the shards to read. While none of them has an
// answer it waits: there is nothing to read meanwhile.
func (p *plan) ends(ctx context.Context, b *backend, cfg *driver.SourceConfig) (map[streamer.StreamShard]bounds, error) {
	shards := p.wanted(cfg)
	for began := time.Now(); ; {
		ends, left, err := b.bounds(ctx, shards)
		if err != nil || len(ends) > 0 || len(left) == 0 {
			p.left = left
			return ends, err
		}
		if time.Since(began) > patience {
			for s, err := range left {
				return nil, onShard(s, err)
			}
		}
	}
}

// wanted are the shards to read.
func (p *plan) wanted(cfg *driver.SourceConfig) []streamer.StreamShard {
	var shards []streamer.StreamShard
	for _, t := range p.topics {
		for _, s := range t.each() {
			if _, ok := cfg.StartOf(s); ok {
				shards = append(shards, s)
			}
		}
	}
	return shards
}

// checkShards refuses shards that do not exist.
func checkShards(cfg *driver.SourceConfig, topics map[string]topic) error {
	for stream, ids := range cfg.Shards {
		t := topics[stream]
		for _, id := range ids {
			if id >= streamer.ShardID(t.shards) { //nolint:gosec // never negative
				return onShard(streamer.StreamShard{Stream: stream, Shard: id},
					fmt.Errorf("%w: the topic has %d partitions", streamer.ErrNotFound, t.shards))
			}
		}
	}
	return nil
}

// choose takes what is committed and returns the positions of the other shards.
func (p *plan) choose(cfg *driver.SourceConfig, places map[streamer.StreamShard]place) (map[streamer.StreamShard]streamer.Position, error) {
	want := make(map[streamer.StreamShard]streamer.Position)
	for _, t := range p.topics {
		begun := false
		for _, s := range t.each() {
			_, ok := places[s]
			begun = begun || ok
		}
		for _, s := range t.each() {
			at, ok := cfg.StartOf(s)
			if !ok {
				continue
			}
			if pl, committed := places[s]; committed && at.Kind() == streamer.AtCommitted {
				p.starts[s] = pl.position
				continue
			}
			if at, ok, err := first(cfg, s, at, begun); err != nil {
				return nil, err
			} else if ok {
				want[s] = at
			}
		}
	}
	return want, nil
}

// first is the position of a shard that has none committed, or is not to go
// there.
func first(cfg *driver.SourceConfig, s streamer.StreamShard, at streamer.Position, begun bool) (streamer.Position, bool, error) {
	switch {
	case at.Kind() != streamer.AtCommitted:
		return at, true, nil
	case begun: // the shard is new to the group
		return streamer.Beginning(), true, nil
	}
	return cfg.FirstOf(s)
}

// resume continues where the committed positions lie in the logs now. A shard
// whose leader does not answer keeps its own; the client checks it later.
func (p *plan) resume(ctx context.Context, b *backend, cfg *driver.SourceConfig, ends map[streamer.StreamShard]bounds) error {
	now, err := b.locate(ctx, p.starts, ends)
	if err != nil {
		return err
	}
	for s, at := range now {
		committed := p.starts[s]
		if at.offset == committed.offset {
			continue
		}
		if cfg.Reset == streamer.ResetError {
			return positionGone(s, committed.offset, at.offset)
		}
		p.starts[s], p.gone[s], p.fresh[s] = at, committed.offset, true
	}
	return nil
}

func positionGone(s streamer.StreamShard, wanted, got int64) error {
	return &streamer.Error{Stream: s.Stream, Shard: &s.Shard, Kind: streamer.ErrPositionGone,
		Err: fmt.Errorf("%d was wanted, the nearest there is is %d", wanted, got)}
}

// places are the starts as positions to commit.
func (p *plan) places(note string) map[streamer.StreamShard]place {
	all := make(map[streamer.StreamShard]place, len(p.starts))
	for s, at := range p.starts {
		all[s] = place{at, note}
	}
	return all
}

// OpenSource implements driver.Backend.
func (b *backend) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	if b.closed.Load() {
		return nil, streamer.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch c.Mode {
	case streamer.RealTime:
		return b.openRealTime(ctx, c)
	case streamer.Resumable:
		return b.openResumable(ctx, c)
	case streamer.LoadBalanced:
		if c.Start.Kind() != streamer.AtCommitted {
			return nil, &streamer.Error{Kind: streamer.ErrUnsupported, Err: errors.New("a group's members start where the group is")}
		}
		return b.openMember(ctx, c)
	}
	return nil, fmt.Errorf("mode %d: %w", c.Mode, streamer.ErrUnsupported)
}
