package engine

import (
	"cmp"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/internal/inside"
	"github.com/gostreamer/streamer/internal/wait"
)

// dealt is what a run needs more where the members of an in-process group share a session: a member that leaves gives up what it was handed
// and did not acknowledge, and another gets it again.
type dealt struct {
	msgs  []streamer.Message // the run's messages, to hand out again
	owner []*queue           // who has each slot
	void  []uint64           // slots given up: their bit in acked is set so that a late Ack counts nothing, but they are not done
	from  []origin           // of a reissued run: the slot that is done when this one is
}

// origin is a slot of a run in the ledger's FIFO.
type origin struct {
	r *run
	i uint32
}

func (d *dealt) voided(w int) uint64 {
	if d.void == nil {
		return 0
	}
	return d.void[w]
}

// deal gives the pool's messages to members that have room: by key where there
// is one, else in turn, those that wait first. A full member is passed over for
// the latter and holds up its keys. A member gets only what its shard's window
// has room for, so that it can take whatever it was dealt: were the window full
// of what others took, the messages that the mark waits for could be stuck in
// its ring. session.mu is held.
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

// join adds a member. Undelivered messages are dealt again, so that each key's go to its keeper in order.
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

// leave takes a member out: what it has is dealt to the others, what it was handed and did not acknowledge too.
func (s *session) leave(q *queue, why error) {
	s.mu.Lock()
	defer s.unlock()
	queues := s.suspendAll()
	s.queues = list.Without(s.queues, q)
	q.close(why)
	for _, l := range s.owned.ledgers {
		if l != nil {
			s.giveUp(l, q)
			l.tellDrained()
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

// redeal takes back into the pool what these members were dealt and not handed.
func (s *session) redeal(queues []*queue) {
	var back []*streamer.Message
	for _, q := range queues {
		for q.ring.n > 0 {
			back = append(back, q.ring.popFront())
		}
	}
	s.deals.repool(back)
}

// byEmission orders messages as the source emitted them; a pipe's numbers need not rise.
func byEmission(a, b *streamer.Message) int {
	ra, rb := runOf(a), runOf(b)
	return cmp.Or(cmp.Compare(ra.order, rb.order), cmp.Compare(ra.originOf(indexOf(a)).i, rb.originOf(indexOf(b)).i))
}

// giveUp reissues what q holds of a shard.
func (s *session) giveUp(l *ledger, q *queue) {
	for r := l.head; r != nil; r = r.next {
		s.reissue(l, r, q)
	}
	for _, r := range slices.Clone(l.reissued) {
		s.reissue(l, r, q)
	}
}

// reissue claims the slots of r that q holds and puts copies of their messages into the pool, but of a shard that is leaving: another process gets them.
func (s *session) reissue(l *ledger, r *run, q *queue) {
	again := &run{led: l, order: r.order}
	for i, owner := range r.owner {
		if owner != q || !r.claim(uint32(i), s.o.ack) {
			continue
		}
		again.msgs = append(again.msgs, r.msgs[i])
		again.from = append(again.from, r.originOf(uint32(i)))
	}
	if again.n = len(again.msgs); again.n == 0 || l.leaving {
		return
	}
	again.track(make([]atomic.Uint64, wordsOf(again.n)))
	again.taken = make([]uint64, wordsOf(again.n))
	again.owner = make([]*queue, again.n)
	l.reissued = append(l.reissued, again)
	l.buffered += again.n
	for i := range again.msgs {
		m := &again.msgs[i]
		*inside.SlotOf(m) = inside.Slot{Run: &again.acks, I: uint32(i)}
		s.flow.enter(m)
		s.deals.pool.pushBack(m) // redeal puts it in its place
	}
}

// claim takes a slot away from its owner; false when it is done. With AckDelayed a member that leaves acknowledges what it was handed.
func (r *run) claim(i uint32, ack streamer.AckPolicy) bool {
	w, bit := bitOf(i)
	if r.taken[w]&bit == 0 || r.acks.Bits[w].Or(bit)&bit != 0 || ack == streamer.AckDelayed {
		return false
	}
	if r.void == nil {
		r.void = make([]uint64, wordsOf(r.n))
	}
	r.void[w] |= bit
	return true
}

// slotOf is a message's place among the live ones of its ledger.
func slotOf(m *streamer.Message) int {
	o := runOf(m).originOf(indexOf(m))
	return o.r.base + int(o.i)
}

func (r *run) originOf(i uint32) origin {
	if r.from != nil {
		return r.from[i]
	}
	return origin{r, i}
}

// absorb carries the acknowledgements of reissued messages over to the slots they came from.
func (l *ledger) absorb() {
	if len(l.reissued) == 0 {
		return
	}
	kept := l.reissued[:0]
	for _, r := range l.reissued {
		if !r.absorb() {
			kept = append(kept, r)
		}
	}
	clear(l.reissued[len(kept):])
	l.reissued = kept
}

// absorb says whether nothing of the run is open any more.
func (r *run) absorb() bool {
	open := false
	for w := range r.acks.Bits {
		done := r.bits(w) & r.mask(w)
		for b := done; b != 0; b &= b - 1 {
			from := r.from[w<<6+bits.TrailingZeros64(b)]
			fw, bit := bitOf(from.i)
			from.r.void[fw] &^= bit
		}
		open = open || (done|r.voided(w))&r.mask(w) != r.mask(w)
	}
	return !open
}
