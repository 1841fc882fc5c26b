package engine

import (
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/internal/wait"
)

// deal gives the pool's messages to members with room: by key where there is
// one, otherwise in turn, waiting members first. A full member is skipped for
// messages without a key and delays those of its keys. A member gets only what
// its shard's window has room for, so that it can take everything it was dealt.
// Otherwise the window could be full of messages that other members took, with
// the messages that the mark waits for stuck in its ring. session.mu is held.
func (s *session) deal() {
	for range s.deals.pool.n {
		m := s.deals.pool.popFront()
		if s.parks(runOf(m).led, m) {
			continue
		}
		if q := s.deals.memberFor(m, s.queues); q != nil {
			q.ring.insert(m)
			continue
		}
		s.deals.pool.pushBack(m)
	}
	for _, q := range s.queues {
		q.arrived()
	}
}

func (q *queue) hasRoom() bool { return q.suspended == 0 && q.ring.n < q.pace.limit }

// join adds a member. Messages that are not handed out are dealt again, so that
// those of each key go to its keeper in order.
func (s *session) join(q *queue) {
	s.mu.Lock()
	defer s.unlock()
	queues := s.suspendAll()
	q.s = s
	s.queues = append(s.queues, q)
	s.redeal(queues)
	resumeAll(queues)
	s.deal()
	if s.hasRoom() {
		wait.Signal(s.flow.room)
	}
}

// leave removes a member. Its messages are dealt to the others, including those
// that it was handed and did not acknowledge.
func (s *session) leave(q *queue, why error) {
	s.mu.Lock()
	defer s.unlock()
	queues := s.suspendAll()
	s.queues = list.Without(s.queues, q)
	q.close(why)
	for _, l := range s.owned.ledgers {
		if l != nil {
			s.giveUp(l, q)
			l.notifyDrained()
			s.reopenIfRoom(l)
		}
	}
	s.redeal(queues)
	resumeAll(queues)
	s.deal()
	if s.hasRoom() {
		wait.Signal(s.flow.room)
	}
	if len(s.queues) > 0 {
		s.obs.Store(s.queues[0].obs)
	}
}

// redeal returns messages to the pool that these members were dealt and not
// handed.
func (s *session) redeal(queues []*queue) {
	var back []*streamer.Message
	for _, q := range queues {
		for q.ring.n > 0 {
			back = append(back, q.ring.popFront())
		}
	}
	s.deals.repool(back)
}

// giveUp reissues what q holds of a shard. If the shard is being revoked,
// another process redelivers it.
func (s *session) giveUp(l *ledger, q *queue) {
	for _, again := range l.giveUp(q, s.o.ack) {
		if l.leaving {
			continue
		}
		l.reissue(again)
		for i := range again.msgs {
			s.flow.enter(&again.msgs[i])
			s.deals.pool.pushBack(&again.msgs[i]) // redeal puts it in its place
		}
	}
}
