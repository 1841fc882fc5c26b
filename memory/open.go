package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// OpenSource implements driver.Backend.
func (b *backend) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	if err := b.enter(ctx, c.Streams...); err != nil {
		return nil, err
	}
	switch {
	case c.Mode < streamer.RealTime || c.Mode > streamer.LoadBalanced:
		return nil, fmt.Errorf("mode %d: %w", c.Mode, streamer.ErrUnsupported)
	case c.Mode == streamer.LoadBalanced && b.cfg.Groups == Dealt:
		return nil, driver.ErrNoGroups
	case c.Mode == streamer.LoadBalanced && c.Start.Kind() != streamer.AtCommitted:
		return nil, fmt.Errorf("a group's members start where the group is: %w", streamer.ErrUnsupported)
	}
	s := b.newSource(c)
	if err := s.open(b.cfg.Create, b.cfg.Shards); err != nil {
		return nil, err
	}
	s.announce()
	s.settle()
	return s.typed(), nil
}

func (b *backend) newSource(c driver.SourceConfig) *source {
	var streams []string
	for _, name := range c.Streams {
		if !slices.Contains(streams, name) {
			streams = append(streams, name)
		}
	}
	c.Streams = streams
	return &source{
		log:    b.log,
		cfg:    c,
		acks:   b.cfg.Acks,
		always: b.cfg.Create == streamer.CreateAlways,
		subs:   make(map[string]*subscription, len(streams)),
		wake:   make(chan struct{}, 1),
	}
}

// typed gives the source the methods of its way to commit.
func (s *source) typed() driver.Source {
	switch {
	case s.group == nil:
		return s
	case s.acks == ByCursor:
		return cursorSource{s}
	case s.shared():
		return sharedSource{ackSource{s}}
	}
	return ackSource{s}
}

// first is a position that has to be committed because none is.
type first struct {
	sub *subscription
	id  streamer.ShardID
	seq uint64
}

// open resolves every position and makes s known to the log, or leaves no
// trace. The settling is then the caller's.
func (s *source) open(create streamer.Create, shards int) error {
	l := s.log
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range s.cfg.Streams {
		if l.streams[name] == nil && create == streamer.CreateAlways {
			l.create(name, shards)
		}
		if err := s.subscribe(name); err != nil {
			return err
		}
	}
	if err := s.openGroup(); err != nil {
		return err
	}
	l.lastID++
	s.id = l.lastID
	s.settling = make(chan struct{})
	l.sources[s] = struct{}{}
	if s.group != nil {
		l.join(s)
	}
	s.compare()
	return nil
}

// subscribe finds a stream and, in RealTime, where to start.
func (s *source) subscribe(name string) error {
	st := s.log.streams[name]
	if st == nil {
		return missing(name, errNoStreamToRead)
	}
	for _, id := range s.cfg.Shards[name] {
		if _, err := st.shard(id); err != nil {
			return err
		}
	}
	sub := &subscription{src: s, stream: st}
	sub.reserve()
	s.subs[name] = sub
	if s.cfg.Mode != streamer.RealTime {
		return nil
	}
	slab := make([]cursor, len(st.shards))
	for i, sh := range st.shards {
		seq, ok, err := sub.initial(sh)
		if err != nil {
			return err
		}
		if ok {
			slab[i] = cursor{sub: sub, shard: sh, next: seq}
			sub.cursors[i] = &slab[i]
		}
	}
	return nil
}

// initial is where to start in a shard without a committed position. What must
// not be read is left out.
func (sub *subscription) initial(sh *shard) (seq uint64, ok bool, err error) {
	cfg := &sub.src.cfg
	p, ok := cfg.StartOf(sh.at())
	if !ok {
		return 0, false, nil
	}
	if p.Kind() == streamer.AtCommitted {
		if p, ok, err = cfg.FirstOf(sh.at()); err != nil {
			return 0, false, err
		}
		if !ok {
			sub.leaveOut(sh.id)
			return 0, false, nil
		}
	}
	seq, err = sh.resolve(p)
	return seq, err == nil, err
}

func (sub *subscription) leaveOut(id streamer.ShardID) {
	if sub.skip == nil {
		sub.skip = map[streamer.ShardID]bool{}
	}
	sub.skip[id] = true
}

// openGroup finds the group with its progress and commits where none is
// committed.
func (s *source) openGroup() error {
	if s.cfg.Mode == streamer.RealTime {
		return nil
	}
	g, err := s.log.groupOf(&s.cfg, s.acks)
	if err != nil {
		return err
	}
	g.restore()
	var firsts []first
	for _, name := range s.cfg.Streams {
		sub := s.subs[name]
		if sub.progress, err = sub.stream.progressOf(g.name, s.acks); err != nil {
			return err
		}
		if firsts, err = sub.uncommitted(firsts); err != nil {
			return err
		}
	}
	s.group = g
	for _, sub := range s.subs {
		sub.stream.groups[g.name] = sub.progress
	}
	for _, f := range firsts {
		f.sub.progress.commit(f.id, f.seq)
	}
	return nil
}

// uncommitted adds to firsts what has to be committed in this stream.
func (sub *subscription) uncommitted(firsts []first) ([]first, error) {
	begun := sub.progress.begun()
	for _, sh := range sub.stream.shards {
		start, ok := sub.src.cfg.StartOf(sh.at())
		if !ok {
			continue
		}
		if err := sub.refuse(sh); err != nil {
			return nil, err
		}
		stay := start.Kind() == streamer.AtCommitted
		if stay && sub.place(sh.id).set {
			continue
		}
		if stay && begun {
			firsts = append(firsts, first{sub, sh.id, sh.first})
			continue
		}
		seq, ok, err := sub.initial(sh)
		if err != nil {
			return nil, err
		}
		if ok {
			firsts = append(firsts, first{sub, sh.id, seq})
		}
	}
	return firsts, nil
}

// refuse is why the shard cannot be read: another consumer does, or the next
// message was trimmed away.
func (sub *subscription) refuse(sh *shard) error {
	pl, cfg := sub.place(sh.id), &sub.src.cfg
	if o := pl.owner; o != nil && cfg.Mode == streamer.Resumable {
		at := sh.at()
		return &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Kind: streamer.ErrBusy,
			Err: fmt.Errorf("group %q reads it already", cfg.Group)}
	}
	if start, _ := cfg.StartOf(sh.at()); start.Kind() == streamer.AtCommitted && pl.set &&
		cfg.Reset == streamer.ResetError && pl.committed() < sh.first {
		return positionGone(sh, pl.committed())
	}
	return nil
}
