package engine

import (
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/internal/wait"
)

// handOut moves m from the buffer to a taker, or lends it.
func (s *session) handOut(q *queue, m *streamer.Message, lent *loan) {
	s.buffered.sub(m)
	l := runOf(m).led
	l.buffered--
	if lent != nil {
		q.loans = append(q.loans, lent)
		l.lent++
	} else {
		s.mark(q, m)
	}
	l.tellDrained()
	if s.o.tracks() && l.window() >= s.o.maxInFlight {
		s.watch(l)
		s.reopenIfRoom(l)
	}
	if s.hasRoom() {
		wait.Signal(s.room)
	}
}

// mark notes that m is the program's now.
func (s *session) mark(q *queue, m *streamer.Message) {
	q.pace.popped++
	if !s.o.tracks() {
		return
	}
	r := runOf(m)
	w, bit := bitOf(indexOf(m))
	r.taken[w] |= bit
	switch s.o.ack {
	case streamer.AckDelayed:
		r.when[indexOf(m)] = s.clock()
	case streamer.AckOnDelivery:
		r.acks.Bits[w].Or(bit)
		s.reopenIfRoom(r.led)
	}
	if r.owner != nil {
		r.owner[indexOf(m)] = q
	}
}

// clock is session time in milliseconds; it wraps after 49 days, which differences do not notice.
func (s *session) clock() uint32 { return uint32(time.Since(s.born) / time.Millisecond) }

// watch has the Ack that makes room in a shard's window tell. One that came
// before told nothing: look once more after it.
func (s *session) watch(l *ledger) {
	l.watched.Store(true)
	if !l.fullSince.IsZero() {
		return
	}
	l.fullSince = time.Now()
	s.full = append(s.full, l)
	wait.Signal(s.wake)
}

// parks says whether m has to wait for room in its shard's window, and keeps it
// until there is. So do those behind it, which must not pass it.
func (s *session) parks(l *ledger, m *streamer.Message) bool {
	if len(l.parked) > 0 && byEmission(m, l.parked[0]) > 0 {
		s.park(l, m)
		return true
	}
	if l.fits(m, s.o.maxInFlight) {
		return false
	}
	s.watch(l)
	if l.fits(m, s.o.maxInFlight) {
		if len(l.parked) == 0 {
			s.endFull(l)
		}
		return false
	}
	s.park(l, m)
	return true
}

// park takes a message whose shard's window is full out of the way of the other shards'.
func (s *session) park(l *ledger, m *streamer.Message) {
	l.parked = append(l.parked, m)
	s.parked.add(m)
	if s.pauser != nil && s.hasRoom() {
		wait.Signal(s.room)
	}
}

// unpark puts those of a shard's parked messages back that fit its window now.
func (s *session) unpark(l *ledger) {
	n := 0
	for n < len(l.parked) && l.fits(l.parked[n], s.o.maxInFlight) {
		s.parked.sub(l.parked[n])
		n++
	}
	if s.o.dealt {
		for _, m := range l.parked[:n] {
			s.pool.pushBack(m) // those of the shard in front of it are older
		}
	} else {
		for _, m := range slices.Backward(l.parked[:n]) {
			s.queues[0].restore(m)
		}
	}
	clear(l.parked[:n])
	if l.parked = l.parked[n:]; len(l.parked) == 0 {
		l.parked = nil
	}
}

// anyFull says whether some shard's window is full.
func (s *session) anyFull() bool {
	for _, l := range s.full {
		if !l.fullSince.IsZero() && l.full(s.o.maxInFlight) {
			return true
		}
	}
	return false
}

// ackSeen follows an Ack in a shard that is watched.
func (s *session) ackSeen(l *ledger) {
	s.mu.Lock()
	defer s.unlock()
	l.tellDrained()
	s.reopenIfRoom(l)
}

// reopenIfRoom ends a full window once there is room in it. As long as some
// messages are parked it stays full, and its shard paused. session.mu is held;
// let go of it with unlock.
func (s *session) reopenIfRoom(l *ledger) {
	if l.fullSince.IsZero() || l.full(s.o.maxInFlight) {
		return
	}
	s.unpark(l)
	if len(l.parked) > 0 {
		l.fullSince, l.reported = time.Now(), time.Time{}
	} else {
		s.endFull(l)
	}
	if s.o.dealt {
		s.deal()
	}
	for _, q := range s.queues {
		q.wakeOne()
	}
	if s.hasRoom() {
		wait.Signal(s.room)
	}
}

// endFull notes that the shard's window is not full any more.
func (s *session) endFull(l *ledger) {
	l.fullSince, l.reported = time.Time{}, time.Time{}
	l.unwatch()
	s.full = list.Without(s.full, l)
	if l.paused {
		l.paused = false
		s.resumed = append(s.resumed, l.StreamShard)
	}
}

// unlock lets go of mu where windows may have been reopened, and then tells the
// source, which is not called under it, to fetch their shards again.
func (s *session) unlock() {
	resumed := s.resumed
	s.resumed = nil
	s.mu.Unlock()
	for _, at := range resumed {
		s.tellPaused(at)
	}
}

// pausesDue lists the full shards that the source still fetches.
func (s *session) pausesDue() []streamer.StreamShard {
	if s.pauser == nil {
		return nil
	}
	var due []streamer.StreamShard
	for _, l := range s.full {
		if !l.paused && len(l.parked) > 0 {
			l.paused = true
			due = append(due, l.StreamShard)
		}
	}
	return due
}

// tellPaused tells the source what a shard's state is now, also when it changed
// again meanwhile, and also when the shard was revoked or is assigned again.
func (s *session) tellPaused(at streamer.StreamShard) {
	s.pausing.Lock()
	defer s.pausing.Unlock()
	s.mu.Lock()
	l := s.ledgers[at]
	paused := l != nil && l.paused
	s.mu.Unlock()
	s.pauser.Pause(at, paused)
}
