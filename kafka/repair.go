package kafka

import (
	"context"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A broker refuses a batch as a whole, and the client fails everything behind
// it. So the failed records are sent again, in order and in smaller and smaller
// parts, until only the record fails that cannot be stored. The lane's other
// records wait meanwhile.

var zeroAttrs kgo.RecordAttrs

// repair is one part that is sent again.
type repair struct {
	seating sync.WaitGroup // until every record has its place in a batch, or an outcome
	landing sync.WaitGroup // until every record has an outcome
	mu      sync.Mutex
	failed  []*flight // in order: the client's callbacks of a shard are
}

// seat is the hook of a repair's client.
type seat struct{}

var _ kgo.HookProduceRecordPartitioned = seat{}

// OnProduceRecordPartitioned implements kgo.HookProduceRecordPartitioned: the
// record has its place, behind those before it.
func (seat) OnProduceRecordPartitioned(r *kgo.Record, _ int32) {
	if f := r.Context.(*flight); !f.seated { //nolint:forcetypeassert // newFlight put it there
		f.seated = true
		f.repair.seating.Done()
	}
}

// landed records the outcome of a record; err means that it is to be sent
// again. A record that no repair waits for has a nil one.
func (r *repair) landed(f *flight, err error) {
	if r == nil {
		return
	}
	if err != nil {
		r.mu.Lock()
		f.err = err
		r.failed = append(r.failed, f)
		r.mu.Unlock()
	}
	if !f.seated {
		r.seating.Done()
	}
	f.repair = nil
	r.landing.Done()
}

// again takes in a record that failed because of another one.
func (l *lane) again(f *flight, err error) {
	f.err = err
	l.mu.Lock()
	l.redo = append(l.redo, f)
	idle := l.state == laneOpen
	if idle {
		l.state = laneRepairing
	}
	l.mu.Unlock()
	if idle && !l.sink.begin(func() {
		if l.repair() {
			l.resume()
		}
	}) {
		f.p.Resolve(streamer.Meta{}, streamer.ErrUnknown)
	}
}

// repair waits for everything that the client has, and sends what is to be sent
// again. False when the sink is closing.
func (l *lane) repair() bool {
	if !l.land() {
		return false
	}
	l.mu.Lock()
	todo := l.redo
	l.redo = nil
	l.mu.Unlock()
	if len(todo) == 0 {
		return true
	}
	solo, err := l.sink.newClient(kgo.WithHooks(seat{}))
	if err != nil {
		l.giveUp(todo)
		return false
	}
	defer solo.Close()
	return l.divide(solo, todo)
}

// leastPart is how many records are worth a client of their own.
const leastPart = 16

// divide sends records again until only those are left that cannot be stored.
func (l *lane) divide(solo *kgo.Client, todo []*flight) bool {
	for part := max(len(todo)/2, 1); len(todo) > 0; {
		n := min(part, len(todo))
		if n < leastPart {
			n = 1
		}
		if isUnknownShard(todo[0].err) && l.awaitShards(l.sink.life) != nil {
			l.giveUp(todo)
			return false
		}
		failed, err := l.sendPart(solo, todo[:n])
		switch {
		case err != nil:
			l.giveUp(todo)
			return false
		case len(failed) == 0:
			todo, part = todo[n:], 2*part
		case n == 1:
			failed[0].p.Resolve(streamer.Meta{}, l.sink.refused(failed[0].err))
			todo, part = todo[1:], 1
		default:
			todo, part = append(failed, todo[n:]...), max(n/2, 1)
		}
		if l.sink.life.Err() != nil {
			l.giveUp(todo)
			return false
		}
	}
	return true
}

// sendPart sends a record by solo, or several by a client that has sent nothing
// yet: whatever is sent while the rest of a part is still being handed over,
// the rest could overtake when it fails. Even a client that waits for Flush
// sends at once when it is not quite done with the part before.
func (l *lane) sendPart(solo *kgo.Client, part []*flight) (failed []*flight, err error) {
	if len(part) == 1 {
		return l.sendAgain(solo, part), nil
	}
	cl, err := l.sink.newClient(kgo.ManualFlushing(), kgo.WithHooks(seat{}))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	return l.sendAgain(cl, part), nil
}

// sendAgain sends one part and returns what failed of it because of another
// record.
func (l *lane) sendAgain(cl *kgo.Client, part []*flight) []*flight {
	r := &repair{}
	r.seating.Add(len(part))
	r.landing.Add(len(part))
	for _, f := range part {
		f.repair, f.seated = r, false
		l.fly(f, cl)
	}
	defer context.AfterFunc(l.sink.life, cl.Close)() // which gives every record an outcome
	r.seating.Wait()
	_ = cl.Flush(l.sink.life) // each record says what became of it
	r.landing.Wait()
	return r.failed
}

// land waits until the client has nothing of the lane; false when the sink
// closes before.
func (l *lane) land() bool {
	l.landing.Store(true)
	defer l.landing.Store(false)
	for l.flying.Load() > 0 {
		select {
		case <-l.settled:
		case <-l.sink.life.Done():
			l.mu.Lock()
			todo := l.redo
			l.redo = nil
			l.mu.Unlock()
			l.giveUp(todo)
			return false
		}
	}
	return true
}

func (l *lane) giveUp(todo []*flight) {
	for _, f := range todo {
		f.p.Resolve(streamer.Meta{}, streamer.ErrUnknown)
	}
	l.mu.Lock()
	held := l.held
	l.held = nil
	l.mu.Unlock()
	for _, f := range held {
		f.p.Resolve(streamer.Meta{}, streamer.ErrUnknown)
	}
}
