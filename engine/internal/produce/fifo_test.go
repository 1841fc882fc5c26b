package produce

import (
	"math/rand/v2"
	"testing"

	"github.com/gostreamer/streamer"
)

func TestFifoIsASlice(t *testing.T) {
	for range 50 {
		var f fifo
		var model []*sending
		for range 500 {
			switch op := rand.IntN(10); {
			case op < 5:
				pd := &sending{}
				f.push(pd)
				model = append(model, pd)
			case op < 8 && len(model) > 0:
				if f.front() != model[0] || f.pop() != model[0] {
					t.Fatal("pop is not the oldest")
				}
				model = model[1:]
			case len(model) > 0:
				for range 1 + rand.IntN(3) {
					model[rand.IntN(len(model))].outcome().Resolve(streamer.Meta{}, nil)
				}
				f.trim()
				for len(model) > 0 && model[0].resolved() {
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
		f.push(&sending{})
		if f.n > 10 {
			f.pop()
		}
	}
	if cap(f.buf) > 64 {
		t.Fatalf("room for %d records where 11 are held", cap(f.buf))
	}
}
