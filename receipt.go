package streamer

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
)

// Receipt is the outcome of one Send. 1 allocation, payload released when resolved. May be dropped. Every method may be called concurrently.
type Receipt struct {
	mu   sync.Mutex
	over atomic.Bool   // written under mu
	done chan struct{} // made when somebody wants to wait
	fns  []func(Meta, error)
	meta Meta
	err  error

	// Close reports the failures that the program has not been told of.
	told     bool   // Wait returns the outcome, or a function was given it
	waiting  int    // calls of Wait that will return the outcome once there is one
	failedIn *epoch // counts the failure as one that was not told
}

// NewReceipt makes an unresolved receipt for a Producer that is not this package's. resolve must be called exactly once.
func NewReceipt() (r *Receipt, resolve func(Meta, error)) {
	r = &Receipt{}
	return r, func(m Meta, err error) { r.resolve(m, err) }
}

// Wait blocks until the record is stored, failed, or ctx ends (which does not cancel the record).
func (r *Receipt) Wait(ctx context.Context) (Meta, error) {
	if r.resolved() {
		r.tell()
		return r.meta, r.err
	}
	done := r.await()
	if done == nil {
		r.tell()
		return r.meta, r.err
	}
	select {
	case <-done:
		return r.meta, r.err
	case <-ctx.Done():
	}
	if r.leave() {
		return Meta{}, ctx.Err()
	}
	return r.meta, r.err
}

// await counts the caller among those who will return the outcome; nil when
// there is one already.
func (r *Receipt) await() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over.Load() {
		return nil
	}
	if r.done == nil {
		r.done = make(chan struct{})
	}
	r.waiting++
	return r.done
}

// leave takes the caller out again; false when there is an outcome, which it was
// counted to return.
func (r *Receipt) leave() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over.Load() {
		return false
	}
	r.waiting--
	return true
}

// tell notes that the program has the outcome.
func (r *Receipt) tell() {
	if r.err == nil {
		return
	}
	r.mu.Lock()
	e := r.failedIn
	r.told, r.failedIn = true, nil
	r.mu.Unlock()
	if e != nil {
		e.home.forgetFailure(e, r)
	}
}

// untold has e count the failure, unless the program was told of it.
func (r *Receipt) untold(e *epoch) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.told {
		r.failedIn = e
	}
	return !r.told
}

// Done is closed when the record is resolved.
func (r *Receipt) Done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over.Load() && r.done == nil {
		return closedChan
	}
	if r.done == nil {
		r.done = make(chan struct{})
	}
	return r.done
}

// closedChan is what every receipt shares that is resolved before somebody waits.
var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// OnDone calls fn once with the outcome: on the goroutine that resolves, or here if resolved already. May be called several times. fn must
// not block; a Send inside it may deadlock on a full buffer. Where it runs on the
// goroutine that resolves, Flush and Close of a producer, and Close and Shutdown
// of a Streamer, are ErrInvalid and do nothing: they would wait for the record
// that is being resolved.
func (r *Receipt) OnDone(fn func(Meta, error)) {
	r.mu.Lock()
	over := r.over.Load()
	if !over {
		r.fns = append(r.fns, fn)
	}
	r.mu.Unlock()
	if over {
		r.tell()
		fn(r.meta, r.err)
	}
}

// resolve sets the outcome and runs the callbacks; false when there was one already.
func (r *Receipt) resolve(m Meta, err error) bool {
	r.mu.Lock()
	if r.over.Load() {
		r.mu.Unlock()
		return false
	}
	r.meta, r.err = m, err
	r.over.Store(true)
	fns, done := r.fns, r.done
	r.fns, r.told = nil, len(r.fns) > 0 || r.waiting > 0
	r.mu.Unlock()
	if done != nil {
		close(done)
	}
	callBack(fns, m, err)
	return true
}

// callBack runs on the goroutine that resolves the receipt. It is not inlined:
// inOnDone looks for it among the callers.
//
//go:noinline
func callBack(fns []func(Meta, error), m Meta, err error) {
	for _, fn := range fns {
		fn(m, err)
	}
}

var errInOnDone = fmt.Errorf("%w inside OnDone: it would wait for the record whose OnDone it is in", ErrInvalid)

// inOnDone says that the caller is a function that OnDone was given, or called by
// one, on the goroutine that resolves.
func inOnDone() bool {
	entry := runtime.FuncForPC(reflect.ValueOf(callBack).Pointer()).Entry()
	pcs := make([]uintptr, 64)
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs)
		for _, pc := range pcs[:n] {
			if f := runtime.FuncForPC(pc - 1); f != nil && f.Entry() == entry {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

func (r *Receipt) resolved() bool { return r.over.Load() }
