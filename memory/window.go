package memory

// memberID says who has a message. Sources are numbered from released+1 on.
type memberID uint32

const (
	acked    memberID = iota // nothing needs it any more
	released                 // it was fetched, and a member must get it again
)

// window is how far a group has come with one shard when it acknowledges single
// messages: everything before low is acknowledged, everything from next on was
// never fetched, holders says who has what lies between.
type window struct {
	low, next uint64
	buf       []memberID // holders with the room that the acknowledged ones left in front
	head      int
	free      int // how many are released
}

// holders are those of low, low+1, … next-1. The first is not acked.
func (w *window) holders() []memberID { return w.buf[w.head:] }

// upcoming is the run of messages to hand out next, at most limit: those given
// back first, in order.
func (w *window) upcoming(limit int) (seq uint64, n int) {
	if w.free == 0 {
		return w.next, limit
	}
	holders, i := w.holders(), 0
	for holders[i] != released {
		i++
	}
	for n < limit && i+n < len(holders) && holders[i+n] == released {
		n++
	}
	return w.low + uint64(i), n
}

// claim gives n messages from seq on, as upcoming said, to a member.
func (w *window) claim(seq uint64, n int, to memberID) {
	if seq == w.next {
		for range n {
			w.buf = append(w.buf, to)
		}
		w.next += uint64(n)
		return
	}
	given := w.holders()[seq-w.low:][:n]
	for i := range given {
		given[i] = to
	}
	w.free -= n
}

// has says whether the member has the message.
func (w *window) has(seq uint64, member memberID) bool {
	return seq >= w.low && seq < w.next && w.holders()[seq-w.low] == member
}

// finish acknowledges a message that a member has.
func (w *window) finish(seq uint64) {
	w.holders()[seq-w.low] = acked
	w.shrink()
}

// shrink forgets what is acknowledged at the front.
func (w *window) shrink() {
	for w.head < len(w.buf) && w.buf[w.head] == acked {
		w.head++
		w.low++
	}
	if w.head > len(w.buf)/2 {
		w.buf = w.buf[:copy(w.buf, w.buf[w.head:])]
		w.head = 0
	}
}

// release gives back a message that a member has.
func (w *window) release(seq uint64) {
	w.holders()[seq-w.low] = released
	w.free++
}

// releaseAll gives back everything that member has.
func (w *window) releaseAll(member memberID) {
	for i, h := range w.holders() {
		if h == member {
			w.release(w.low + uint64(i))
		}
	}
}

// reopen gives back a message that was acknowledged too early.
func (w *window) reopen(seq uint64) {
	if seq >= w.next {
		return
	}
	if seq < w.low {
		w.buf = append(make([]memberID, w.low-seq), w.holders()...)
		w.head, w.low = 0, seq
	}
	if w.has(seq, acked) {
		w.release(seq)
	}
}

// trim forgets what lies before first.
func (w *window) trim(first uint64) {
	if first >= w.next {
		*w = window{low: first, next: first}
		return
	}
	if first <= w.low {
		return
	}
	gone := w.holders()[:first-w.low]
	for i, h := range gone {
		if h == released {
			w.free--
		}
		gone[i] = acked
	}
	w.shrink()
}

// pending counts what is not acknowledged, from first on.
func (w *window) pending(first uint64) int {
	n := 0
	for i, h := range w.holders() {
		if h != acked && w.low+uint64(i) >= first {
			n++
		}
	}
	return n
}
