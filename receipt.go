package streamer

import (
	"context"
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
}

// NewReceipt makes an unresolved receipt for a Producer that is not this package's. resolve must be called exactly once.
func NewReceipt() (r *Receipt, resolve func(Meta, error)) {
	r = &Receipt{}
	return r, func(m Meta, err error) { r.resolve(m, err) }
}

// Wait blocks until the record is stored, failed, or ctx ends (which does not cancel the record).
func (r *Receipt) Wait(ctx context.Context) (Meta, error) {
	select {
	case <-r.Done():
		return r.meta, r.err
	default:
	}
	select {
	case <-r.Done():
		return r.meta, r.err
	case <-ctx.Done():
		return Meta{}, ctx.Err()
	}
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
// not block; a Send inside it may deadlock on a full buffer.
func (r *Receipt) OnDone(fn func(Meta, error)) {
	r.mu.Lock()
	over := r.over.Load()
	if !over {
		r.fns = append(r.fns, fn)
	}
	r.mu.Unlock()
	if over {
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
	r.fns = nil
	r.mu.Unlock()
	if done != nil {
		close(done)
	}
	for _, fn := range fns {
		fn(m, err)
	}
	return true
}

func (r *Receipt) resolved() bool { return r.over.Load() }
