package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

// groupState is what the server says of a group on one key.
type groupState struct {
	delivered id // the last that any member got
	pending   int64
	read      int64 // entries that were delivered; -1: the server cannot tell
	lag       int64 // entries that were not; -1: the server cannot tell
}

// groupState asks about a group; nil where there is none.
func (b *backend) groupState(ctx context.Context, key, group string) (*groupState, error) {
	all, err := b.client.XInfoGroups(ctx, key).Result()
	if isMissingKey(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		if g.Name == group {
			return stateOf(&g), nil
		}
	}
	return nil, nil
}

func stateOf(g *redis.XInfoGroup) *groupState {
	return &groupState{delivered: infoID(g.LastDeliveredID), pending: g.Pending, read: g.EntriesRead, lag: g.Lag}
}

// entrance is how a source comes to its place in a group.
type entrance struct {
	after id   // where the group begins, if it does
	move  bool // the group has a position and is to leave it
}

// enterGroup joins the group on one shard, and makes it where there is none.
func (s *source) enterGroup(ctx context.Context, sh *shard, st *state, g *groupState, e entrance) error {
	if g == nil {
		err := s.b.client.XGroupCreateMkStream(ctx, sh.key, s.group, e.after.String()).Err()
		if code(err) == "BUSYGROUP" { // another member was quicker
			g, err = s.b.groupState(ctx, sh.key, s.group)
		}
		if err != nil {
			return err
		}
	}
	if err := s.occupy(ctx, sh); err != nil {
		return err
	}
	if e.move {
		return s.moveGroup(ctx, sh, e.after)
	}
	if g == nil {
		return nil
	}
	sh.last = g.delivered
	if err := s.missed(ctx, sh, st, g); err != nil {
		return err
	}
	if s.shared() {
		_ = s.look(ctx, sh) // else the keeper finds it
	} else if err := s.takeOver(ctx, sh); err != nil {
		return err
	}
	sh.replay = &id{}
	return nil
}

// occupy takes the place of a Resumable group's owner, or ensures that there
// is none, and takes a member's name.
func (s *source) occupy(ctx context.Context, sh *shard) error {
	by := occupant{lock: s.lock}
	if _, maybe := s.entered[sh.key]; s.isNamed() && !maybe {
		by.name, by.lease = s.name, s.nameLease()
	}
	got, err := s.b.occupy(ctx, sh.key, s.group, by)
	if sure := err == nil && got == free; sure || isLost(err) {
		s.entered[sh.key] = sure
	}
	switch {
	case err != nil:
		return err
	case got == sameName:
		return about(sh.StreamShard, streamer.ErrBusy, "a member of group %q has the name %q, or had it within the last %v: "+
			"each member wants a name= of its own, or none", s.group, s.name, s.nameLease())
	case got == occupied:
		return about(sh.StreamShard, streamer.ErrBusy, "group %q is in use", s.group)
	}
	s.alive(sh)
	return nil
}

// moveGroup makes the group begin after an id, with nothing pending. The
// owner's place is recreated with it.
func (s *source) moveGroup(ctx context.Context, sh *shard, after id) error {
	pipe := s.b.client.TxPipeline()
	pipe.XGroupDestroy(ctx, sh.key, s.group)
	pipe.XGroupCreateMkStream(ctx, sh.key, s.group, after.String())
	pipe.XGroupCreateConsumer(ctx, sh.key, s.group, s.lock)
	return execute(ctx, pipe)
}

// missed tells of messages that the group had not done with and that are
// trimmed away.
func (s *source) missed(ctx context.Context, sh *shard, st *state, g *groupState) error {
	wanted, err := s.b.wanted(ctx, sh.key, s.group, g)
	first, some := st.first()
	if err != nil || !some && st.added == 0 {
		return err
	}
	if !some {
		first = st.last().next()
	}
	lost := wanted.less(first) && (g.pending > 0 || g.read >= 0 && g.read < st.added-st.length)
	if !lost {
		return nil
	}
	if s.cfg.Reset == streamer.ResetError {
		return about(sh.StreamShard, streamer.ErrPositionGone, "%v was wanted, the oldest left is %v", wanted, first)
	}
	s.cfg.Gone(sh.StreamShard, wanted.seqNo(), first.seqNo())
	return nil
}

