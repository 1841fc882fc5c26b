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

// mark notes that m is the program's now.
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

// clock is session time in milliseconds; it wraps after 49 days, which
// differences do not notice.
func (s *session) clock() uint32 { return uint32(time.Since(s.born) / time.Millisecond) }

// watch has the Ack that makes room in a shard's window tell. One that came
// before told nothing: look once more after it.
func (s *session) watch(l *ledger) {
	l.watched.Store(true)
	if l.isFull() {
		return
	}
	l.fill(time.Now())
	s.flow.full = append(s.flow.full, l)
	wait.Signal(s.commits.wake)
}

// parks says whether m has to wait for room in its shard's window, and keeps it
// until there is. So do those behind it, which must not pass it.
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

// park takes a message whose shard's window is full out of the way of the other
// shards'.
func (s *session) park(l *ledger, m *streamer.Message) {
	s.flow.park(l, m)
	if s.pauser != nil && s.hasRoom() {
		wait.Signal(s.flow.room)
	}
}

// unpark puts those of a shard's parked messages back that fit its window now.
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

// ackSeen follows an Ack in a shard that is watched.
func (s *session) ackSeen(l *ledger) {
	s.mu.Lock()
	defer s.unlock()
	l.notifyDrained()
	s.reopenIfRoom(l)
}

// reopenIfRoom ends a full window once there is room in it. As long as some
// messages are parked it stays full, and its shard paused. session.mu is held;
// let go of it with unlock.
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

// unlock lets go of mu where windows may have been reopened, and then tells the
// source, which is not called under it, to fetch their shards again.
func (s *session) unlock() {
	reopened := s.flow.takeReopened()
	s.mu.Unlock()
	for _, at := range reopened {
		s.applyPause(at)
	}
}

// tellPaused tells the source what a shard's state is now, also when it changed
// again meanwhile, and also when the shard was revoked or is assigned again.
func (s *session) applyPause(at streamer.StreamShard) {
	s.flow.pausing.Lock()
	defer s.flow.pausing.Unlock()
	s.mu.Lock()
	l := s.owned.ledgers[at]
	paused := l != nil && l.paused
	s.mu.Unlock()
	s.pauser.Pause(at, paused)
}
