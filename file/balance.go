package file

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
)

// balance is what a process has to do for its share of a group.
type balance struct {
	share  int
	wanted []streamer.StreamShard // to be taken if they are free
	want   int                    // of these
	bare   []streamer.StreamShard // without a position: whoever comes first fixes it
	anew   bool                   // they are the group's first ones, else they are new shards
	excess []streamer.StreamShard // to be given up
}

// bareRounds is how many rounds a process waits for those that own shards of a group which vanished to make it again, before it begins the group anew. They take
// longer than an owner needs that hands over a shard meanwhile, which waits up to 5 s for what is in work.
const bareRounds = 30

// balance looks at the group and at who shares it; nil when the process has resigned. committing is held.
func (k *keeper) balance() (*balance, error) {
	s := k.s
	if k.seat == nil {
		return nil, nil
	}
	if s.unlocked || !k.seat.Intact() || !s.group.Intact() {
		if err := s.mend(); err != nil {
			return nil, err
		}
	}
	listed, err := k.listed()
	if err != nil {
		return nil, err
	}
	if k.bare++; len(listed) > 0 {
		k.bare = 0
	}
	rank, members, err := k.seat.Rank()
	if err != nil {
		return nil, err
	}
	b := &balance{anew: k.opening || k.bare >= bareRounds}
	b.bare = k.newcomers(listed, b.anew)
	b.divide(listed, k, rank, members)
	return b, nil
}

// listed is every shard of the group that has a position.
func (k *keeper) listed() ([]streamer.StreamShard, error) {
	list, err := k.s.group.List()
	return slices.DeleteFunc(list, func(at streamer.StreamShard) bool { return at.Stream == wildcard || !k.s.wants(at.Stream) }), err
}

// newcomers are the shards that exist and have no position: those that reading has come by or, when the group is begun, all that are known. In a group without any
// position nothing is new: it vanished, and those who own shards make it again.
func (k *keeper) newcomers(listed []streamer.StreamShard, anew bool) []streamer.StreamShard {
	s := k.s
	has := map[streamer.StreamShard]bool{}
	for _, at := range listed {
		has[at] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := range k.found {
		if has[at] {
			k.settle(at)
		}
	}
	switch {
	case !anew && k.bare > 0 && !k.wildly():
		return nil
	case !anew:
		return sortedShards(k.found)
	}
	var all []streamer.StreamShard
	for _, sh := range s.shards() {
		if !has[sh.StreamShard] {
			all = append(all, sh.StreamShard)
		}
	}
	return all
}

// settle notes that a shard that was found has a position. Whose it is, and whether the process has its share of all, the next round says. mu is held.
func (k *keeper) settle(at streamer.StreamShard) {
	delete(k.found, at)
	k.settled = false
}

// wildly says whether the group has a position in all streams, which is one in any that appears.
func (k *keeper) wildly() bool {
	return k.s.wild() && k.s.group.HasCursor(group.Everywhere)
}

// divide compares what a member owns with its share.
func (b *balance) divide(all []streamer.StreamShard, k *keeper, rank, members int) {
	if b.anew {
		all = slices.Concat(all, b.bare)
		slices.SortFunc(all, streamer.StreamShard.Compare)
	}
	from, count := group.Share(len(all), rank, members)
	b.share, b.want = count, count
	for _, at := range slices.Concat(all[from:], all[:from]) {
		switch _, own := k.owned[at]; {
		case k.leaving[at]:
		case !own:
			b.wanted = append(b.wanted, at)
		case b.want == 0:
			b.excess = append(b.excess, at)
		default:
			b.want--
		}
	}
}

// take makes the process the owner of shards that are free, and says which. committing is held.
func (k *keeper) take(ctx context.Context, b *balance) (gained []streamer.StreamShard, err error) {
	if err := k.takeWildcard(); err != nil {
		return nil, err
	}
	taken, err := k.lockFree(b)
	if err == nil && (len(taken) > 0 || k.opening) {
		err = k.own(ctx, taken, b)
	}
	if err != nil {
		k.giveBack(taken)
		return nil, err
	}
	n := min(b.want, len(taken))
	k.giveBack(taken[n:])
	if n < len(taken) {
		k.look() // they have a position now: they are shared out
	}
	return taken[:n], nil
}

// takeWildcard tries to become the one that writes where the group has come to in all streams.
func (k *keeper) takeWildcard() error {
	if !k.s.wild() {
		return nil
	}
	err := k.s.group.Lock(group.Everywhere)
	if errors.Is(err, streamer.ErrBusy) {
		return nil
	}
	return err
}

// lockFree locks as many shards as are wanted, and every one without a position.
func (k *keeper) lockFree(b *balance) (taken []streamer.StreamShard, err error) {
	g, known := k.s.group, k.inUse()
	for i, at := range slices.Concat(b.wanted, b.bare) {
		if i < len(b.wanted) && len(taken) == b.want || g.Owns(at) || known[at] {
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

// inUse are the shards that were given up and that Fetch may still read.
func (k *keeper) inUse() map[streamer.StreamShard]bool {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	all := map[streamer.StreamShard]bool{}
	for _, sh := range slices.Concat(k.changes, k.staged) {
		all[sh.StreamShard] = true
	}
	return all
}

// giveBack unlocks shards of which the engine knows nothing yet.
func (k *keeper) giveBack(shards []streamer.StreamShard) {
	for _, at := range shards {
		if k.owned[at] != nil {
			k.disown(at)
		}
		k.s.group.Free(at)
	}
}

// own fixes where shards start that were locked, and has the source read them.
// Those that never had a position begin where the group does when it is new,
// else with their first message. One whose position has vanished since the
// process looked is an error: its owner makes it again.
func (k *keeper) own(ctx context.Context, taken []streamer.StreamShard, b *balance) error {
	s := k.s
	all, err := s.loadCursors(func(at streamer.StreamShard) bool { return s.group.Owns(at) })
	if err != nil {
		return err
	}
	v, end, err := s.survey(ctx)
	if err != nil {
		return err
	}
	for at, last := range k.known {
		end.see(at, last)
	}
	p := planner{s: s, v: v, ending: &end, left: never, from: never}
	var shards []*shard
	for _, at := range taken {
		if all.Of[at] == nil && !b.anew && (!slices.Contains(b.bare, at) || !all.Begun(at.Stream)) {
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
	k.tell = append(k.tell, p.tell...)
	return k.read(&p, shards, all)
}

// read makes the positions of shards durable, and has the source read them.
func (k *keeper) read(p *planner, shards []*shard, all *group.Cursors) error {
	s := k.s
	from := min(p.left, p.ending.end)
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range shards {
		k.owned[sh.StreamShard] = sh
		k.settle(sh.StreamShard)
	}
	k.staged = append(k.staged, shards...)
	k.stagedFrom = min(k.stagedFrom, from)
	return nil
}
