package engine

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/internal/wait"
)

// revokeWait bounds how long a revoked shard waits for messages in work, and
// then for its commit: group protocols give a member about as long.
const revokeWait = 5 * time.Second

// revoked is SourceConfig.Revoked: drop what was not handed out, wait for what
// was, commit, forget.
func (s *session) revoked(gone []streamer.StreamShard, lost bool) {
	leaving := s.fence(gone, !lost && s.o.dealt && s.cursor != nil)
	if !lost {
		work, cancel := context.WithTimeout(context.Background(), revokeWait)
		s.awaitWork(work, leaving)
		cancel()
		s.dropAll(leaving)
		s.sealAll(leaving)
		ctx, cancel := context.WithTimeout(context.Background(), revokeWait)
		defer cancel()
		if err := s.commitLeaving(ctx, leaving); err != nil {
			s.obs.Load().Log.Warn("acknowledgements of a revoked shard are not committed", "backend", s.obs.Load().Backend, "err", err)
		}
	} else {
		s.sealAll(leaving)
	}
	s.noteUncommitted(leaving)
	s.forget(leaving)
	s.resumeGone(leaving)
	s.obs.Load().Assigned(nil, gone, lost)
}

// vanished is SourceConfig.Vanished. A Commit has nothing to say about these
// shards: unlike those of a lost one their messages are not redelivered.
func (s *session) vanished(gone []streamer.StreamShard) {
	leaving := s.fence(gone, false)
	s.sealAll(leaving)
	s.forget(leaving)
	s.resumeGone(leaving)
	s.obs.Load().Assigned(nil, gone, true)
}

// fence stops handing out the messages of these shards and drops those in the
// buffer. With gaps it leaves those that lie before one that was handed out:
// dealt to a member that is slower than another, they would make the group
// repeat what that one has done.
func (s *session) fence(gone []streamer.StreamShard, gaps bool) []*ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	var leaving []*ledger
	for _, at := range gone {
		if l := s.owned.lose(at); l != nil {
			l.leave(gaps)
			leaving = append(leaving, l)
		}
	}
	s.dropLeaving(leaving)
	return leaving
}

// dropAll drops what fence has left and no consumer took.
func (s *session) dropAll(leaving []*ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range leaving {
		l.leaveNow()
	}
	s.dropLeaving(leaving)
}

// dropLeaving drops the undelivered messages of shards that are leaving, but
// those before upTo. session.mu is held.
func (s *session) dropLeaving(leaving []*ledger) {
	queues := s.suspendAll()
	for _, q := range queues {
		s.dropFrom(&q.ring)
	}
	s.dropFrom(&s.deals.pool)
	for _, l := range leaving {
		s.flow.dropParked(l)
	}
	resumeAll(queues)
	if s.hasRoom() {
		wait.Signal(s.flow.room)
	}
}

func (s *session) dropFrom(r *ring) {
	r.keep(func(m *streamer.Message) bool {
		if runOf(m).led.delivers(m) {
			return true
		}
		s.flow.leave(m)
		return false
	})
}

// resumeGone ends the pauses of shards that were given up: a source keeps one
// over their loss and would not read them when they are assigned again.
func (s *session) resumeGone(leaving []*ledger) {
	for _, l := range leaving {
		if l.paused { // nothing pauses a ledger that is forgotten
			s.applyPause(l.StreamShard)
		}
	}
}

// awaitWork waits, until ctx ends, for the program to be done with the messages
// of these shards that it holds; not at all while closing.
func (s *session) awaitWork(ctx context.Context, ledgers []*ledger) {
	for _, l := range ledgers {
		drained := s.watchWork(l)
		if drained == nil {
			continue
		}
		select {
		case <-drained:
		case <-ctx.Done():
			return
		}
	}
}

// watchWork returns a channel that is closed when the last message in work is
// acknowledged; nil when none is.
func (s *session) watchWork(l *ledger) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end.closing || s.o.ack == streamer.AckDelayed || !s.o.tracks() {
		return nil
	}
	return l.awaitWork()
}

// sealAll ends the counting of acknowledgements in these shards.
func (s *session) sealAll(ledgers []*ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range ledgers {
		if s.o.ack == streamer.AckDelayed {
			l.ackTaken()
		}
		l.seal()
	}
}

func (s *session) commitLeaving(ctx context.Context, leaving []*ledger) error {
	if len(leaving) == 0 || s.cursor == nil && s.acker == nil {
		return nil
	}
	if err := s.commits.enter(ctx); err != nil {
		return err
	}
	defer s.commits.leave()
	if s.o.atMostOnce() {
		return s.takeBack(ctx, leaving)
	}
	return s.retry(ctx, func() error { return s.commitHeld(ctx, leaving) })
}

func (s *session) forget(leaving []*ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range leaving {
		s.owned.forget(l, s.o.atMostOnce() && s.acker != nil)
		s.commits.active, s.flow.full = list.Without(s.commits.active, l), list.Without(s.flow.full, l)
	}
}
