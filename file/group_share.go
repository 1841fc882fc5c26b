package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
)

// bareRounds is how many rounds a process waits for the owners of the shards of
// a group that was removed to recreate it, before it begins the group again
// itself. They take longer than an owner that hands over a shard meanwhile,
// which waits up to 5 s for messages in flight.
const bareRounds = 30

// balance looks at the group and at the processes that share it; nil when this
// one has resigned. committing is held.
func (s *source) balance() (*group.Balance, error) {
	k := s.sharing
	if s.seat == nil {
		return nil, nil
	}
	if err := s.mend(); err != nil {
		return nil, err
	}
	listed, err := s.listed()
	if err != nil {
		return nil, err
	}
	if k.bare++; len(listed) > 0 {
		k.bare = 0
	}
	rank, members, err := s.seat.Rank()
	if err != nil {
		return nil, err
	}
	first := k.opening || k.bare >= bareRounds
	return k.keeper.Balance(listed, s.newcomers(listed, first), first, rank, members), nil
}

// listed is every shard of the group that has a position.
func (s *source) listed() ([]streamer.StreamShard, error) {
	list, err := s.group.List()
	return slices.DeleteFunc(list, func(at streamer.StreamShard) bool { return at.Stream == wildcard || !s.wants(at.Stream) }), err
}

