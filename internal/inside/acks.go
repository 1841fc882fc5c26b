package inside

import (
	"sync/atomic"
	"unsafe"
)

// Acks are the acknowledgements of the messages of one run: one bit each. Ack
// sets bits without a lock, from any goroutine; the rest is fixed before the
// first message of the run is handed out.
type Acks struct {
	Bits    []atomic.Uint64 // nil: acknowledgements mean nothing
	Watched *atomic.Bool    // while it is true, Owner.Acked is called
	Owner   Owner
}

// Owner is what the messages of a run belong to.
type Owner interface {
	// Acked is called after a bit was set while Acks.Watched was true. It must
	// not block.
	Acked()
}

// Ack sets bit i and says whether this call did.
func (a *Acks) Ack(i uint32) bool {
	if a == nil || a.Bits == nil {
		return false
	}
	bit := uint64(1) << (i & 63)
	if a.Bits[i>>6].Or(bit)&bit != 0 {
		return false
	}
	if a.Watched.Load() {
		a.Owner.Acked()
	}
	return true
}

// Slot is a message's place in its run. The zero Slot is in none.
type Slot struct {
	Run *Acks
	I   uint32
}

// SlotOf is the slot of a message. streamer.Message has it as its first field,
// which a test of that package checks: a setter would have to be exported
// there, and a field of another package's type costs nothing only where it
// lies.
func SlotOf[M any](m *M) *Slot { return (*Slot)(unsafe.Pointer(m)) } //nolint:gosec // see above

// Once is the Acks of a message that stands alone: f is called for the first
// acknowledgement.
func Once(f func()) *Acks {
	if f == nil {
		f = func() {}
	}
	a := &Acks{Bits: make([]atomic.Uint64, 1), Watched: new(atomic.Bool), Owner: once(f)}
	a.Watched.Store(true)
	return a
}

type once func()

func (f once) Acked() { f() }
