package redis

import (
	"context"
	"errors"
	"slices"
)

// leave gives back, on every shard, what was fetched and not acknowledged, and
// our place.
func (s *source) leave(ctx context.Context) error {
	var failed error
	for _, sh := range s.all() {
		err := patiently(ctx, func() error { return s.leaveShard(ctx, sh) })
		if err != nil && !isGone(err) && !isMissingKey(err) {
			failed = errors.Join(failed, bare(ctx, err))
		}
	}
	return failed
}

func (s *source) leaveShard(ctx context.Context, sh *shard) error {
	if !s.shared() {
		t, err := s.b.owns(ctx, sh.key, s.group, s.lock, s.isHeard(sh))
		if err != nil || t == lost {
			return err
		}
		if err := s.unsee(ctx, sh, s.name); err != nil {
			return err
		}
		if err := s.keepPending(ctx, sh); err != nil {
			return err
		}
		if err := s.vacate(ctx, sh); err != nil {
			return err
		}
		return s.b.dismiss(ctx, sh.key, s.group, s.name)
	}
	if err := s.unsee(ctx, sh, returned); err != nil {
		return err
	}
	unseen := s.undelivered(sh)
	err := s.eachPending(ctx, sh, func(ids []string) error {
		held := slices.DeleteFunc(slices.Clone(ids), func(i string) bool { return unseen[infoID(i)] })
		back := slices.DeleteFunc(ids, func(i string) bool { return !unseen[infoID(i)] })
		if len(held) > 0 {
			if err := s.giveBack(ctx, sh.key, returned, held); err != nil {
				return err
			}
		}
		if len(back) == 0 {
			return nil
		}
		return s.giveBack(ctx, sh.key, returned, back, "retrycount", "0")
	})
	if err != nil {
		return err
	}
	return s.b.dismiss(ctx, sh.key, s.group, s.name)
}

// vacate gives the owner's place up.
func (s *source) vacate(ctx context.Context, sh *shard) error {
	if s.lock == "" {
		return nil
	}
	return s.b.client.XGroupDelConsumer(ctx, sh.key, s.group, s.lock).Err()
}

// unsee takes back, where messages were acknowledged ahead of their delivery,
// that those were which no consumer has seen.
func (s *source) unsee(ctx context.Context, sh *shard, to string) error {
	if !s.cfg.AtMostOnce {
		return nil
	}
	var ids []string
	for i := range s.undelivered(sh) {
		ids = append(ids, i.String())
	}
	for some := range slices.Chunk(ids, ackCount) {
		if err := s.giveBack(ctx, sh.key, to, some, "force", "retrycount", "0"); err != nil {
			return err
		}
	}
	return nil
}

// keepPending ensures that what an owner holds is pending: a clean-up that
// removes a consumer takes that away from the group.
func (s *source) keepPending(ctx context.Context, sh *shard) error {
	if s.cfg.AtMostOnce {
		return nil
	}
	var ids []string
	for i := range s.inFlight(sh) {
		ids = append(ids, i.String())
	}
	for some := range slices.Chunk(ids, ackCount) {
		if err := s.giveBack(ctx, sh.key, s.name, some, "force"); err != nil {
			return err
		}
	}
	return nil
}

// undelivered lists what was emitted and not handed out.
func (s *source) undelivered(sh *shard) map[id]bool {
	all := map[id]bool{}
	for seq, handedOut := range s.cfg.InFlight(sh.StreamShard) {
		if !handedOut {
			all[idOf(seq)] = true
		}
	}
	return all
}
