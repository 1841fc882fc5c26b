package engine

import "github.com/gostreamer/streamer"

// ring is a FIFO of messages that also takes them back at its front. The zero
// value is empty.
type ring struct {
	buf  []*streamer.Message // length is zero or a power of two
	head int
	n    int
}

func (r *ring) at(i int) *streamer.Message { return r.buf[(r.head+i)&(len(r.buf)-1)] }

func (r *ring) pushBack(m *streamer.Message) {
	r.grow()
	r.buf[(r.head+r.n)&(len(r.buf)-1)] = m
	r.n++
}

func (r *ring) pushFront(m *streamer.Message) {
	r.grow()
	r.head = (r.head - 1) & (len(r.buf) - 1)
	r.buf[r.head] = m
	r.n++
}

// insert puts m in the order of emission. A new message usually goes to the
// end.
func (r *ring) insert(m *streamer.Message) {
	r.pushBack(m)
	at := r.n - 1
	for at > 0 && byEmission(r.at(at-1), m) > 0 {
		at--
	}
	r.moveBack(r.n-1, at)
}

// moveBack moves the message at from to place to, which lies before it, and
// those between by one place.
func (r *ring) moveBack(from, to int) {
	m := r.at(from)
	for i := from; i > to; i-- {
		r.buf[(r.head+i)&(len(r.buf)-1)] = r.at(i - 1)
	}
	r.buf[(r.head+to)&(len(r.buf)-1)] = m
}

// move moves the message at from to place to, and those between by one place.
func (r *ring) move(from, to int) {
	m := r.at(from)
	for i := from; i < to; i++ {
		r.buf[(r.head+i)&(len(r.buf)-1)] = r.at(i + 1)
	}
	r.buf[(r.head+to)&(len(r.buf)-1)] = m
}

func (r *ring) front() *streamer.Message { return r.buf[r.head] }

func (r *ring) popFront() *streamer.Message {
	m := r.buf[r.head]
	r.buf[r.head] = nil
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
	return m
}

// keep drops the messages for which f is false and keeps the order.
func (r *ring) keep(f func(*streamer.Message) bool) {
	n := r.n
	for range n {
		if m := r.popFront(); f(m) {
			r.pushBack(m)
		}
	}
}

func (r *ring) grow() {
	if r.n < len(r.buf) {
		return
	}
	buf := make([]*streamer.Message, max(16, 2*len(r.buf)))
	for i := range r.n {
		buf[i] = r.at(i)
	}
	r.buf, r.head = buf, 0
}
