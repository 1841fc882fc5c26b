package file

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
)

// newShard is one of which nothing is known, and which is not read.
func newShard(at streamer.StreamShard) *shard {
	return &shard{StreamShard: at, none: true, lane: lane{behind: onPar}}
}

// nudge ends Fetch's waiting: there is something that it does not hear from the
// log.
func (s *source) nudge() {
	select {
	case s.resumed <- struct{}{}:
	default:
	}
}

// adopt reads from now on what the keeper has taken, and no more what it has
// given up; it returns what the consumer has to be notified. It is Fetch's.
func (s *source) adopt() error {
	if s.keeper == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keeper.changes) > 0 || s.keeper.from != never {
		s.install()
	}
	return s.keeper.failed
}

// install puts changed shards instead of what they were. A source that had
// none begins to read where the first of them does; for another they are
// behind. mu is held, or the source is not yet in use.
func (s *source) install() {
	k := s.keeper
	if s.r != nil {
		s.progressed()
	}
	idle := k.none
	for _, sh := range k.changes {
		if s.add(sh.StreamShard).behind != onPar {
			s.lagging--
		}
		s.streams[sh.Stream][sh.Shard] = sh
		if sh.read && !idle {
			s.putBehind(sh)
		}
	}
	if len(k.changes) > 0 {
		s.last = nil
	}
	if idle && k.from != never {
		s.front, s.seen = 0, k.from
		if s.r != nil {
			s.r.moveTo(k.from)
		}
	}
	s.turned += len(k.changes)
	k.none = !s.reading()
	k.changes, k.from = nil, never
}

// putBehind has the source go back for a shard that starts where the others
// have been.
func (s *source) putBehind(sh *shard) {
	if sh.start.end < max(s.positioned(), s.front) {
		sh.behind = sh.start.end
		s.lagging++
	}
}

// reading says whether any shard is read.
func (s *source) reading() bool {
	for _, of := range s.streams {
		for _, sh := range of {
			if sh.read {
				return true
			}
		}
	}
	return false
}

// idle says that all shards of the group are other processes': there is nothing
// to read until one of them is free.
func (s *source) idle() bool {
	if s.keeper == nil || s.r == nil || !s.keeper.none {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keeper.exist
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

// complete says whether the end of the log is the end of the input: not while
// the process waits for more shards, or shards that reading has come by wait
// for something.
func (s *source) complete() bool {
	if s.keeper == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keeper
	return len(k.changes)+len(k.found) == 0 && (k.settled || !k.exist)
}

// notice tells the keeper of a shard that nothing knew of when the source was
// opened, and which begins at offset.
func (s *source) notice(sh *shard, offset int64) {
	s.mu.Lock()
	s.keeper.found[sh.StreamShard] = offset
	s.mu.Unlock()
	s.keeper.look()
}

// placed has shards that Lag has found get an owner, and waits for that, but
// not long: another process may be at it.
func (s *source) placed(ctx context.Context, found []streamer.StreamShard) error {
	s.mu.Lock()
	k := s.keeper
	if s.census.of == s.is {
		for _, at := range found {
			k.found[at] = s.census.streams[at.Stream][at.Shard].offset
		}
	}
	s.mu.Unlock()
	k.look()
	tick := time.NewTicker(pollFirst)
	defer tick.Stop()
	late := time.After(10 * keepEvery)
	for {
		s.mu.Lock()
		done := len(k.found) == 0 || s.keeper != k
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
	seen := s.seen
	if s.keeper != nil {
		for _, at := range s.keeper.found {
			seen = min(seen, at)
		}
	}
	return seen
}

// discover makes known a shard that nothing knew of when the source was opened,
// and which begins at offset.
func (s *source) discover(at streamer.StreamShard, offset int64) *shard {
	_, read := s.startOf(at)
	s.mu.Lock()
	sh := s.add(at)
	if s.keeper == nil {
		sh.read, sh.start = read && s.all, s.unknown
	}
	if sh.read {
		s.fresh = append(s.fresh, at)
	}
	s.mu.Unlock()
	if s.keeper != nil && read {
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
