package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gostreamer/streamer"
)

func TestRingIsASlice(t *testing.T) {
	for range 50 {
		var r ring
		var model []*streamer.Message
		for range 500 {
			m := &streamer.Message{}
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
				drop := map[*streamer.Message]bool{}
				for _, m := range model {
					drop[m] = rand.IntN(3) == 0
				}
				r.keep(func(m *streamer.Message) bool { return !drop[m] })
				model = slices.DeleteFunc(model, func(m *streamer.Message) bool { return drop[m] })
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
		r.pushBack(&streamer.Message{})
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
