package streamer

import (
	"context"
	"slices"
)

// share takes undelivered messages away from members that have taken nothing for a while, so that an idle member can have them. It is the
// commit goroutine's, every shareTime while something is buffered.
func (s *session) share(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.queues {
		if !q.pace.stuck() || q.waiters > 0 || q.ring.n == 0 {
			continue
		}
		if s.o.dealt {
			s.takeUnkeyed(q)
		} else if s.releaser != nil {
			s.handBack(ctx, q)
		}
	}
	if s.o.dealt {
		s.deal()
	}
}

// takeUnkeyed puts a slow member's messages into the pool if somebody waits; a keyed one stays with the key's keeper.
func (s *session) takeUnkeyed(slow *queue) {
	if !slices.ContainsFunc(s.queues, func(q *queue) bool { return q.waiters > 0 }) {
		return
	}
	slow.slow = true
	slow.ring.keep(func(m *Message) bool {
		if m.Key != nil {
			return true
		}
		s.pool.pushBack(m)
		return false
	})
}

// handBack returns a member's undelivered messages to its group. session.mu is let go of meanwhile.
func (s *session) handBack(ctx context.Context, q *queue) {
	var back []*Message
	for q.ring.n > 0 {
		back = append(back, q.ring.popFront())
	}
	s.mu.Unlock()
	err := s.releaser.Release(ctx, byShard(back))
	s.mu.Lock()
	if err != nil {
		s.keepAfterAll(q, back)
		return
	}
	s.resting = true
	for _, m := range back {
		s.buffered.sub(m)
		m.run.led.buffered--
		w, bit := bitOf(m.i)
		m.run.acked[w].Or(bit)
		m.run.save(w, bit)
	}
	s.tidy()
	if q.waiters > 0 && s.hasRoom() {
		signal(s.room)
	}
}

// keepAfterAll puts messages back that could not be released.
func (s *session) keepAfterAll(q *queue, back []*Message) {
	for _, m := range slices.Backward(back) {
		if l := m.run.led; q.closed || l.leaving {
			s.buffered.sub(m)
			l.buffered--
			continue
		}
		q.ring.pushFront(m)
	}
	q.wakeOne()
}

// byShard groups messages that are in order within each shard.
func byShard(messages []*Message) []Acked {
	var lists []Acked
	at := map[StreamShard]int{}
	for _, m := range messages {
		i, ok := at[m.place()]
		if !ok {
			i = len(lists)
			at[m.place()] = i
			lists = append(lists, Acked{StreamShard: m.place()})
		}
		lists[i].Seqs = append(lists[i].Seqs, m.Seq)
	}
	return lists
}
