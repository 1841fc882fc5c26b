package memory

import (
	"math/rand/v2"
	"testing"
)

// model is a window without tricks: who has each message.
type model struct {
	holders []memberID // by sequence number; acked from the start where it was trimmed
	next    uint64
}

func (m *model) upcoming() uint64 {
	for i, h := range m.holders[:m.next] {
		if h == released {
			return uint64(i)
		}
	}
	return m.next
}

func (m *model) pending() int {
	n := 0
	for _, h := range m.holders[:m.next] {
		if h != acked {
			n++
		}
	}
	return n
}

// A window does what its model does, whatever happens in whatever order.
func TestAWindowRemembersExactlyWhoHasWhat(t *testing.T) {
	const messages, steps = 300, 5000
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		m := &model{holders: make([]memberID, messages)}
		w := &window{}
		for step := range steps {
			member := released + 1 + memberID(rnd.IntN(3))
			seq := rnd.Uint64N(messages)
			switch rnd.IntN(12) {
			case 0, 1, 2:
				from, n := w.upcoming(1 + rnd.IntN(9))
				n = min(n, messages-int(from))
				w.claim(from, n, member)
				for i := range uint64(n) {
					m.holders[from+i] = member
				}
				m.next = max(m.next, from+uint64(n))
			case 3, 4, 5, 6, 7:
				if w.has(seq, member) {
					w.finish(seq)
					m.holders[seq] = acked
				}
			case 8:
				if w.has(seq, member) {
					w.release(seq)
					m.holders[seq] = released
				}
			case 9:
				w.releaseAll(member)
				for i, h := range m.holders[:m.next] {
					if h == member {
						m.holders[i] = released
					}
				}
			case 10:
				if rnd.IntN(20) == 0 && seq < m.next {
					w.trim(seq)
					clear(m.holders[:seq])
				}
			case 11:
				if rnd.IntN(20) == 0 {
					w.reopen(seq)
					if seq < m.next && m.holders[seq] == acked {
						m.holders[seq] = released
					}
				}
			}
			if !agree(w, m) {
				t.Fatalf("seed %d step %d: %+v, model %v", seed, step, w, m.holders[:m.next])
			}
		}
	}
}

func agree(w *window, m *model) bool {
	seq, _ := w.upcoming(1)
	want := m.upcoming()
	if seq != want || w.next != m.next || w.pending(0) != m.pending() {
		return false
	}
	for i, h := range m.holders[:m.next] {
		if h != acked && !w.has(uint64(i), h) {
			return false
		}
	}
	return true
}

func TestAWindowTrimmedBeyondItsEndBeginsThere(t *testing.T) {
	w := &window{}
	w.claim(0, 10, released+1)
	w.release(3)
	w.trim(500)
	if seq, n := w.upcoming(7); seq != 500 || n != 7 || w.pending(0) != 0 {
		t.Errorf("%d %d %+v", seq, n, w)
	}
}
