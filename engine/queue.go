package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/internal/wait"
)

// errMoved is returned to a blocked taker whose consumer has another queue now.
var errMoved = errors.New("moved")

// queue is a consumer's place in a session: the messages that were emitted for
// it and not handed out. Except for the channels it belongs to session.mu.
type queue struct {
	s           *session
	obs         *observe.Observer
	id          uint64 // dealt groups: what keys are hashed with
	ring        ring
	slow        bool    // its messages went to others: it gets keyed ones only until it takes again
	suspended   int     // takers wait: a move or a rebalance is under way
	loans       []*loan // of the Stream goroutines that offer a message
	closed      bool    // the consumer left: takers get why
	why         error
	waiters     int
	pace        pace
	uncommitted map[streamer.StreamShard]streamer.SeqNo // lost before all that was handed out, up to this, was committed; no Commit of the consumer's has said so yet

	leaveGroup func(ctx context.Context, why error) error // dealt groups: set when joined
	leaving    atomic.Bool                                // shut has begun
	left       chan struct{}                              // closed at the end of shut

	ready  chan struct{} // capacity 1: wakes one taker, who wakes the next
	gone   chan struct{} // closed with closed
	moved  chan struct{} // closed by the consumer when it has its next queue
	recall chan struct{} // closed when lent messages must come back
}

func newQueue(s *session, obs *observe.Observer) *queue {
	return &queue{
		s:      s,
		obs:    obs,
		id:     rand.Uint64(),
		pace:   pace{limit: minShare},
		ready:  make(chan struct{}, 1),
		gone:   make(chan struct{}),
		moved:  make(chan struct{}),
		recall: make(chan struct{}),
		left:   make(chan struct{}),
	}
}

// take blocks for the next message. With a loan, keep or giveBack must follow,
// at the latest when recall is closed.
func (q *queue) take(ctx context.Context, l *loan) (m *streamer.Message, recall <-chan struct{}, err error) {
	s := q.s
	s.mu.Lock()
	defer s.unlock()
	for {
		if err := ctx.Err(); err != nil {
			q.wakeOne() // the token may have been for us
			return nil, nil, err
		}
		if m := q.next(l); m != nil {
			return m, q.recall, nil
		}
		if err := q.done(); err != nil {
			q.wakeOne()
			return nil, nil, err
		}
		q.wait()
		s.unlock()
		q.sleep(ctx)
		s.mu.Lock()
		q.waiters--
		s.waiters--
	}
}

// takeBatch adds the buffered messages to batch without waiting.
func (q *queue) takeBatch(batch []*streamer.Message) []*streamer.Message {
	q.s.mu.Lock()
	defer q.s.unlock()
	for len(batch) < cap(batch) {
		m := q.next(nil)
		if m == nil {
			break
		}
		batch = append(batch, m)
	}
	return batch
}

// available counts the messages that a taker could have now: a hint for the
// size of a batch.
func (q *queue) available() int {
	q.s.mu.Lock()
	defer q.s.mu.Unlock()
	return q.ring.n
}

// done returns the error for takers when nothing is left to take.
func (q *queue) done() error {
	if q.closed {
		return q.why
	}
	if q.suspended > 0 || q.s.end.reason == nil {
		return nil
	}
	if !q.s.end.broken && (!q.empty() || len(q.loans) > 0) {
		return nil
	}
	return q.s.end.reason
}

// empty says that no message can reach this queue once fetching has ended,
// except from another member of a dealt group that leaves.
func (q *queue) empty() bool {
	return q.ring.n == 0 && q.s.deals.pool.n == 0 && q.s.flow.parked.messages == 0
}

// wait counts a waiting taker and wakes what could bring it something.
func (q *queue) wait() {
	q.waiters++
	q.s.waiters++
	q.pace.idle(time.Now)
	if q.s.hasRoom() {
		wait.Signal(q.s.flow.room)
	}
	if q.s.o.dealt && q.s.flow.buffered.messages > 0 {
		wait.Signal(q.s.commits.wake) // another member may hoard
	}
}

func (q *queue) sleep(ctx context.Context) {
	select {
	case <-q.ready:
	case <-ctx.Done():
	case <-q.gone:
	}
}

// wakeOne wakes one taker, if there is one and it would find a message or the
// end.
func (q *queue) wakeOne() {
	if q.waiters > 0 && (q.ring.n > 0 || q.done() != nil) {
		wait.Signal(q.ready)
	}
}

// arrived records new messages.
func (q *queue) arrived() {
	if q.ring.n > 0 {
		q.pace.busy(time.Now)
	}
	q.wakeOne()
}

// next hands out the oldest message whose shard has room in its window; nil
// when there is none.
func (q *queue) next(lent *loan) *streamer.Message {
	if q.suspended > 0 || q.closed || q.s.end.broken || q.overdue() {
		return nil
	}
	s := q.s
	q.slow = false
	for {
		if q.ring.n == 0 && s.deals.pool.n > 0 {
			s.deal()
		}
		if q.ring.n == 0 {
			return nil
		}
		m := q.ring.front()
		l := runOf(m).led
		switch {
		case !s.o.tracks():
		case !s.o.dealt && s.parks(l, m):
			q.ring.popFront()
			continue
		case s.o.atMostOnce() && !s.isAhead(l, m):
			return nil
		}
		q.ring.popFront()
		s.handOut(q, m, lent)
		if q.waiters > 0 {
			q.wakeOne()
		}
		return m
	}
}

// close ends the queue: takers get why.
func (q *queue) close(why error) {
	if q.closed {
		return
	}
	q.closed, q.why = true, why
	close(q.gone)
}
