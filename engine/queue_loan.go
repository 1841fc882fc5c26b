package engine

import (
	"context"
	"slices"

	"github.com/gostreamer/streamer"
)

// loan is a Stream goroutine's right to offer a message. The message counts as
// handed out only when it was received.
type loan struct{ ctx context.Context }

// overdue says that a Stream whose ctx has ended still holds a message, which
// comes before the queue's.
func (q *queue) overdue() bool {
	for _, l := range q.loans {
		if l.ctx.Err() != nil {
			return true
		}
	}
	return false
}

// keep counts a lent message as handed out.
func (q *queue) keep(lent *loan, m *streamer.Message) {
	s := q.s
	s.mu.Lock()
	defer s.unlock()
	s.deliver(q, m)
	q.endLoan(lent, m)
}

// giveBack puts a lent message that was not received back where it came from.
// It is dropped if its shard was revoked.
func (q *queue) giveBack(lent *loan, m *streamer.Message) {
	s := q.s
	s.mu.Lock()
	defer s.unlock()
	defer q.endLoan(lent, m)
	l := runOf(m).led
	if q.closed || !s.owned.has(l) || !l.delivers(m) {
		return
	}
	l.emit(1)
	s.flow.enter(m)
	q.restore(m)
	s.reopenIfRoom(l)
}

// restore puts a message back in front of later ones of its shard. Other
// Streams may have given theirs back first.
func (q *queue) restore(m *streamer.Message) {
	q.ring.pushFront(m)
	at := 0
	for i := 1; i < q.ring.n; i++ {
		x := q.ring.at(i)
		if runOf(x).led != runOf(m).led {
			continue
		}
		if byEmission(x, m) > 0 {
			return
		}
		q.ring.move(at, i)
		at = i
	}
}

func (q *queue) endLoan(lent *loan, m *streamer.Message) {
	runOf(m).led.endLoan()
	i := slices.Index(q.loans, lent)
	q.loans = slices.Delete(q.loans, i, i+1)
	if len(q.loans) == 0 {
		q.s.returned.Broadcast()
	}
	q.wakeOne()
}

// suspend stops handing out and waits until nothing is lent. Afterwards no
// taker gets an earlier message. session.mu is held, and released while
// waiting.
func (q *queue) suspend() {
	q.suspended++
	close(q.recall)
	q.recall = make(chan struct{})
	for len(q.loans) > 0 {
		q.s.returned.Wait()
	}
}

func (q *queue) resume() {
	q.suspended--
	q.wakeOne()
}

// suspendAll suspends every member. session.mu is held, and released while
// waiting.
func (s *session) suspendAll() []*queue {
	all := slices.Clone(s.queues)
	for _, q := range all {
		q.suspend()
	}
	return all
}

func resumeAll(queues []*queue) {
	for _, q := range queues {
		q.resume()
	}
}
