package kafka

import (
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A broker refuses a batch as a whole, and the client fails everything behind it. So what failed is sent again, in order and in smaller and
// smaller parts, until the record is alone that cannot be stored. The lane's other records wait meanwhile.

var zeroAttrs kgo.RecordAttrs

// repair is one part that is sent again.
type repair struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	failed []*flight // in order: the client's callbacks of a shard are
}

// landed notes the outcome of a record; err means that it is to be sent once more. A record that no repair waits for has a nil one.
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
	f.repair = nil
	r.wg.Done()
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

// repair waits for everything that the client has, and sends what is to be sent again. False when the sink is closing.
func (l *lane) repair() bool {
	if !l.land() {
		return false
	}
	l.mu.Lock()
	todo := l.redo
	l.redo = nil
	l.mu.Unlock()
	for part := max(len(todo)/2, 1); len(todo) > 0; {
		n := min(part, len(todo))
		if isUnknownShard(todo[0].err) && l.awaitShards(l.sink.life) != nil {
			l.giveUp(todo)
			return false
		}
		failed := l.sendAgain(todo[:n])
		switch {
		case len(failed) == 0:
			todo, part = todo[n:], 2*part
		case n == 1:
			failed[0].p.Resolve(streamer.Meta{}, l.sink.refused(failed[0].err))
			todo = todo[1:]
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

// sendAgain sends one part and returns what failed of it because of another record.
func (l *lane) sendAgain(part []*flight) []*flight {
	r := &repair{}
	r.wg.Add(len(part))
	for _, f := range part {
		f.repair = r
		l.fly(f)
	}
	r.wg.Wait()
	return r.failed
}

// land waits until the client has nothing of the lane; false when the sink closes before.
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
