package inside

import (
	"context"
	"sync"
	"sync/atomic"
)

// Outcome is what streamer.Receipt is made of, with M its Meta. The zero value
// is unresolved. Every method may be called concurrently.
type Outcome[M any] struct {
	mu   sync.Mutex
	over atomic.Bool   // written under mu
	done chan struct{} // made by the first caller that waits
	fns  []func(M, error)
	meta M
	err  error

	// Close reports the failures that the program has not seen.
	seen    bool        // Wait returned the outcome, or a function got it
	waiting int         // calls of Wait that return the outcome once there is one
	unseen  Failures[M] // counts the failure as unseen; nil: none does
}

// Failures counts the failures that the program has not seen.
type Failures[M any] interface {
	// Seen takes back one that the program sees after all. Called without a
	// lock of the outcome's.
	Seen(o *Outcome[M])
}

// Wait is streamer.Receipt.Wait.
func (o *Outcome[M]) Wait(ctx context.Context) (M, error) {
	done := o.await()
	if done == nil {
		o.see()
		return o.meta, o.err
	}
	select {
	case <-done:
		return o.meta, o.err
	case <-ctx.Done():
	}
	if o.leave() {
		var none M
		return none, ctx.Err()
	}
	return o.meta, o.err
}

// await counts the caller among those that return the outcome; nil when there
// is one already.
func (o *Outcome[M]) await() <-chan struct{} {
	if o.over.Load() {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over.Load() {
		return nil
	}
	if o.done == nil {
		o.done = make(chan struct{})
	}
	o.waiting++
	return o.done
}

// leave takes the caller out again; false when there is an outcome, which it
// was counted to return.
func (o *Outcome[M]) leave() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over.Load() {
		return false
	}
	o.waiting--
	return true
}

// see notes that the program has the outcome.
func (o *Outcome[M]) see() {
	if o.err == nil {
		return
	}
	o.mu.Lock()
	counted := o.unseen
	o.seen, o.unseen = true, nil
	o.mu.Unlock()
	if counted != nil {
		counted.Seen(o)
	}
}

// Unseen has f count the failure, and says so, unless the program has seen it.
func (o *Outcome[M]) Unseen(f Failures[M]) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.seen {
		o.unseen = f
	}
	return !o.seen
}

// Done is streamer.Receipt.Done.
func (o *Outcome[M]) Done() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over.Load() && o.done == nil {
		return closedChan
	}
	if o.done == nil {
		o.done = make(chan struct{})
	}
	return o.done
}

// closedChan is shared by all outcomes that are known before their Done is
// asked for.
var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// OnDone is streamer.Receipt.OnDone.
func (o *Outcome[M]) OnDone(fn func(M, error)) {
	o.mu.Lock()
	over := o.over.Load()
	if !over {
		o.fns = append(o.fns, fn)
	}
	o.mu.Unlock()
	if over {
		o.see()
		fn(o.meta, o.err)
	}
}

// Resolve sets the outcome and runs the callbacks; false when there was one.
func (o *Outcome[M]) Resolve(m M, err error) bool {
	o.mu.Lock()
	if o.over.Load() {
		o.mu.Unlock()
		return false
	}
	o.meta, o.err = m, err
	o.over.Store(true)
	fns, done := o.fns, o.done
	o.fns, o.seen = nil, len(o.fns) > 0 || o.waiting > 0
	o.mu.Unlock()
	if done != nil {
		close(done)
	}
	if len(fns) > 0 {
		callBack(func() {
			for _, fn := range fns {
				fn(m, err)
			}
		})
	}
	return true
}

// Resolved says whether there is an outcome.
func (o *Outcome[M]) Resolved() bool { return o.over.Load() }

// Err is why a resolved outcome failed; nil where it did not.
func (o *Outcome[M]) Err() error { return o.err }
