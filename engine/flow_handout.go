package engine

import (
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/wait"
)

// handOut moves m from the buffer to a taker, or lends it.
func (s *session) handOut(q *queue, m *streamer.Message, lent *loan) {
	s.flow.leave(m)
	l := runOf(m).led
	if lent != nil {
		q.loans = append(q.loans, lent)
		l.lend()
	} else {
		s.deliver(q, m)
	}
	l.notifyDrained()
	if s.o.tracks() && l.inFlight() >= s.o.maxInFlight {
		s.watch(l)
		s.reopenIfRoom(l)
	}
	if s.hasRoom() {
		wait.Signal(s.flow.room)
	}
}

// deliver records that the program has m.
func (s *session) deliver(q *queue, m *streamer.Message) {
	q.pace.popped++
	if !s.o.tracks() {
		return
	}
	var at uint32
	if s.o.ack == streamer.AckDelayed {
		at = s.clock()
	}
	r := runOf(m)
	r.take(indexOf(m), at, q, s.o.ack == streamer.AckOnDelivery)
	if s.o.ack == streamer.AckOnDelivery {
		s.reopenIfRoom(r.led)
	}
}

// clock is the session's time in milliseconds. It wraps after 49 days, which
// does not affect differences.
func (s *session) clock() uint32 { return uint32(time.Since(s.born) / time.Millisecond) }

// watch makes the next Ack in a shard report itself. An earlier Ack did not, so
// the caller checks again afterwards.
func (s *session) watch(l *ledger) {
	l.watched.Store(true)
	if l.isFull() {
		return
	}
	l.fill(time.Now())
	s.flow.full = append(s.flow.full, l)
	wait.Signal(s.commits.wake)
}

// parks says whether m must wait for room in its shard's window, and keeps it
// until there is. Later messages of the shard wait too, to stay in order.
func (s *session) parks(l *ledger, m *streamer.Message) bool {
	if l.behindParked(m) {
		s.park(l, m)
		return true
	}
	if l.fits(m, s.o.maxInFlight) {
		return false
	}
	s.watch(l)
	if l.fits(m, s.o.maxInFlight) {
		if len(l.parked) == 0 {
			s.flow.endFull(l)
		}
		return false
	}
	s.park(l, m)
	return true
}

// park sets a message aside whose shard's window is full, so that those of
// other shards pass.
func (s *session) park(l *ledger, m *streamer.Message) {
	s.flow.park(l, m)
	if s.pauser != nil && s.hasRoom() {
		wait.Signal(s.flow.room)
	}
}

// unpark puts the parked messages of a shard back that fit its window now.
func (s *session) unpark(l *ledger) {
	s.flow.unpark(l, s.o.maxInFlight, func(fit []*streamer.Message) {
		if s.o.dealt {
			for _, m := range fit {
				s.deals.pool.pushBack(m) // those of the shard in front of it are older
			}
			return
		}
		for _, m := range slices.Backward(fit) {
			s.queues[0].restore(m)
		}
	})
}

// ackSeen is called after an Ack in a watched shard.
func (s *session) ackSeen(l *ledger) {
	s.mu.Lock()
	defer s.unlock()
	l.notifyDrained()
	s.reopenIfRoom(l)
}

// reopenIfRoom reopens a full window that has room now. While messages are
// parked the window stays full and its shard paused. session.mu is held;
// release it with unlock.
func (s *session) reopenIfRoom(l *ledger) {
	if !l.isFull() || l.full(s.o.maxInFlight) {
		return
	}
	s.unpark(l)
	if len(l.parked) > 0 {
		l.fill(time.Now())
	} else {
		s.flow.endFull(l)
	}
	if s.o.dealt {
		s.deal()
	}
	s.wakeAll()
	if s.hasRoom() {
		wait.Signal(s.flow.room)
	}
}

// unlock releases mu where windows may have been reopened, and then makes the
// source fetch their shards again: the source is not called under mu.
func (s *session) unlock() {
	reopened := s.flow.takeReopened()
	s.mu.Unlock()
	for _, at := range reopened {
		s.applyPause(at)
	}
}

// applyPause gives the source the current state of a shard, even if it changed
// meanwhile or the shard was revoked or assigned again.
func (s *session) applyPause(at streamer.StreamShard) {
	s.flow.pausing.Lock()
	defer s.flow.pausing.Unlock()
	s.mu.Lock()
	l := s.owned.ledgers[at]
	paused := l != nil && l.paused
	s.mu.Unlock()
	s.pauser.Pause(at, paused)
}
