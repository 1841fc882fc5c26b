package memory

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// faultID numbers faults in the order of Inject.
type faultID uint64

// armed is a fault in force.
type armed struct {
	Fault
	id         faultID
	skip, left int // faults.mu
	cleared    chan struct{}
}

// faults are those of one log. Its mutex is never held together with Log.mu.
type faults struct {
	n    atomic.Int32 // in force: none is the usual case and costs one load
	last atomic.Uint64

	mu   sync.Mutex
	list []*armed
}

func (f *faults) add(a *armed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a.id = faultID(f.last.Add(1))
	f.list = append(slices.Clip(f.list), a)
	f.n.Add(1)
}

func (f *faults) remove(a *armed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(a)
}

// drop takes a out of the list, which others may be walking. mu is held.
func (f *faults) drop(a *armed) {
	if i := slices.Index(f.list, a); i >= 0 {
		f.list = slices.Concat(f.list[:i], f.list[i+1:])
		f.n.Add(-1)
	}
}

func (f *faults) inForce() []*armed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list
}

// newer says whether a fault was injected after seen.
func (f *faults) newer(seen faultID) bool {
	return f.n.Load() > 0 && faultID(f.last.Load()) > seen
}

// use counts one call and says whether a disturbs it.
func (f *faults) use(a *armed) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.skip > 0 {
		a.skip--
		return false
	}
	if a.Times == 0 {
		return true
	}
	if a.left == 0 {
		return false
	}
	if a.left--; a.left == 0 {
		f.drop(a)
	}
	return true
}

// call is one call that faults may disturb.
type call struct {
	op      Op
	touches func(f *Fault) bool
	since   faultID   // only faults injected after this one
	newest  faultID   // the last that apply looked at
	waited  []faultID // whose Delay the call has waited
}

// strike applies the faults in force to a call. err is ctx's, when it ended
// during a Delay.
func (f *faults) strike(ctx context.Context, op Op, touches func(f *Fault) bool) (v verdict, err error) {
	if f.n.Load() == 0 {
		return verdict{}, nil
	}
	return f.apply(ctx, &call{op: op, touches: touches})
}

func (f *faults) apply(ctx context.Context, c *call) (verdict, error) {
	for _, a := range f.inForce() {
		c.newest = a.id
		if a.id <= c.since || !a.concerns(c) || !f.use(a) {
			continue
		}
		if a.Delay > 0 && !slices.Contains(c.waited, a.id) {
			c.waited = append(c.waited, a.id)
			if err := a.wait(ctx); err != nil {
				return verdict{}, err
			}
		}
		if a.decides() {
			return verdict{&a.Fault}, nil
		}
	}
	return verdict{}, nil
}

func (a *armed) concerns(c *call) bool {
	switch {
	case a.On != 0 && a.On&c.op == 0:
		return false
	case a.Record != nil && c.op != Write:
		return false
	case a.loses() && c.op&(Fetch|Control) != 0:
		return false // messages are lost one by one; see lose
	}
	return c.touches(&a.Fault)
}

func (f *Fault) decides() bool { return f.Err != nil || f.Lost }

func (f *Fault) loses() bool { return f.Lost && f.Err == nil }

// wait is the Delay.
func (a *armed) wait(ctx context.Context) error {
	var elapsed <-chan time.Time
	if a.Delay != Forever {
		t := time.NewTimer(a.Delay)
		defer t.Stop()
		elapsed = t.C
	}
	select {
	case <-elapsed:
	case <-a.cleared:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// lose takes messages that are lost on the way out of a slab.
func (f *faults) lose(slab []streamer.Message) []streamer.Message {
	if f.n.Load() == 0 {
		return slab
	}
	list := f.inForce()
	return slices.DeleteFunc(slab, func(m streamer.Message) bool {
		at := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
		return slices.ContainsFunc(list, func(a *armed) bool {
			return a.loses() && a.Record == nil && (a.On == 0 || a.On&Fetch != 0) && a.covers(at) && f.use(a)
		})
	})
}

// verdict is what the faults decided. The zero one lets the call pass.
type verdict struct{ f *Fault }

// err is what the call reports.
func (v verdict) err() error {
	if v.f == nil || v.f.Err == nil {
		return nil
	}
	if v.f.Transient {
		return driver.Transient(v.f.Err, 0)
	}
	return v.f.Err
}

// spares says whether the call takes effect in a shard.
func (v verdict) spares(at streamer.StreamShard) bool {
	return v.f == nil || !v.f.covers(at) || v.f.Err != nil && v.f.Stored
}

// transient says that the call is to be repeated.
func (v verdict) transient() bool { return v.f != nil && v.f.Err != nil && v.f.Transient }
