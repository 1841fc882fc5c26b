package streamer

import "time"

// handOut moves m from the buffer to a taker, or lends it.
func (s *session) handOut(q *queue, m *Message, lent *loan) {
	s.buffered.sub(m)
	l := m.run.led
	l.buffered--
	if lent != nil {
		q.loans = append(q.loans, lent)
	} else {
		s.mark(q, m)
	}
	l.tellDrained()
	if s.o.tracks() && l.window() >= s.o.maxInFlight {
		s.watch(l)
	}
	if s.hasRoom() {
		signal(s.room)
	}
}

// mark notes that m is the program's now.
func (s *session) mark(q *queue, m *Message) {
	q.pace.popped++
	if !s.o.tracks() {
		return
	}
	r := m.run
	w, bit := bitOf(m.i)
	r.taken[w] |= bit
	switch s.o.ack {
	case AckDelayed:
		r.when[m.i] = s.clock()
	case AckOnDelivery:
		r.acked[w].Or(bit)
	}
	if r.owner != nil {
		r.owner[m.i] = q
	}
}

// clock is session time in milliseconds; it wraps after 49 days, which differences do not notice.
func (s *session) clock() uint32 { return uint32(time.Since(s.born) / time.Millisecond) }

// watch notes that a window became full: the Ack that makes room will tell.
func (s *session) watch(l *ledger) {
	if l.watched.Load() {
		return
	}
	l.watched.Store(true)
	if !l.full(s.o.maxInFlight) { // an Ack that came before watched was set told nobody
		l.watched.Store(l.leaving)
		return
	}
	l.fullSince = time.Now()
	s.full = append(s.full, l)
	signal(s.wake)
}

// park takes a message whose shard's window is full out of the way of the other shards'.
func (s *session) park(l *ledger, m *Message) {
	s.watch(l)
	l.parked = append(l.parked, m)
	s.parked.add(m)
	if s.pauser != nil && s.hasRoom() {
		signal(s.room)
	}
}

// unpark puts a shard's parked messages back in front.
func (s *session) unpark(l *ledger) {
	to := &s.pool
	if !s.o.dealt {
		to = &s.queues[0].ring
	}
	for i := len(l.parked) - 1; i >= 0; i-- {
		s.parked.sub(l.parked[i])
		to.pushFront(l.parked[i])
	}
	l.parked = nil
	if s.o.dealt {
		s.deal()
	}
	for _, q := range s.queues {
		q.wakeOne()
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

// ackSeen is told of an Ack in a shard that somebody watches.
func (s *session) ackSeen(l *ledger) {
	s.mu.Lock()
	l.tellDrained()
	resumed := false
	if !l.fullSince.IsZero() && !l.full(s.o.maxInFlight) {
		resumed = s.reopen(l)
	}
	s.mu.Unlock()
	if resumed {
		s.tellPaused(l)
	}
}

// reopen ends a full window and says whether the source has to be told.
func (s *session) reopen(l *ledger) bool {
	l.watched.Store(l.leaving)
	l.fullSince, l.reported = time.Time{}, time.Time{}
	s.full = without(s.full, l)
	s.unpark(l)
	if s.hasRoom() {
		signal(s.room)
	}
	was := l.paused
	l.paused = false
	return was
}

// pausesDue lists the full shards that the source still fetches.
func (s *session) pausesDue() []*ledger {
	if s.pauser == nil {
		return nil
	}
	var due []*ledger
	for _, l := range s.full {
		if !l.paused && len(l.parked) > 0 {
			l.paused = true
			due = append(due, l)
		}
	}
	return due
}

// tellPaused tells the source what a shard's state is now, also when it changed again meanwhile.
func (s *session) tellPaused(l *ledger) {
	s.pausing.Lock()
	defer s.pausing.Unlock()
	s.mu.Lock()
	paused := l.paused
	s.mu.Unlock()
	s.pauser.Pause(l.StreamShard, paused)
}

// without removes v from list, keeping the order.
func without[T comparable](list []T, v T) []T {
	for i := range list {
		if list[i] == v {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}
