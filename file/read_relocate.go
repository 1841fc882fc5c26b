package file

import (
	"context"

	"github.com/gostreamer/streamer"
)

// relocate continues in the log that the source's location leads to now, which
// it takes over: where the group has come to there, else at its beginning. On
// failure the source is as it was.
func (s *source) relocate(ctx context.Context, l *openLog) error {
	c := s.cfg
	c.Start, c.Reset, c.Fallback = s.replacementStart(), streamer.Earliest, streamer.Position{}
	n := newSource(c, s.conf, logs.shareLocation(s.location), l)
	if err := n.openAt(ctx); err != nil {
		n.closeAll()
		return err
	}
	s.exchange(n)
	s.announce() // before a round reports anything
	if s.sharing != nil {
		s.startSharing()
	}
	logs.releaseLocation(n.location)
	return nil
}

// replacementStart is where a log is read that replaces another.
func (s *source) replacementStart() streamer.Position {
	first := streamer.Beginning()
	if s.group != nil {
		first = streamer.Committed()
	}
	if s.cfg.Start.Kind() != streamer.PerShard {
		return first
	}
	each := map[streamer.StreamShard]streamer.Position{}
	for _, sh := range s.shards() {
		if sh.read {
			each[sh.StreamShard] = first
		}
	}
	return streamer.Each(each)
}

// exchange makes what n has opened the source's own, and releases what it had.
// Where processes share the group, the right to tell the engine of shards is
// held.
func (s *source) exchange(n *source) {
	if s.sharing != nil {
		s.sharing.stop()
	}
	s.committing.Lock()
	defer s.committing.Unlock()
	old := &source{log: s.log, sharing: s.sharing, input: s.input, follower: follower{wake: s.wake}}
	s.log.owners.leave(s)
	s.mu.Lock()
	old.claim.takeFrom(&s.claim)
	s.claim.takeFrom(&n.claim)
	s.log, s.sharing, s.input, s.position = n.log, n.sharing, n.input, n.position
	s.unknown, s.streams, s.seen, s.coming, s.fresh, s.is = n.unknown, n.streams, n.seen, nil, nil, n.is
	s.turned++
	s.wake, s.watched, s.pause = n.wake, n.watched, 0
	if s.group != nil {
		s.log.owners.enter(s)
	}
	s.mu.Unlock()
	old.closeLog()
}