// wanted is the first message that the group is not done with, if it still
// exists: the oldest that is pending, else the next.
func (b *backend) wanted(ctx context.Context, key, group string, g *groupState) (id, error) {
	if g.pending == 0 {
		return g.delivered.next(), nil
	}
	p, err := b.client.XPending(ctx, key, group).Result()
	if errors.Is(err, redis.Nil) {
		return g.delivered.next(), nil
	}
	if err != nil {
		return id{}, err
	}
	return infoID(p.Lower), nil
}

const takeOverCount = 1000

// takeOver makes all that is pending ours: a group of one has no other who
// could have it.
func (s *source) takeOver(ctx context.Context, sh *shard) error {
	from := "0-0"
	for {
		_, next, err := s.b.client.XAutoClaimJustID(ctx, &redis.XAutoClaimArgs{
			Stream: sh.key, Group: s.group, Consumer: s.name, Start: from, Count: takeOverCount,
		}).Result()
		if err != nil {
			return fmt.Errorf("taking over what is pending: %w", err)
		}
		if from = next; infoID(from) == lowest {
			return nil
		}
	}
}

// chore does the first of what has to be done before new messages of a shard
// are read. done says that there was something.
func (l *lane) chore(ctx context.Context, sh *shard) (done bool, err error) {
	if err := l.s.stillOurs(ctx, sh); err != nil {
		return false, err
	}
	if l.s.takeRestored(sh) {
		sh.replay = &id{} // another may have come and gone, and left something behind
	}
	if sh.replay != nil {
		l.forget() // what has come is pending as well
	}
	left, gaveBack := l.s.leftOf(sh)
	switch {
	case sh.replay != nil && gaveBack:
		return true, l.s.giveBackUnseen(ctx, sh)
	case sh.replay != nil:
		return true, l.readPending(ctx, sh)
	case left != nil:
		return true, l.readClaimed(ctx, sh, *left)
	}
	return false, nil
}

// giveBackUnseen returns what a lost reply held, so that it comes in order with
// what we gave back before.
func (s *source) giveBackUnseen(ctx context.Context, sh *shard) error {
	seen := s.inFlight(sh)
	err := s.eachPending(ctx, sh, func(ids []string) error {
		unseen := slices.DeleteFunc(slices.Clone(ids), func(i string) bool { return seen[infoID(i)] })
		if len(unseen) == 0 {
			return nil
		}
		defer s.leftBehind(sh.StreamShard, infoID(unseen[0])) // even if the reply is lost
		return s.giveBack(ctx, sh.key, returned, unseen, "retrycount", "0")
	})
	if err == nil {
		sh.replay = nil
	}
	return err
}

// readPending reads a page of our own pending messages and emits those that
// were not.
func (l *lane) readPending(ctx context.Context, sh *shard) error {
	known := l.s.inFlight(sh) // before it is asked for
	limit := l.s.limit()
	args := append(l.beginning(nil, limit, false), sh.key, sh.replay.String())
	return l.askOlder(ctx, args, &turn{shards: []*shard{sh}, count: limit, take: func(ctx context.Context, r *reply, lost error) error {
		return l.takePending(ctx, sh, known, r, lost)
	}})
}

