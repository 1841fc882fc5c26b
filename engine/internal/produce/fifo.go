package produce

// fifo holds the records that are under way, oldest first. Resolved ones are
// removed when they reach the front or are most of it.
type fifo struct {
	buf  []*sending
	head int
	n    int
}

func (f *fifo) push(pd *sending) {
	if f.head > 0 && len(f.buf) == cap(f.buf) {
		n := copy(f.buf, f.buf[f.head:])
		clear(f.buf[n:])
		f.buf, f.head = f.buf[:n], 0
	}
	f.buf = append(f.buf, pd)
	f.n++
}

func (f *fifo) front() *sending { return f.buf[f.head] }

func (f *fifo) pop() *sending {
	pd := f.buf[f.head]
	f.buf[f.head] = nil
	f.head++
	f.n--
	if f.n == 0 {
		f.buf, f.head = f.buf[:0], 0
	}
	return pd
}

func (f *fifo) trim() {
	for f.n > 0 && f.front().resolved() {
		f.pop()
	}
}

// tidy removes resolved records: those at the front, and the others once they
// outnumber the open ones twice. So it looks at each record about once.
func (f *fifo) tidy(open int) {
	f.trim()
	if f.n <= 2*open+roomEvery {
		return
	}
	kept := f.buf[:0]
	for _, pd := range f.buf[f.head : f.head+f.n] {
		if !pd.resolved() {
			kept = append(kept, pd)
		}
	}
	clear(f.buf[len(kept) : f.head+f.n])
	f.buf, f.head, f.n = kept, 0, len(kept)
}
