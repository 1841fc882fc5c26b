package engine

import (
	"context"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/wait"
)

// share takes messages away from members that have taken nothing for a while,
// so that an idle member can have them. The commit goroutine calls it every
// shareTime while something is buffered.
func (s *session) share() {
	s.mu.Lock()
	defer s.unlock()
	for _, q := range s.queues {
		if !q.pace.stuck() || q.waiters > 0 || q.ring.n == 0 {
			continue
		}
		if s.o.dealt {
			s.takeUnkeyed(q)
		} else if s.releaser != nil {
			s.askReturn(q)
		}
	}
	if s.o.dealt {
		s.deal()
	}
}

// askReturn makes the fetch goroutine return a member's messages to the group.
// Later messages would overtake those that this source gets again, so the Fetch
// under way ends first. session.mu is held.
func (s *session) askReturn(q *queue) {
	s.flow.slowMember = q
	if s.flow.interrupt != nil {
		s.flow.interrupt()
	}
	wait.Signal(s.flow.room)
}

// takeUnkeyed puts a slow member's messages without a key into the pool if a
// taker waits. Those with a key stay with its keeper.
func (s *session) takeUnkeyed(slow *queue) {
	if !slices.ContainsFunc(s.queues, func(q *queue) bool { return q.waiters > 0 }) {
		return
	}
	slow.slow = true
	var back []*streamer.Message
	slow.ring.keep(func(m *streamer.Message) bool {
		if m.Key != nil {
			return true
		}
		back = append(back, m)
		return false
	})
	s.deals.repool(back)
}

// returnMessages returns the messages of a slow member to the group. The fetch
// goroutine calls it. session.mu is held, and released meanwhile.
func (s *session) returnMessages(ctx context.Context) {
	q := s.flow.slowMember
	s.flow.slowMember = nil
	if q == nil || q.waiters > 0 || q.ring.n == 0 {
		return
	}
	if s.o.atMostOnce() {
		if !s.commits.tryEnter() { // a commit ahead may hold just these: share asks again
			return
		}
		defer s.commits.leave()
	}
	back := s.returnable(q)
	if len(back) == 0 {
		return
	}
	s.mu.Unlock()
	err := s.releaser.Release(ctx, byShard(back))
	s.mu.Lock()
	if err != nil {
		s.keepReturned(q, back)
		return
	}
	s.flow.resting = true
	for _, m := range back {
		s.flow.leave(m)
		runOf(m).giveBack(indexOf(m))
	}
	s.tidy()
}

// returnable takes those messages out of a member's ring that may be returned
// to the group: the newest of their shards and, with AckOnDelivery, only those
// that no commit has acknowledged yet. session.mu is held.
func (s *session) returnable(q *queue) []*streamer.Message {
	var back []*streamer.Message
	q.ring.keep(func(m *streamer.Message) bool {
		if l := runOf(m).led; l.isAhead(m) || len(l.parked) > 0 {
			return true
		}
		back = append(back, m)
		return false
	})
	return back
}

// keepReturned puts messages back that could not be returned.
func (s *session) keepReturned(q *queue, back []*streamer.Message) {
	for _, m := range slices.Backward(back) {
		if l := runOf(m).led; q.closed || l.leaving {
			s.flow.leave(m)
			l.notifyDrained()
			continue
		}
		q.restore(m)
	}
	q.wakeOne()
}

// byShard groups messages that are in order within each shard.
func byShard(messages []*streamer.Message) []driver.Acked {
	var lists []driver.Acked
	at := map[streamer.StreamShard]int{}
	for _, m := range messages {
		i, ok := at[shardOf(m)]
		if !ok {
			i = len(lists)
			at[shardOf(m)] = i
			lists = append(lists, driver.Acked{StreamShard: shardOf(m)})
		}
		lists[i].Seqs = append(lists[i].Seqs, m.Seq)
	}
	return lists
}