// newcomers are the shards that exist and have no position: those that reading
// has found or, when the group begins, all that are known. A group without any
// position has no new shards: it was removed, and its owners recreate it.
func (s *source) newcomers(listed []streamer.StreamShard, first bool) []streamer.StreamShard {
	has := map[streamer.StreamShard]bool{}
	for _, at := range listed {
		has[at] = true
	}
	found := s.sharing.keeper.Newcomers(has)
	switch {
	case !first && s.sharing.bare > 0 && !s.wildly():
		return nil
	case !first:
		return found
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []streamer.StreamShard
	for _, sh := range s.shards() {
		if !has[sh.StreamShard] {
			all = append(all, sh.StreamShard)
		}
	}
	return all
}

// wildly reports whether the group has a position in all streams, which is a
// position in any stream that appears.
func (s *source) wildly() bool { return s.wild() && s.group.HasCursor(group.Everywhere) }

// take makes the process the owner of shards that are free, and returns these.
// committing is held.
func (s *source) take(ctx context.Context, b *group.Balance) (gained []streamer.StreamShard, err error) {
	if err := s.takeWildcard(); err != nil {
		return nil, err
	}
	taken, err := s.lockFree(b)
	if err == nil && (len(taken) > 0 || s.sharing.opening) {
		err = s.startTaken(ctx, taken, b)
	}
	if err != nil {
		s.giveBack(taken)
		return nil, err
	}
	n := min(b.Want, len(taken))
	s.giveBack(taken[n:])
	if n < len(taken) {
		s.sharing.look() // they have a position now: they are shared out
	}
	return taken[:n], nil
}

// takeWildcard tries to become the owner of the group's position in all
// streams.
func (s *source) takeWildcard() error {
	if !s.wild() {
		return nil
	}
	err := s.group.Lock(group.Everywhere)
	if errors.Is(err, streamer.ErrBusy) {
		return nil
	}
	return err
}

// lockFree locks as many shards as are wanted, and every shard without a
// position.
func (s *source) lockFree(b *group.Balance) (taken []streamer.StreamShard, err error) {
	g, changing := s.group, s.changing()
	for i, at := range slices.Concat(b.Wanted, b.Bare) {
		if i < len(b.Wanted) && len(taken) == b.Want || g.Owns(at) || changing[at] {
			continue
		}
		err := g.Lock(at)
		if errors.Is(err, streamer.ErrBusy) {
			continue
		}
		if err != nil {
			return taken, err
		}
		taken = append(taken, at)
	}
	return taken, nil
}

// changing is the shards in whose reading a change is planned: one that was
// given up may still be read.
func (s *source) changing() map[streamer.StreamShard]bool {
	s.mu.Lock() // no plan is being applied
	defer s.mu.Unlock()
	return s.sharing.keeper.Changing()
}

// giveBack unlocks shards that the engine does not know of yet.
func (s *source) giveBack(shards []streamer.StreamShard) {
	for _, at := range shards {
		if s.sharing.keeper.Owns(at) {
			s.disown(at)
		}
		s.group.Free(at)
	}
}

// startTaken fixes where shards start that were locked, and has them read.
// Those that never had a position begin where the group does when it is new,
// else with their first message. One whose position was removed since the
// process looked is an error: its owner recreates it.
func (s *source) startTaken(ctx context.Context, taken []streamer.StreamShard, b *group.Balance) error {
	all, err := s.loadCursors(func(at streamer.StreamShard) bool { return s.group.Owns(at) })
	if err != nil {
		return err
	}
	v, end, err := s.survey(ctx)
	if err != nil {
		return err
	}
	for at, last := range s.sharing.known {
		end.See(at, last)
	}
	p := planner{s: s, v: v, ending: &end, left: never, from: never}
	var shards []*shard
	for _, at := range taken {
		if all.Of[at] == nil && !b.First && (!slices.Contains(b.Bare, at) || !all.Begun(at.Stream)) {
			return fmt.Errorf("group %q vanished: %w", s.cfg.Group, streamer.ErrNotFound)
		}
		sh := newShard(at)
		if err := p.planMember(ctx, sh, all); err != nil {
			return err
		}
		shards = append(shards, sh)
	}
	if err := p.search(ctx); err != nil {
		return err
	}
	if err := p.planNew(all); err != nil {
		return err
	}
	s.sharing.reports = append(s.sharing.reports, p.reports...)
	return s.beginTaken(&p, shards, all)
}

// beginTaken makes the positions of shards durable, and has them read.
func (s *source) beginTaken(p *planner, shards []*shard, all *group.Cursors) error {
	from := min(p.left, p.ending.End)
	for _, sh := range p.write {
		sh.saved.Seen = from
		if err := s.store(sh.StreamShard, sh.saved); err != nil {
			return err
		}
	}
	if s.group.Owns(group.Everywhere) && all.Of[group.Everywhere] == nil {
		if err := s.store(group.Everywhere, &group.Cursor{Resume: from, Seen: from}); err != nil {
			return err
		}
	}
	var gained []streamer.StreamShard
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range shards {
		s.mine[sh.StreamShard] = sh
		gained = append(gained, sh.StreamShard)
	}
	s.sharing.keeper.Gain(gained, from)
	return nil
}

// disown ends commits of a shard. committing is held.
func (s *source) disown(at streamer.StreamShard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh := s.mine[at]; sh != nil {
		sh.saved = nil
		delete(s.mine, at)
	}
	s.sharing.keeper.Drop(at)
}

// lose is disown for a shard that another process has taken over. committing is
// held.
func (s *source) lose(at streamer.StreamShard) {
	s.disown(at)
	s.sharing.keeper.Lose(at)
	s.sharing.look()
}

// lockShareAgain takes the seat and the locks of a group that was removed. A
// shard is lost when another process has made it durable by now. One that
// another holds without a position is not: that process gives it back, for it
// cannot know how far the shard was read. committing is held.
func (s *source) lockShareAgain() error {
	if s.seat != nil {
		s.seat.Leave()
		seat, err := s.group.Enroll(s.cfg.Streams)
		if err != nil {
			return err
		}
		s.seat = seat
	}
	for _, at := range s.sharing.keeper.Owned() {
		err := s.group.Lock(at)
		if errors.Is(err, streamer.ErrBusy) {
			if c, err := s.group.Load(at); c == nil {
				return fmt.Errorf("group %q vanished, and another process looks at %s shard %v: %w", s.cfg.Group, at.Stream, at.Shard, cmp.Or(cursorError(err), streamer.ErrBusy))
			}
			s.lose(at)
			continue
		}
		if err != nil {
			return err
		}
	}
	return s.takeWildcard()
}
