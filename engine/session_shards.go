package engine

import (
	"iter"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/wait"
)

// assigned implements SourceConfig.Assigned.
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

// inFlight implements SourceConfig.InFlight.
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

// undelivered lists what is buffered of a shard, in a session of one queue
// whose ledgers keep no runs. session.mu is held.
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

// progress implements SourceConfig.Progress.
func (s *session) progress(m driver.Mark) {
	s.mu.Lock()
	if l := s.owned.ledger(m.StreamShard, s); l != nil && s.o.tracks() && s.acker == nil {
		l.pass(m.Seq)
		s.commits.list(l)
	}
	s.mu.Unlock()
	wait.Signal(s.commits.wake)
}

// skipped implements SourceConfig.Skipped.
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
