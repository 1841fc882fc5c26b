package memory

import (
	"fmt"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// group is the members that read under one name now. Where they have come is
// kept with each stream.
type group struct {
	name    string
	mode    streamer.ConsumerMode
	acks    Acks
	members []*source // in order of joining
}

// groupOf finds the group that c wants to join, or makes it. A group that
// others use in another way is ErrBusy. mu is held.
func (l *Log) groupOf(c *driver.SourceConfig, acks Acks) (*group, error) {
	g := l.groups[c.Group]
	if g == nil {
		return &group{name: c.Group, mode: c.Mode, acks: acks}, nil
	}
	if g.mode != c.Mode {
		return nil, fmt.Errorf("group %q has members that read it in another mode: %w", c.Group, streamer.ErrBusy)
	}
	if g.acks != acks {
		return nil, fmt.Errorf("%w: group %q has members with acks=%v", streamer.ErrInvalid, c.Group, g.acks)
	}
	return g, nil
}

// join adds s and shares the shards out again. mu is held.
func (l *Log) join(s *source) {
	s.group.members = append(s.group.members, s)
	l.groups[s.group.name] = s.group
	s.group.rebalance()
}

// leave takes s out, gives its shards and messages to the others. mu is held.
func (l *Log) leave(s *source) {
	g := s.group
	if g == nil || !slices.Contains(g.members, s) {
		return
	}
	g.members = slices.DeleteFunc(g.members, func(m *source) bool { return m == s })
	if len(g.members) == 0 {
		delete(l.groups, g.name)
	}
	for _, sub := range s.subs {
		sub.vacate()
	}
	g.rebalance()
}

// membersOn counts those that read the stream.
func (g *group) membersOn(stream string) int {
	n := 0
	for _, m := range g.members {
		if m.subs[stream] != nil {
			n++
		}
	}
	return n
}

// rebalance shares the shards out among the members of a group where each shard
// has one owner, and tells them. As few shards as possible move. Where all
// members read the same streams, each has as many as any other or one more.
func (g *group) rebalance() {
	if g.mode == streamer.LoadBalanced && g.acks == ByCursor && len(g.members) > 0 {
		g.plan()
	}
	for _, m := range g.members {
		m.kick()
	}
}

func (g *group) plan() {
	for _, m := range g.members {
		m.load = 0
	}
	shards := 0
	g.eachPlace(func(pl *place, candidates []*source) {
		shards++
		pl.keep(candidates)
	})
	g.eachPlace((*place).fill)
	least := shards / len(g.members)
	most := (shards + len(g.members) - 1) / len(g.members)
	g.eachPlace(func(pl *place, candidates []*source) { pl.level(candidates, least, most) })
}

// eachPlace calls f for every shard that the group reads, with those of its
// members that read it, in an order that only depends on the members.
func (g *group) eachPlace(f func(pl *place, candidates []*source)) {
	done := map[string]bool{}
	for _, first := range g.members {
		for _, name := range first.cfg.Streams {
			if sub := first.subs[name]; !done[name] && !sub.stream.deleted {
				done[name] = true
				candidates := g.readersOf(name)
				for i := range sub.progress.places {
					f(&sub.progress.places[i], candidates)
				}
			}
		}
	}
}

func (g *group) readersOf(stream string) []*source {
	var readers []*source
	for _, m := range g.members {
		if m.subs[stream] != nil {
			readers = append(readers, m)
		}
	}
	return readers
}

// keep leaves the shard to the member it is planned for.
func (pl *place) keep(candidates []*source) {
	if !slices.Contains(candidates, pl.plan) {
		pl.plan = nil
		return
	}
	pl.plan.load++
}

// fill gives a shard without a member to the one that has least.
func (pl *place) fill(candidates []*source) {
	if pl.plan == nil {
		pl.plan = lightest(candidates)
		pl.plan.load++
	}
}

// level moves the shard from a member that has more than its part to the one
// that has least. One skip the shards is enough.
func (pl *place) level(candidates []*source, least, most int) {
	from, to := pl.plan, lightest(candidates)
	surplus := from.load > most || from.load > least && to.load < least
	if surplus && from.load > to.load+1 {
		pl.plan = to
		from.load--
		to.load++
	}
}

func lightest(candidates []*source) *source {
	return slices.MinFunc(candidates, func(a, b *source) int { return a.load - b.load })
}
