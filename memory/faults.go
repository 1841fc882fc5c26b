package memory

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
)

// Op is a set of calls that a Fault disturbs.
type Op uint8

const (
	// Fetch is a consumer's request for messages. One that waits for messages is disturbed at once.
	Fetch Op = 1 << iota
	// Write stores a record. Faults count records here, not batches.
	Write
	// Commit makes a group's progress durable, or gives messages back to it.
	Commit
	// Control is everything else: opening consumers and producers, Ping, Admin, Lag.
	Control
)

// Forever, as Delay, waits until the fault is cleared or the call's context ends.
const Forever time.Duration = 1<<63 - 1

// ErrDisconnected is what calls fail with while the log is disconnected.
var ErrDisconnected = errors.New("connection lost")

// Fault disturbs calls. The first four fields say which, the next two how many of them, the rest how. A call to which several faults apply meets them
// in the order of Inject until one decides it: has Err or Lost.
type Fault struct {
	On     Op                           // 0: all of them
	Stream string                       // only calls that concern this stream
	Shard  *streamer.ShardID            // only those that concern this shard
	Record func(r streamer.Record) bool // only writes of these records. It must not keep r; it may be called concurrently

	Skip  int // spare this many first
	Times int // then disturb this many; 0: until the fault is cleared

	// Delay is waited before anything else, once per call. A Fault of nothing else slows the log down.
	Delay time.Duration

	// Err fails the call, and nothing has happened; with Stored it has: only the answer is lost. Transient marks Err as worth retrying: the engine
	// repeats the call until it succeeds or, writing, DeliveryTimeout ends. Otherwise Err fails the record, or stops the consumer. Stored means
	// something for Write and Commit.
	Err       error
	Transient bool
	Stored    bool

	// Lost reports success, and nothing has happened: the record is not stored, the commit not durable; of Fetch, messages (Times counts them)
	// are passed over and never come. It has no meaning beside Err, and none for Control.
	Lost bool
}

// Inject adds a fault. clear takes it away and releases the calls that wait for its Delay; it may be called twice.
func (l *Log) Inject(f Fault) (clear func()) {
	a := &armed{Fault: f, skip: f.Skip, left: f.Times, cleared: make(chan struct{})}
	l.faults.add(a)
	l.mu.Lock()
	for s := range l.sources {
		s.signal()
	}
	l.mu.Unlock()
	return sync.OnceFunc(func() {
		l.faults.remove(a)
		close(a.cleared)
	})
}

// Disconnect fails every call, also those that wait, with ErrDisconnected, which is worth retrying, until restore is called.
func (l *Log) Disconnect() (restore func()) {
	return l.Inject(Fault{Err: ErrDisconnected, Transient: true})
}

// Wedge leaves every call without an answer until release is called.
func (l *Log) Wedge() (release func()) {
	return l.Inject(Fault{Delay: Forever})
}

func (f *Fault) coversStream(stream string) bool { return f.Stream == "" || f.Stream == stream }

func (f *Fault) covers(at streamer.StreamShard) bool {
	return f.coversStream(at.Stream) && (f.Shard == nil || *f.Shard == at.Shard)
}

// coversStream is for calls that concern streams as a whole.
func coversStream(streams []string) func(*Fault) bool {
	return func(f *Fault) bool {
		return f.Shard == nil && (f.Stream == "" || slices.Contains(streams, f.Stream))
	}
}

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
	waited  []faultID // whose Delay the call has waited
}

// strike applies the faults in force to a call. err is ctx's, when it ended during a Delay.
func (f *faults) strike(ctx context.Context, op Op, touches func(f *Fault) bool) (v verdict, err error) {
	if f.n.Load() == 0 {
		return verdict{}, nil
	}
	return f.apply(ctx, &call{op: op, touches: touches})
}

func (f *faults) apply(ctx context.Context, c *call) (verdict, error) {
	for _, a := range f.inForce() {
		if a.id <= c.since || !a.concerns(c) || !f.use(a) {
			continue
		}
		if a.Delay > 0 && !slices.Contains(c.waited, a.id) {
			c.waited = append(c.waited, a.id)
			if err := a.wait(ctx); err != nil {
				return verdict{}, err
			}
		}
		if a.Err != nil || a.Lost {
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
		return streamer.Transient(v.f.Err, 0)
	}
	return v.f.Err
}

// spares says whether the call takes effect in a shard.
func (v verdict) spares(at streamer.StreamShard) bool {
	return v.f == nil || !v.f.covers(at) || v.f.Err != nil && v.f.Stored
}

// transient says that the call is to be repeated.
func (v verdict) transient() bool { return v.f != nil && v.f.Err != nil && v.f.Transient }
