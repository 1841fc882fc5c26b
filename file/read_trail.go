package file

import (
	"encoding/binary"
	"slices"
)

// trail is where a shard's messages lie that were emitted and are not
// committed, oldest first. Between two commits there can be millions, so it has
// about four bytes for each: what the next one does not have in common with the
// one before it.
type trail struct {
	stretches []*stretch
	n         int
}

// stretchSteps is how many steps a stretch has at most: to find a step one of
// them is decoded, the others are skipped.
const stretchSteps = 512

// stepBytes is as many as a step can take.
const stepBytes = 3 * binary.MaxVarintLen64

// stretch is some steps in a row.
type stretch struct {
	first     step
	rest      []byte // its first used bytes are the others: signed varints of what number, start and frame are more than the one before makes likely
	used      int
	last      step
	low, high uint64 // no number is outside; numbers need not rise in what others have written
	n         int
}

func (t *trail) len() int { return t.n }

func (t *trail) add(st step) {
	t.n++
	i := len(t.stretches) - 1
	if i >= 0 && t.stretches[i].n < stretchSteps {
		t.stretches[i].add(st)
		return
	}
	s := &stretch{first: st, last: st, low: st.seq, high: st.seq, n: 1}
	if i >= 0 {
		s.rest = make([]byte, t.stretches[i].used+stepBytes)
	}
	t.stretches = append(t.stretches, s)
}

func (s *stretch) add(st step) {
	if len(s.rest)-s.used < stepBytes {
		s.rest = append(s.rest[:s.used], make([]byte, max(stepBytes, s.used))...)
	}
	b := s.rest[s.used:] // not appended to: a changed slice costs a write barrier
	n := binary.PutVarint(b, int64(st.seq-s.last.seq-1))
	n += binary.PutVarint(b[n:], st.start-s.last.frame)
	n += binary.PutVarint(b[n:], st.frame-st.start)
	s.used += n
	s.last, s.low, s.high = st, min(s.low, st.seq), max(s.high, st.seq)
	s.n++
}

// after is the step behind st, whose bytes rest starts with.
func (st step) after(rest []byte) (step, []byte) {
	var d [3]int64
	for i := range d {
		v, k := binary.Varint(rest)
		d[i], rest = v, rest[k:]
	}
	start := st.frame + d[1]
	return step{st.seq + 1 + uint64(d[0]), start, start + d[2]}, rest
}

// find looks for a number: where its frame is, and how many steps there are up
// to it; 0 when it is not there.
func (t *trail) find(seq uint64) (frame int64, passed int) {
	for _, s := range t.stretches {
		if s.low <= seq && seq <= s.high {
			if st, n := s.find(seq); n > 0 {
				return st.frame, passed + n
			}
		}
		passed += s.n
	}
	return 0, 0
}

func (s *stretch) find(seq uint64) (st step, passed int) {
	st, rest := s.first, s.rest
	for n := 1; ; n++ {
		if st.seq == seq {
			return st, n
		}
		if n == s.n {
			return st, 0
		}
		st, rest = st.after(rest)
	}
}

// at is step i.
func (t *trail) at(i int) step {
	for _, s := range t.stretches {
		if i < s.n {
			st, _ := s.skip(i)
			return st
		}
		i -= s.n
	}
	return step{}
}

// skip is step i and the bytes behind it.
func (s *stretch) skip(i int) (st step, rest []byte) {
	st, rest = s.first, s.rest
	for range i {
		st, rest = st.after(rest)
	}
	return st, rest
}

// drop forgets the first n steps.
func (t *trail) drop(n int) {
	t.n -= n
	whole := 0
	for whole < len(t.stretches) && n >= t.stretches[whole].n {
		n -= t.stretches[whole].n
		whole++
	}
	t.stretches = slices.Delete(t.stretches, 0, whole)
	if n > 0 {
		s := t.stretches[0]
		before := len(s.rest)
		s.first, s.rest = s.skip(n)
		s.used -= before - len(s.rest)
		s.n -= n
	}
}
