package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/options"
)

// dealTable holds the in-process groups of one log. The zero value is ready.
type dealTable struct {
	mu     sync.Mutex
	groups map[dealKey]*dealtGroup
}

// dealKey names a group by its streams too: members on other streams form
// another group.
type dealKey struct{ group, streams string }

// dealtGroup is one in-process group: its members share a session. The fields
// belong to dealTable.mu, except that session and err are fixed when ready is
// closed.
type dealtGroup struct {
	o       groupOptions
	session *session
	err     error
	members int
	closing bool
	ready   chan struct{} // closed when the session is open, or err says why not
	gone    chan struct{} // closed when the last member has left and the source is closed
}

// groupOptions must be the same for every member.
type groupOptions struct {
	streams []string
	session sessionOptions
	reset   streamer.AutoReset
	start   streamer.Position
}

func (o *groupOptions) equal(p *groupOptions) bool {
	return o.session == p.session && o.reset == p.reset && options.Same(o.start, p.start)
}

func (o *groupOptions) key(group string) dealKey {
	return dealKey{group, strings.Join(slices.Sorted(slices.Values(o.streams)), "\x00")}
}

// Members implements DealTable.
func (d *dealTable) Members(stream, group string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for k, g := range d.groups {
		if k.group == group && slices.Contains(g.o.streams, stream) {
			n += g.members
		}
	}
	return n
}

// join makes q a member of the group. The first member opens the session, the
// others wait for it.
func (d *dealTable) join(ctx context.Context, group string, o groupOptions, q *queue, open func(*session) error) error {
	for {
		g, first, err := d.find(group, o)
		if err != nil {
			return err
		}
		if first {
			return d.found(g, q, open)
		}
		again, err := d.enter(ctx, group, g, q)
		if !again {
			return err
		}
	}
}

// find returns the group, which it creates if there is none.
func (d *dealTable) find(group string, o groupOptions) (g *dealtGroup, first bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := o.key(group)
	if g := d.groups[k]; g != nil {
		if !g.closing && !g.o.equal(&o) {
			return nil, false, fmt.Errorf("group %q has members with other options: give each the same: %w", group, streamer.ErrInvalid)
		}
		return g, false, nil
	}
	for other, g := range d.groups {
		if other.group == group && overlap(g.o.streams, o.streams) {
			return nil, false, fmt.Errorf("group %q has members on %s: a group's members read the same streams: %w",
				group, strings.Join(g.o.streams, ","), streamer.ErrInvalid)
		}
	}
	g = &dealtGroup{o: o, ready: make(chan struct{}), gone: make(chan struct{})}
	if d.groups == nil {
		d.groups = map[dealKey]*dealtGroup{}
	}
	d.groups[k] = g
	return g, true, nil
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// found opens a new group's session with q as the first member.
func (d *dealTable) found(g *dealtGroup, q *queue, open func(*session) error) error {
	s := newSession(g.o.session, q.obs)
	q.s, s.queues = s, []*queue{q}
	err := open(s)
	d.mu.Lock()
	if err != nil {
		d.drop(g)
		g.closing = true
		close(g.gone)
	}
	g.session, g.err, g.members = s, err, 1
	q.leaveGroup = func(ctx context.Context, why error) error { return d.leave(ctx, g, q, why) }
	d.mu.Unlock()
	close(g.ready)
	return err
}

// enter joins an existing group. again says that the group is closing or could
// not be opened and must be looked up again.
func (d *dealTable) enter(ctx context.Context, group string, g *dealtGroup, q *queue) (again bool, err error) {
	select {
	case <-g.ready:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	d.mu.Lock()
	if g.closing {
		d.mu.Unlock()
		select {
		case <-g.gone:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	if err := g.session.failure(); err != nil {
		d.mu.Unlock()
		return false, fmt.Errorf("group %q has failed: close its other members in this process first: %w", group, err)
	}
	g.members++
	q.leaveGroup = func(ctx context.Context, why error) error { return d.leave(ctx, g, q, why) }
	d.mu.Unlock()
	g.session.join(q)
	return false, nil
}

// leave takes q out of the group; the last member closes the session.
func (d *dealTable) leave(ctx context.Context, g *dealtGroup, q *queue, why error) error {
	d.mu.Lock()
	g.members--
	g.closing = g.members == 0
	last := g.closing
	d.mu.Unlock()
	if !last {
		g.session.leave(q, why)
		return g.session.commitUntil(ctx)
	}
	err := g.session.closeWithin(ctx, why)
	d.mu.Lock()
	d.drop(g)
	d.mu.Unlock()
	close(g.gone)
	return err
}

// drop removes a group. d.mu is held.
func (d *dealTable) drop(g *dealtGroup) {
	maps.DeleteFunc(d.groups, func(_ dealKey, other *dealtGroup) bool { return other == g })
}
