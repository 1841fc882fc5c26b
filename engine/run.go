package engine

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/inside"
)

// run is one shard's part of a fetched slab. A bit per message says whether it
// is done. A run keeps sequence numbers, not messages, so the payload is free
// when the program drops it. A position that the mark passes without a message
// is a run with one slot that is done from the start.
//
// Ack writes acks without a lock. The rest belongs to session.mu.
type run struct {
	led   *ledger     // nil: a slot that is no message, see ledger.pass
	acks  inside.Acks // without bits in a session that tracks nothing (RealTime)
	seqs  seqs        // one per slot; none where acks has no bits
	final []uint64    // acks at the moment of sealing; later ones do not count
	taken []uint64    // slots handed out
	saved []uint64    // slots whose acknowledgement the source holds (MessageAcker)
	n     int         // slots
	live  int         // slots that are the program's to do: the first ones; the rest went back to the group, or is no message
	done  int         // contiguous done slots from the front
	base  int         // the ledger's live messages before this run
	order uint64      // place among the session's runs
	next  *run

	when []uint32 // AckDelayed: when each slot was handed out, in ms of session time
	dealt
}

// runOf returns the run of a message that was entered into the ledgers.
func runOf(m *streamer.Message) *run { return inside.SlotOf(m).Run.Owner.(*run) } //nolint:forcetypeassert // enter put it there

// indexOf is a message's place in its run.
func indexOf(m *streamer.Message) uint32 { return inside.SlotOf(m).I }

// shardOf is the shard that a message came from.
func shardOf(m *streamer.Message) streamer.StreamShard {
	return streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
}

// messageSize is the memory of a Message without what it points to.
const messageSize = int(unsafe.Sizeof(streamer.Message{}))

// track gives the messages of a run their bits. The run has its ledger.
func (r *run) track(bits []atomic.Uint64) {
	r.acks = inside.Acks{Bits: bits, Watched: &r.led.watched, Owner: r}
}

// Acked implements inside.Owner.
func (r *run) Acked() { r.led.sess.ackSeen(r.led) }

func wordsOf(n int) int { return (n + 63) >> 6 }

func bitOf(i uint32) (word int, bit uint64) { return int(i >> 6), 1 << (i & 63) }

// bits is one word of done slots.
func (r *run) bits(w int) uint64 {
	b := r.ackBits(w)
	if r.void != nil {
		b &^= r.void[w]
	}
	return b
}

func (r *run) ackBits(w int) uint64 {
	if r.final != nil {
		return r.final[w]
	}
	return r.acks.Bits[w].Load()
}

// mask has a bit for each slot of word w.
func (r *run) mask(w int) uint64 {
	if rest := r.n - w<<6; rest < 64 {
		return 1<<rest - 1
	}
	return ^uint64(0)
}

// advance moves done over contiguous done slots and returns how far it went.
func (r *run) advance() int {
	from := r.done
	for r.done < r.n {
		w, off := r.done>>6, r.done&63
		ones := bits.TrailingZeros64(^(r.bits(w) >> off))
		r.done = min(r.done+min(ones, 64-off), r.n)
		if ones < 64-off {
			break
		}
	}
	return r.done - from
}

// seal makes later Acks not count. final has exactly the acknowledgements for
// which Ack returned true.
func (r *run) seal() {
	if r.acks.Bits == nil || r.final != nil {
		return
	}
	final := make([]uint64, len(r.acks.Bits))
	for w := range r.acks.Bits {
		final[w] = r.acks.Bits[w].Swap(^uint64(0))
	}
	r.final = final
}

// inWork counts the slots that were handed out and are not done.
func (r *run) inWork() int {
	n := 0
	for w := range r.taken {
		n += bits.OnesCount64(r.taken[w] &^ r.bits(w) &^ r.voided(w))
	}
	return n
}

// ackTaken acknowledges what was handed out, on behalf of the program.
func (r *run) ackTaken() {
	for w := range r.taken {
		r.acks.Bits[w].Or(r.taken[w])
	}
}

// unsaved is the word of slots that are done and not yet acknowledged at the
// source.
func (r *run) unsaved(w int) uint64 {
	b := r.bits(w) & r.mask(w)
	if r.saved != nil {
		b &^= r.saved[w]
	}
	return b
}

// save records that the source holds the acknowledgement of these slots of word
// w.
func (r *run) save(w int, slots uint64) {
	if r.saved == nil {
		r.saved = make([]uint64, wordsOf(r.n))
	}
	r.saved[w] |= slots
}

// giveBack records that a message that was not handed out was returned to its
// group.
func (r *run) giveBack(i uint32) {
	r.live--
	r.led.live--
	w, bit := bitOf(i)
	r.acks.Bits[w].Or(bit)
	r.save(w, bit)
	r.led.notifyDrained()
}

// allSaved says that the source holds every acknowledgement of the run.
func (r *run) allSaved() bool {
	if r.saved == nil {
		return false
	}
	for w := range r.saved {
		if r.saved[w]&r.mask(w) != r.mask(w) {
			return false
		}
	}
	return true
}

// place makes part the messages of the run.
func (r *run) place(part []streamer.Message) {
	for i := range part {
		*inside.SlotOf(&part[i]) = inside.Slot{Run: &r.acks, I: uint32(i)} //nolint:gosec // a slab's length
	}
}

// take records that the program has message i. at is the time, for AckDelayed.
// q is the member that got it, in a dealt group. acknowledged makes it done at
// once.
func (r *run) take(i uint32, at uint32, q *queue, acknowledged bool) {
	w, bit := bitOf(i)
	r.taken[w] |= bit
	if r.when != nil {
		r.when[i] = at
	}
	if acknowledged {
		r.acks.Bits[w].Or(bit)
	}
	if r.owner != nil {
		r.owner[i] = q
	}
}

func (r *run) ackAged(now, delay uint32) {
	for i, when := range r.when {
		w, bit := bitOf(uint32(i))
		if r.taken[w]&bit != 0 && now-when >= delay {
			r.acks.Bits[w].Or(bit)
		}
	}
}
