package streamer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRingIsASlice(t *testing.T) {
	for range 50 {
		var r ring
		var model []*Message
		for range 500 {
			m := &Message{}
			switch op := rand.IntN(10); {
			case op < 4:
				r.pushBack(m)
				model = append(model, m)
			case op < 6:
				r.pushFront(m)
				model = slices.Insert(model, 0, m)
			case op < 9 && len(model) > 0:
				if r.front() != model[0] || r.popFront() != model[0] {
					t.Fatal("popFront is not the first")
				}
				model = model[1:]
			case op == 9:
				drop := map[*Message]bool{}
				for _, m := range model {
					drop[m] = rand.IntN(3) == 0
				}
				r.keep(func(m *Message) bool { return !drop[m] })
				model = slices.DeleteFunc(model, func(m *Message) bool { return drop[m] })
			}
			if r.n != len(model) {
				t.Fatalf("length %d, want %d", r.n, len(model))
			}
		}
		for i, m := range model {
			if r.at(i) != m {
				t.Fatalf("element %d differs", i)
			}
		}
	}
}

func TestRingLetsGoOfWhatWasPopped(t *testing.T) {
	var r ring
	for range 100 {
		r.pushBack(&Message{})
	}
	for range 100 {
		r.popFront()
	}
	for i, m := range r.buf {
		if m != nil {
			t.Fatalf("slot %d keeps a message alive", i)
		}
	}
}

func TestFifoIsASlice(t *testing.T) {
	for range 50 {
		var f fifo
		var model []*Pending
		for range 500 {
			switch op := rand.IntN(10); {
			case op < 5:
				pd := &Pending{}
				f.push(pd)
				model = append(model, pd)
			case op < 8 && len(model) > 0:
				if f.front() != model[0] || f.pop() != model[0] {
					t.Fatal("pop is not the oldest")
				}
				model = model[1:]
			case len(model) > 0:
				for range 1 + rand.IntN(3) {
					model[rand.IntN(len(model))].receipt.resolve(Meta{}, nil)
				}
				f.trim()
				for len(model) > 0 && model[0].receipt.resolved() {
					model = model[1:]
				}
			}
			if f.n != len(model) {
				t.Fatalf("length %d, want %d", f.n, len(model))
			}
		}
	}
}

func TestFifoDoesNotGrowWhileItsLengthIsBounded(t *testing.T) {
	var f fifo
	for range 10_000 {
		f.push(&Pending{})
		if f.n > 10 {
			f.pop()
		}
	}
	if cap(f.buf) > 64 {
		t.Fatalf("room for %d records where 11 are held", cap(f.buf))
	}
}
