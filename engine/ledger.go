package engine

import (
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/inside"
)

// ledger knows, for one shard, what was emitted, handed out, done and
// committed. It is a FIFO of runs. A commit never passes a gap, because the
// mark moves only over contiguous done slots. Except for watched it belongs to
// session.mu.
type ledger struct {
	streamer.StreamShard
	sess       *session
	head, tail *run // kept runs, oldest first
	cur        *run // the first that is not wholly done: where the mark stands

	mark, saved  streamer.SeqNo // last contiguous done message; what the source holds
	first, last  streamer.SeqNo // first and last emitted message or mark
	live         int            // messages ever emitted, but for those that went back to the group
	passed       int            // live messages that the mark has passed
	buffered     int            // messages emitted and not handed out
	lent         int            // messages that Streams offer
	aheadUpTo    int            // AckOnDelivery: slots before this one are committed and may be handed out
	aheadPending bool
	skips        []streamer.SeqNo // MessageAcker: entries that could not be decoded and that the source was not told of yet

	listed   bool          // in committing.active
	leaving  bool          // being revoked: nothing is handed out any more
	upTo     int           // leaving: except for slots before this one
	drained  chan struct{} // closed when the program holds no message any more
	reissued []*run        // messages that a member gave up, on their way to another

	window
}

// append adds a run whose messages were emitted.
func (l *ledger) append(r *run) {
	r.base = l.live
	if l.last.IsZero() {
		l.first = r.seqs.first
	}
	l.live += r.live
	l.last = r.seqs.at(r.n - 1)
	if l.tail == nil {
		l.head, l.tail = r, r
	} else {
		l.tail.next, l.tail = r, r
	}
	if l.cur == nil {
		l.cur = r
	}
}

// emit counts n messages that were emitted.
func (l *ledger) emit(n int) { l.buffered += n }

// lend notes that a Stream offers a message.
func (l *ledger) lend() { l.lent++ }

// endLoan notes that an offered message was received or given back.
func (l *ledger) endLoan() {
	l.lent--
	l.notifyDrained()
}

// skip records an entry that could not be decoded, to be acknowledged.
func (l *ledger) skip(seq streamer.SeqNo) { l.skips = append(l.skips, seq) }

// isAhead says whether the commit before the hand-out covers m.
func (l *ledger) isAhead(m *streamer.Message) bool { return slotOf(m) < l.aheadUpTo }

// setAhead records that everything before slot upTo is committed.
func (l *ledger) setAhead(upTo int) { l.aheadUpTo, l.aheadPending = upTo, false }

// isIdle says that the ledger keeps nothing to commit.
func (l *ledger) isIdle() bool { return l.head == nil && len(l.skips) == 0 }

// ackAged acknowledges the messages that were handed out delay ago.
func (l *ledger) ackAged(now, delay uint32) {
	for r := l.cur; r != nil; r = r.next {
		r.ackAged(now, delay)
	}
}

// giveUp takes away what q holds and returns the runs for another member.
func (l *ledger) giveUp(q *queue, ack streamer.AckPolicy) []*run {
	var again []*run
	for r := l.head; r != nil; r = r.next {
		again = append(again, r.giveUp(q, ack))
	}
	for _, r := range l.reissued {
		again = append(again, r.giveUp(q, ack))
	}
	return slices.DeleteFunc(again, func(r *run) bool { return r == nil })
}

// reissue adds a run whose messages go to another member.
func (l *ledger) reissue(r *run) {
	l.reissued = append(l.reissued, r)
	l.buffered += r.n
}

// pass adds a slot without a message for the mark to pass: an entry that could
// not be decoded, or a mark of the source. It is done from the start.
// Consecutive ones share a slot, since only the last of them can be committed.
func (l *ledger) pass(seq streamer.SeqNo) {
	if t := l.tail; t != nil && t.led == nil && t.done == 0 {
		t.seqs, l.last = oneSeq(seq), seq
		return
	}
	r := &run{acks: inside.Acks{Bits: make([]atomic.Uint64, 1)}, seqs: oneSeq(seq), n: 1, saved: []uint64{1}}
	r.acks.Bits[0].Store(1)
	l.append(r)
}

