package engine

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/internal/wait"
)

// revokeWait bounds how long a revoked shard waits for messages that the
// program is processing, and then for its commit. Group protocols give a member
// about as long.
const revokeWait = 5 * time.Second

// revoked implements SourceConfig.Revoked: drop what was not handed out, wait
// for the rest, commit, forget.
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

// vanished implements SourceConfig.Vanished. Commit does not report these
// shards: unlike those of a lost shard, their messages are not redelivered.
func (s *session) vanished(gone []streamer.StreamShard) {
	leaving := s.fence(gone, false)
	s.sealAll(leaving)
	s.forget(leaving)
	s.resumeGone(leaving)
	s.obs.Load().Assigned(nil, gone, true)
}

// fence stops handing out messages of these shards and drops the buffered ones.
// With gaps it keeps those before one that was handed out: if a slower member
// has them, dropping them would make the group repeat what a faster one has
// done.
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

// dropAll drops what fence has kept and no member took.
func (s *session) dropAll(leaving []*ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range leaving {
		l.leaveNow()
	}
	s.dropLeaving(leaving)
}

// dropLeaving drops the messages of shards that are leaving, except those that
// the ledger still delivers. session.mu is held.
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

// resumeGone ends the pauses of shards that were given up. A source keeps a
// pause over the loss of a shard and would not read it when it is assigned
// again.
func (s *session) resumeGone(leaving []*ledger) {
	for _, l := range leaving {
		if l.paused { // nothing pauses a ledger that is forgotten
			s.applyPause(l.StreamShard)
		}
	}
}

// awaitWork waits until the program has acknowledged the messages of these
// shards that it holds, or ctx ends. While closing it does not wait.
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

// watchWork returns a channel that is closed when the program holds no message
// of the shard; nil when it holds none.
func (s *session) watchWork(l *ledger) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end.closing || s.o.ack == streamer.AckDelayed || !s.o.tracks() {
		return nil
	}
	return l.awaitWork()
}

// sealAll makes later acknowledgements in these shards not count.
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
