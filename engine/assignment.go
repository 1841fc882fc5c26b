package engine

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/internal/wait"
)

// revokeWait bounds how long a revoked shard waits for messages in work, and then for its commit: group protocols give a member about as long.
const revokeWait = 5 * time.Second

// assigned is SourceConfig.Assigned.
func (s *session) assigned(all []streamer.StreamShard) {
	s.mu.Lock()
	var gained []streamer.StreamShard
	for _, at := range all {
		if s.owned.gain(at) {
			gained = append(gained, at)
		}
	}
	s.mu.Unlock()
	s.obs.Load().Assigned(gained, nil, false)
}

// assignment lists the shards that are read now, in order.
func (s *session) assignment() []streamer.StreamShard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned.assignment()
}

// revoked is SourceConfig.Revoked: drop what was not handed out, wait for what was, commit, forget.
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
	s.forfeit(leaving)
	s.forget(leaving)
	s.resumeGone(leaving)
	s.obs.Load().Assigned(nil, gone, lost)
}

// fence stops handing out the messages of these shards and drops those in the buffer. With gaps it leaves those that lie before one that was handed out: dealt to a
// member that is slower than another, they would make the group repeat what that one has done.
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

// dropAll drops what fence has left and nobody took.
func (s *session) dropAll(leaving []*ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range leaving {
		l.leaveNow()
	}
	s.dropLeaving(leaving)
}

// dropLeaving drops the undelivered messages of shards that are leaving, but those before upTo. session.mu is held.
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
			s.tellPaused(l.StreamShard)
		}
	}
}

// awaitWork waits, until ctx ends, for the program to be done with the messages of these shards that it holds; not at all while closing.
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

// watchWork returns a channel that is closed when the last message in work is acknowledged; nil when none is.
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

// forfeit notes the shards whose messages may come again, as what was handed out of them is not known to be committed: the next Commit has to say so,
// whatever the program acknowledges until then.
func (s *session) forfeit(leaving []*ledger) {
	if !s.o.tracks() || s.o.atMostOnce() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range leaving {
		if l.isCommitted(s.acker != nil) {
			continue
		}
		for _, q := range s.queues {
			if q.forfeited == nil {
				q.forfeited = map[streamer.StreamShard]streamer.SeqNo{}
			}
			q.forfeited[l.StreamShard] = l.newestSettled()
		}
	}
}

// forfeits is what forfeit noted since the last call, as an error.
func (s *session) forfeits(ctx context.Context, q *queue) error {
	gone, quiet := s.unsettled(q)
	gone = append(gone, s.behind(ctx, quiet)...)
	if len(gone) == 0 {
		return nil
	}
	first := slices.MinFunc(gone, streamer.StreamShard.Compare)
	return s.wrap("commit", fmt.Errorf("%w: %d shards were lost, the first %v, before all that was handed out of them was known to be committed: it may come again",
		streamer.ErrFenced, len(gone), first))
}

// unsettled takes the shards that forfeit noted. Of those that came back it leaves out the ones that go on behind what was handed out, or that are
// committed as far again; quiet are the ones that have brought nothing since.
func (s *session) unsettled(q *queue) (gone, quiet []streamer.StreamShard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, newest := range q.forfeited {
		l, ours := s.owned.reads(at)
		before, read := false, false
		if l != nil {
			before, read = l.resumesBefore(newest)
		}
		switch {
		case !ours || before:
			gone = append(gone, at)
		case !read:
			quiet = append(quiet, at)
		}
	}
	q.forfeited = nil
	return gone, quiet
}

// behind is which of these shards the group has not committed to their ends.
func (s *session) behind(ctx context.Context, quiet []streamer.StreamShard) []streamer.StreamShard {
	lagger, ok := s.src.(driver.Lagger)
	if !ok || len(quiet) == 0 {
		return quiet
	}
	lags, err := lagger.Lag(ctx)
	if err != nil {
		return quiet
	}
	return slices.DeleteFunc(quiet, func(at streamer.StreamShard) bool {
		return slices.ContainsFunc(lags, func(l streamer.ShardLag) bool { return l.StreamShard == at && l.Messages == 0 })
	})
}

func (s *session) forget(leaving []*ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range leaving {
		s.owned.forget(l, s.o.atMostOnce() && s.acker != nil)
		s.commits.active, s.flow.full = list.Without(s.commits.active, l), list.Without(s.flow.full, l)
	}
}

// inFlight is SourceConfig.InFlight.
func (s *session) inFlight(at streamer.StreamShard) iter.Seq2[streamer.SeqNo, bool] {
	type entry struct {
		seq       streamer.SeqNo
		handedOut bool
	}
	var entries []entry
	s.mu.Lock()
	switch l := s.owned.known(at); {
	case l == nil:
	case !s.o.tracks():
		for _, seq := range s.undelivered(l) {
			entries = append(entries, entry{seq, false})
		}
	default:
		l.uncommitted(s.acker != nil, func(seq streamer.SeqNo, handedOut bool) bool {
			entries = append(entries, entry{seq, handedOut})
			return true
		})
	}
	s.mu.Unlock()
	return func(yield func(streamer.SeqNo, bool) bool) {
		for _, e := range entries {
			if !yield(e.seq, e.handedOut) {
				return
			}
		}
	}
}

// undelivered is what is buffered of a shard, in a session of one queue whose ledgers keep no runs. session.mu is held.
func (s *session) undelivered(l *ledger) []streamer.SeqNo {
	if l.buffered == 0 {
		return nil
	}
	seqs := make([]streamer.SeqNo, 0, l.buffered)
	ring := &s.queues[0].ring
	for i := range ring.n {
		if m := ring.at(i); runOf(m).led == l {
			seqs = append(seqs, m.Seq)
		}
	}
	return seqs
}

// progress is SourceConfig.Progress.
func (s *session) progress(m driver.Mark) {
	s.mu.Lock()
	if l := s.owned.ledger(m.StreamShard, s); l != nil && s.o.tracks() && s.acker == nil {
		l.pass(m.Seq)
		s.commits.list(l)
	}
	s.mu.Unlock()
	wait.Signal(s.commits.wake)
}

// skipped is SourceConfig.Skipped.
func (s *session) skipped(at streamer.StreamShard, seq streamer.SeqNo, err error) {
	s.mu.Lock()
	if l := s.owned.ledger(at, s); l != nil && s.o.tracks() {
		if s.acker != nil {
			l.skip(seq)
		} else {
			l.pass(seq)
		}
		s.commits.list(l)
	}
	s.mu.Unlock()
	s.obs.Load().Skipped(at, seq, err)
	wait.Signal(s.commits.wake)
}