// advance moves the mark over the slots that were done since.
func (l *ledger) advance() {
	l.absorb()
	for r := l.cur; r != nil; r = l.cur {
		from := r.done
		if r.advance() > 0 {
			l.passed += min(r.done, r.live) - min(from, r.live)
			l.mark = r.seqs.at(r.done - 1)
		}
		if r.done < r.n {
			return
		}
		l.cur = r.next
	}
}

// release drops the runs that the mark has passed and whose acknowledgements
// the source holds.
func (l *ledger) release(perMessage bool) {
	for r := l.head; r != nil && r != l.cur; r = l.head {
		if perMessage && !r.allSaved() {
			return
		}
		if l.head = r.next; l.head == nil {
			l.tail = nil
		}
	}
}

// oldest is the first message that is not done; zero when all are.
func (l *ledger) oldest() streamer.SeqNo {
	if l.cur == nil {
		return streamer.SeqNo{}
	}
	return l.cur.seqs.at(l.cur.done)
}

// inWork counts the messages that the program holds.
func (l *ledger) inWork() int {
	n := 0
	for r := l.cur; r != nil; r = r.next {
		n += r.inWork()
	}
	for _, r := range l.reissued {
		n += r.inWork()
	}
	return n
}

// ackTaken acknowledges everything that was handed out (AckDelayed, where
// nothing is reissued).
func (l *ledger) ackTaken() {
	for r := l.cur; r != nil; r = r.next {
		r.ackTaken()
	}
}

// seal counts the Acks so far; later ones do not count.
func (l *ledger) seal() {
	for r := l.head; r != nil; r = r.next {
		r.seal()
	}
	for _, r := range l.reissued {
		r.seal()
	}
	l.advance()
}

// eachUnsaved calls f for the messages that are done and not yet acknowledged
// at the source, in order.
func (l *ledger) eachUnsaved(f func(r *run, w int, slots uint64)) {
	for r := l.head; r != nil; r = r.next {
		for w := range r.acks.Bits {
			if slots := r.unsaved(w); slots != 0 {
				f(r, w, slots)
			}
		}
	}
}

// newestTaken is the last message in order that was handed out and whose run is
// kept; zero when there is none.
func (l *ledger) newestTaken() (newest streamer.SeqNo) {
	for r := l.head; r != nil; r = r.next {
		for w, taken := range r.taken {
			if taken != 0 {
				newest = r.seqs.at(w<<6 + bits.Len64(taken) - 1)
			}
		}
	}
	return newest
}

// newestSlot is the slot of the last message in order that was handed out; 0
// when there is none.
func (l *ledger) newestSlot() (newest int) {
	for r := l.head; r != nil; r = r.next {
		for w, taken := range r.taken {
			if taken != 0 {
				newest = r.base + w<<6 + bits.Len64(taken) - 1
			}
		}
	}
	return newest
}

// unsaved says whether a message is done and not yet acknowledged at the
// source.
func (l *ledger) unsaved() bool {
	some := len(l.skips) > 0
	l.eachUnsaved(func(*run, int, uint64) { some = true })
	return some
}

// newestDone is the last message in order that was handed out or that the
// mark has passed; zero when there is none.
func (l *ledger) newestDone() streamer.SeqNo {
	newest := l.newestTaken()
	if l.mark.Compare(newest) > 0 {
		return l.mark
	}
	return newest
}

// uncommitted calls f for each slot that was emitted and is not committed,
// oldest first, until f returns false.
func (l *ledger) uncommitted(perMessage bool, f func(seq streamer.SeqNo, handedOut bool) bool) {
	for r := l.head; r != nil; r = r.next {
		for i := range r.n {
			w, bit := bitOf(uint32(i))
			if r.led == nil || r.committed(i, l, perMessage) {
				continue
			}
			if !f(r.seqs.at(i), r.taken[w]&bit != 0) {
				return
			}
		}
	}
}

// committed says whether the source holds the acknowledgement of slot i. With
// AckOnDelivery the source holds it before the hand-out, and messages that were
// not handed out may be taken back.
func (r *run) committed(i int, l *ledger, perMessage bool) bool {
	w, bit := bitOf(uint32(i))
	if l.sess.o.atMostOnce() {
		return i >= r.live || r.taken[w]&bit != 0
	}
	if perMessage {
		return r.saved != nil && r.saved[w]&bit != 0
	}
	seq := r.seqs.at(i)
	return !l.saved.IsZero() && seq.Compare(l.saved) <= 0
}

// absorb carries the acknowledgements of reissued messages over to their
// original slots.
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
