package engine

import (
	"cmp"
	"math/bits"
	"sync/atomic"

	"github.com/gostreamer/streamer"
)

// dealt is the part of a run that is needed where the members of an in-process
// group share a session. A member that leaves gives up what it was handed and
// did not acknowledge, and another member gets it.
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

// giveUp takes away the messages of a run that q holds, for another member; nil
// when there are none. With AckDelayed a member that leaves acknowledges what
// it was handed.
func (r *run) giveUp(q *queue, ack streamer.AckPolicy) *run {
	again := &run{led: r.led, order: r.order}
	for i, owner := range r.owner {
		if owner != q || !r.claim(uint32(i), ack) {
			continue
		}
		again.msgs = append(again.msgs, r.msgs[i])
		again.from = append(again.from, r.originOf(uint32(i)))
	}
	if again.n = len(again.msgs); again.n == 0 {
		return nil
	}
	again.track(make([]atomic.Uint64, wordsOf(again.n)))
	again.taken = make([]uint64, wordsOf(again.n))
	again.owner = make([]*queue, again.n)
	again.place(again.msgs)
	return again
}

// claim takes a slot away from its owner; false when it is done.
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

func (r *run) originOf(i uint32) origin {
	if r.from != nil {
		return r.from[i]
	}
	return origin{r, i}
}

// absorb says whether every message of the run is done.
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

// slotOf is a message's place among the live ones of its ledger.
func slotOf(m *streamer.Message) int {
	o := runOf(m).originOf(indexOf(m))
	return o.r.base + int(o.i)
}

// byEmission orders messages as the source emitted them. The numbers of a pipe
// need not rise.
func byEmission(a, b *streamer.Message) int {
	ra, rb := runOf(a), runOf(b)
	return cmp.Or(cmp.Compare(ra.order, rb.order), cmp.Compare(ra.originOf(indexOf(a)).i, rb.originOf(indexOf(b)).i))
}
