package redis

import (
	"io"
	"slices"
	"sync/atomic"
	"time"
)

// reply takes one reply in, as it comes. Messages are parts of it, so its bytes
// are never written again.
type reply struct {
	b    []byte
	next int // where the next value begins, which may be further than what has come
	left int // values that are still to come

	lists [2]int // where the last two lists begin

	progress func() // nil, or called whenever something has come

	sent  atomic.Bool   // the command has begun to leave
	since atomic.Int64  // when the first byte came, in ns of Unix time; 0: none has
	took  time.Duration // from the first byte to the last
}

// begun says that something has come. It may be called while the reply comes.
func (r *reply) begun() bool { return r.since.Load() != 0 }

// arrived notes that something has come.
func (r *reply) arrived() {
	now := time.Now().UnixNano()
	if !r.since.CompareAndSwap(0, now) {
		r.took = time.Duration(now - r.since.Load())
	}
}

// newReply has room for about so many bytes.
func newReply(expected int) *reply {
	return &reply{b: make([]byte, 0, max(expected, leastRead)), left: 1}
}

const (
	// leastRead is how much room a read gets at least.
	leastRead = 4 << 10
	// largestGrowth is how much room is made for what is announced and need not
	// come.
	largestGrowth = 1 << 20
	// longestLine is the longest that is not followed by what it announces: an
	// error, in practice.
	longestLine = 64 << 10
)

// readFrom reads the reply up to its last byte.
func (r *reply) readFrom(from io.Reader) error {
	for {
		r.room()
		n, err := from.Read(r.b[len(r.b):cap(r.b)])
		r.b = r.b[:len(r.b)+n]
		if n > 0 {
			r.arrived()
		}
		whole, malformed := r.whole()
		if r.progress != nil {
			r.progress()
		}
		switch {
		case malformed != nil:
			return malformed
		case whole:
			return nil
		case err != nil:
			return err
		}
	}
}

// room makes room for the next read.
func (r *reply) room() {
	if cap(r.b)-len(r.b) < leastRead/2 {
		r.b = slices.Grow(r.b, min(max(r.next-len(r.b), leastRead), largestGrowth))
	}
}

// whole continues through what has come and says whether that is all.
func (r *reply) whole() (bool, error) {
	for r.left > 0 && r.next < len(r.b) {
		h, err := readHead(r.b[r.next:])
		if h.size == 0 && err == nil && len(r.b)-r.next < longestLine {
			return false, nil
		}
		if err != nil || h.size == 0 {
			return false, errMalformed
		}
		r.pass(h)
	}
	if r.left == 0 && r.next < len(r.b) {
		return false, errMalformed // nothing has asked for more
	}
	return r.left == 0 && r.next == len(r.b), nil
}

// complete is how many of several replies that are not lists are there, of so
// many.
func (r *reply) complete(of int) int {
	n := of - r.left
	if r.next > len(r.b) {
		n-- // its text has not come yet
	}
	return n
}

// pass continues behind a head and the text that it announces.
func (r *reply) pass(h head) {
	switch h.kind {
	case '*':
		r.lists[0], r.lists[1] = r.lists[1], r.next
	case '$', '!', '=':
		if h.n >= 0 {
			r.next += h.n + len("\r\n")
		}
	}
	r.left += h.values() - 1
	r.next += h.size
}

// ending is how many entries a whole reply has and the id of the last, without
// going through them all; ok is false when that is not to be had so: the reply
// is not of one stream.
func (r *reply) ending() (entries int, last id, ok bool) {
	_, entries, err := r.only()
	if err != nil || entries == 0 {
		return 0, id{}, false
	}
	tail := scanner{b: r.b, pos: r.lists[0]} // the last list is the last entry's fields
	if tail.expect(2) != nil {
		return 0, id{}, false
	}
	last, err = tail.id()
	return entries, last, err == nil
}

// only goes to the entries of the only stream and says how many there seem to
// be.
func (r *reply) only() (s scanner, entries int, err error) {
	s.b = r.b
	if err := s.expect(1); err != nil {
		return s, 0, err
	}
	if err := s.expect(2); err != nil {
		return s, 0, err
	}
	if _, _, err := s.bulk(); err != nil {
		return s, 0, err
	}
	entries, null, err := s.list()
	if err == nil && null {
		err = errMalformed
	}
	return s, entries, err
}

// entries are those of a reply that has an ending.
func (r *reply) entries() scanner {
	s, _, _ := r.only() // it is the one that ending has found
	return s
}
