package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

// keep is the keeper: it says that we live, keeps what we hold from being taken
// for left behind, and looks for what others left behind.
func (s *source) keep() {
	c := &s.b.cfg
	every := beatEvery
	if s.shared() {
		every = max(min(c.ClaimInterval, c.ClaimIdle/3, beatEvery), leastInterval)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	now := time.Now()
	look, hold := now.Add(c.ClaimInterval), now.Add(c.ClaimIdle/3)
	for {
		select {
		case <-s.life.Done():
			return
		case now = <-tick.C:
		}
		due := duties{look: s.shared() && !now.Before(look), hold: s.shared() && !now.Before(hold)}
		if due.look {
			look = now.Add(c.ClaimInterval)
		}
		if due.hold {
			hold = now.Add(c.ClaimIdle / 3)
		}
		for _, sh := range s.all() {
			s.tend(s.life, sh, due)
		}
	}
}

// duties are what the keeper does this time.
type duties struct{ look, hold bool }

// tend does the keeper's duties on one shard. What fails is tried again next
// time: Fetch notices the same failure and tells of it.
func (s *source) tend(ctx context.Context, sh *shard, due duties) {
	if !s.shared() {
		s.beat(ctx, sh)
		return
	}
	if due.hold {
		_ = s.hold(ctx, sh)
	}
	if due.look {
		_ = s.look(ctx, sh)
	}
	if (s.isNamed() || s.silence(sh) > memberTime/2) && s.b.greet(ctx, sh.key, s.group, s.name) == nil {
		s.alive(sh)
	}
}

// beat keeps the owner's place.
func (s *source) beat(ctx context.Context, sh *shard) {
	t, err := s.b.beat(ctx, sh.key, s.group, s.lock, s.isHeard(sh))
	switch {
	case err != nil:
	case t == lost:
		s.fail(fenced(sh.StreamShard, s.group))
	default:
		s.keptPlace(sh, t)
	}
}

// keptPlace notes that the place is ours, and whether it had been removed.
func (s *source) keptPlace(sh *shard, t tenure) {
	s.alive(sh)
	if t != restored {
		return
	}
	s.retrying(sh, fmt.Errorf("the consumer of the owner of group %q was removed from %s and was recreated", s.group, sh.key))
	s.mu.Lock()
	defer s.mu.Unlock()
	sh.removed = true
	s.kick()
}

// takeRestored says whether the place was removed since it was last asked.
func (s *source) takeRestored(sh *shard) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := sh.removed
	sh.removed = false
	return was
}

// isHeard says that the server has heard of the owner so lately that no other
// can have taken its place as that of a dead one.
func (s *source) isHeard(sh *shard) bool { return s.silence(sh) < leaseTime }

// isNamed says that another member could have our name: it was not chosen to
// be the only one.
func (s *source) isNamed() bool { return s.shared() && !isGenerated(s.name) }

// isGenerated says whether a name is a UUID, as those are that we choose.
func isGenerated(name string) bool {
	return len(name) == len(uuid.UUID{}.String()) && uuid.Validate(name) == nil
}

// nameLease is how long a member may be silent before its name is free. A
// member says that it lives three times as often.
func (s *source) nameLease() time.Duration { return min(leaseTime, s.b.cfg.ClaimIdle) }

func fenced(at streamer.StreamShard, group string) error {
	return about(at, streamer.ErrFenced, "another owner of group %q may read it now", group)
}

// stillOurs asks, when we were silent for so long that our place may be
// another's.
func (s *source) stillOurs(ctx context.Context, sh *shard) error {
	if s.shared() || s.silence(sh) < leaseTime-beatEvery {
		return nil
	}
	t, err := s.b.beat(ctx, sh.key, s.group, s.lock, s.isHeard(sh))
	if err != nil {
		return err
	}
	if t == lost {
		return fenced(sh.StreamShard, s.group)
	}
	s.keptPlace(sh, t)
	return nil
}

// look asks whether anything was left behind, and has Fetch take it.
func (s *source) look(ctx context.Context, sh *shard) error {
	s.mu.Lock()
	known := sh.left
	s.mu.Unlock()
	found, err := s.b.client.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: sh.key, Group: s.group, Idle: s.b.cfg.ClaimIdle, Start: "-", End: "+", Count: 1,
	}).Result()
	if err != nil && !isNotPermitted(err) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh.left != known {
		return nil // something was left behind since
	}
	if len(found) == 0 {
		sh.left, sh.gaveBack = nil, false
		return nil
	}
	first := infoID(found[0].ID)
	sh.left = &first
	s.kick()
	return nil
}

// holdCount is how many messages one command keeps.
const holdCount = 1000

// hold keeps what we hold from being taken for left behind: only that which is
// still ours.
func (s *source) hold(ctx context.Context, sh *shard) error {
	if err := s.claim(ctx); err != nil {
		return err
	}
	defer s.claimed()
	held := s.inFlight(sh)
	if len(held) == 0 {
		return nil
	}
	return s.eachPending(ctx, sh, func(ids []string) error {
		args := []any{"xclaim", sh.key, s.group, s.name, 0}
		n := len(args)
		for _, i := range ids {
			if held[infoID(i)] {
				args = append(args, i)
			}
		}
		if len(args) == n {
			return nil
		}
		return s.b.client.Do(ctx, append(args, "justid")...).Err()
	})
}

// claim takes the right to hold or to give back.
func (s *source) claim(ctx context.Context) error {
	select {
	case s.claiming <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *source) claimed() { <-s.claiming }

// eachPending calls f with the ids of what the server thinks we hold, page by
// page.
func (s *source) eachPending(ctx context.Context, sh *shard, f func(ids []string) error) error {
	from := lowest
	for {
		page, err := s.b.client.XPendingExt(ctx, &redis.XPendingExtArgs{
			Stream: sh.key, Group: s.group, Start: from.String(), End: "+", Count: holdCount, Consumer: s.name,
		}).Result()
		if err != nil || len(page) == 0 {
			return err
		}
		ids := make([]string, len(page))
		for i := range page {
			ids[i] = page[i].ID
		}
		if err := f(ids); err != nil {
			return err
		}
		from = infoID(ids[len(ids)-1]).next()
	}
}

// touchAll notes that the server has heard of us. The owner's place is another
// consumer, which reading says nothing about.
func (s *source) touchAll(shards []*shard) {
	if !s.shared() {
		return
	}
	for _, sh := range shards {
		s.alive(sh)
	}
}

func (s *source) alive(sh *shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh.touched = time.Now()
}

// silence is how long the server has not heard of us.
func (s *source) silence(sh *shard) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(sh.touched)
}