// takePending takes in a page of pending messages, or what has come of it.
func (l *lane) takePending(ctx context.Context, sh *shard, known map[id]bool, r *reply, lost error) error {
	var gone []id
	upTo, entries := *sh.replay, 0
	err := l.scan(r, func(sh *shard, e *entry) {
		entries++
		upTo = e.at
		switch {
		case e.gone:
			gone = append(gone, e.at)
		case known[e.at]:
		case sh.restored && l.isRepeated(sh, e):
		default:
			l.page.add(l.s, sh, e)
			sh.last = later(sh.last, e.at)
		}
	})
	if lost != nil && code(err) == "" {
		err = lost
	}
	err = errors.Join(err, l.ackRepeated(ctx), l.s.discard(ctx, sh, gone))
	sh.replay = &upTo // what was scanned is in the page
	if err == nil && entries == 0 {
		sh.replay = nil
	}
	return err
}

// discard is done with messages that were deleted while they were pending.
func (s *source) discard(ctx context.Context, sh *shard, gone []id) error {
	if len(gone) == 0 {
		return nil
	}
	ids := make([]string, len(gone))
	for i, g := range gone {
		ids[i] = g.String()
	}
	return s.b.client.XAck(ctx, sh.key, s.group, ids...).Err()
}

// readClaimed takes a page of what other members left behind, from the first on
// that is, and looks whether there is more: going through all that is pending
// would take as long as others add to it. A reply that is lost makes all of it
// ours without our knowing.
func (l *lane) readClaimed(ctx context.Context, sh *shard, left id) error {
	known := l.s.inFlight(sh) // before it is asked for
	if err := l.ready.ids(sh, known); err != nil {
		return err
	}
	limit := l.s.limit()
	args := []any{"xautoclaim", sh.key, l.s.group, l.s.name, l.s.b.cfg.ClaimIdle.Milliseconds(), left.String(), "count", limit}
	return l.askOlder(ctx, args, &turn{
		shards: []*shard{sh}, count: limit,
		take: func(ctx context.Context, r *reply, lost error) error {
			return l.takeClaimed(ctx, sh, left, known, r, lost)
		},
		lost: func() { sh.replay = &id{} },
	})
}

// takeClaimed takes in a page of claimed messages, or what has come of it.
func (l *lane) takeClaimed(ctx context.Context, sh *shard, left id, known map[id]bool, r *reply, lost error) error {
	l.s.touchAll(l.shards)
	var gone []id
	entries := 0
	_, err := scanClaim(r.b, func(_ []byte, n int) error { l.page.room(n); return nil }, func(e *entry) error {
		entries++
		left = later(left, e.at.next())
		if e.gone {
			gone = append(gone, e.at)
		} else if !known[e.at] {
			l.page.add(l.s, sh, e)
		}
		return nil
	}, func(id) {})
	l.s.size.learn(len(r.b), entries, r.took)
	if lost != nil && code(err) == "" {
		err = lost
	}
	if err != nil && code(err) == "" {
		sh.replay = &id{}
	}
	if err = errors.Join(err, l.s.discard(ctx, sh, gone)); err != nil {
		return err
	}
	return l.s.lookOn(ctx, sh, left)
}

// ids adds to all what of a shard is in a page of new messages; t may be nil.
func (t *turn) ids(of *shard, all map[id]bool) error {
	if t == nil {
		return nil
	}
	ours := false
	return scanStreams(t.reply.b, func(key []byte, _ int) error {
		ours = string(key) == of.key
		return nil
	}, func(e *entry) error {
		if ours {
			all[e.at] = true
		}
		return nil
	})
}

// lookOn looks whether there is more to claim, and tidies up when there is not.
// Until it is known it is taken that there is: what follows waits.
func (s *source) lookOn(ctx context.Context, sh *shard, from id) error {
	s.mu.Lock()
	sh.left = &from
	s.mu.Unlock()
	if err := s.look(ctx, sh); err != nil {
		return err
	}
	if left, _ := s.leftOf(sh); left == nil {
		s.b.reap(ctx, sh.key, s.group, s.b.cfg.ClaimIdle)
	}
	return nil
}

// leftOf is the first message that was left behind, nil when there is none, and
// whether some of it was ours.
func (s *source) leftOf(sh *shard) (first *id, gaveBack bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sh.left, sh.gaveBack
}
