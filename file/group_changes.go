package file

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
)

// adopt applies the keeper's plan, and returns the failure that the consumer is
// to get. It is Fetch's.
func (s *source) adopt() error {
	if s.sharing == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.sharing.keeper.Next(); ok {
		s.install(p)
	}
	return s.sharing.keeper.Failed()
}

// install replaces the shards that a plan changes. A source that had no shard
// begins to read where the plan says; for another source the new shards are
// behind. Fetch is at rest and mu is held, or the source is not yet in use.
func (s *source) install(p group.Plan) {
	if s.r != nil {
		s.progressed()
	}
	idle := s.standby
	for _, c := range p.Changes {
		sh := newShard(c.StreamShard)
		if c.Read {
			if sh = s.mine[c.StreamShard]; sh == nil {
				continue // it was given up meanwhile: the next plan says so
			}
		}
		if s.add(sh.StreamShard).behind != onPar {
			s.lagging--
		}
		s.streams[sh.Stream][sh.Shard] = sh
		if sh.read && !idle {
			s.putBehind(sh)
		}
	}
	if len(p.Changes) > 0 {
		s.last = nil
	}
	if idle && p.From != group.Nowhere {
		s.front, s.seen = 0, p.From
		if s.r != nil {
			s.r.SeekTo(p.From)
		}
	}
	s.turned += len(p.Changes)
	s.standby = !s.reading()
}

// putBehind has the source go back for a shard that starts where the others
// have been.
func (s *source) putBehind(sh *shard) {
	if sh.start.end < max(s.positioned(), s.front) {
		sh.behind = sh.start.end
		s.lagging++
	}
}

// idle reports that all shards of the group are other processes': there is
// nothing to read until one of them is free.
func (s *source) idle() bool {
	return s.sharing != nil && s.r != nil && s.standby && s.sharing.keeper.Exist()
}

// standBy waits for shards, and looks now and then whether the log is still
// there.
func (s *source) standBy(ctx context.Context) error {
	t := time.NewTimer(pollWatched)
	defer t.Stop()
	select {
	case <-s.resumed:
		return nil
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return streamer.ErrClosed
	}
	if err := s.verify(); err != nil {
		return s.vanished(ctx, err)
	}
	return nil
}

// complete reports whether the end of the log is the end of the input. It is
// not while the process waits for more shards, or a shard that was found waits
// for an owner.
func (s *source) complete() bool { return s.sharing == nil || s.sharing.keeper.Complete() }

// notice has a shard get an owner that was not known when the source was
// opened, and that begins at offset.
func (s *source) notice(sh *shard, offset int64) {
	s.sharing.keeper.Find(sh.StreamShard, offset)
	s.sharing.look()
}

// placed has shards that Lag has found get an owner, and waits for that, but
// not long: another process may be at it.
func (s *source) placed(ctx context.Context, found []streamer.StreamShard) error {
	s.mu.Lock()
	k := s.sharing
	if s.census.of == s.is {
		for _, at := range found {
			k.keeper.Find(at, s.census.streams[at.Stream][at.Shard].Offset)
		}
	}
	s.mu.Unlock()
	k.look()
	tick := time.NewTicker(pollFirst)
	defer tick.Stop()
	late := time.After(10 * keepEvery)
	for {
		s.mu.Lock()
		done := k.keeper.Placed() || s.sharing != k
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-tick.C:
		case <-late:
			return nil
		case <-s.done:
			return streamer.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// seenSafe is an offset before which no shard without a position has anything
// to deliver. mu is held.
func (s *source) seenSafe() int64 {
	if s.sharing == nil {
		return s.seen
	}
	return s.sharing.keeper.Before(s.seen)
}

// discover makes known a shard that nothing knew of when the source was opened,
// and which begins at offset.
func (s *source) discover(at streamer.StreamShard, offset int64) *shard {
	_, read := s.startOf(at)
	s.mu.Lock()
	sh := s.add(at)
	if s.sharing == nil {
		sh.read, sh.start = read && s.all, s.unknown
	}
	if sh.read {
		s.fresh = append(s.fresh, at)
	}
	s.mu.Unlock()
	if s.sharing != nil && read {
		s.notice(sh, offset)
	}
	return sh
}

// welcome tells the engine of the shards that reading has found: all of a batch
// at once, since each call costs the program a hook.
func (s *source) welcome() {
	if len(s.fresh) == 0 {
		return
	}
	s.cfg.Assigned(s.fresh)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fresh = nil
}
