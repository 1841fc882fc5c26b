package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lane is one stream of a sink. Its records go to the client in the order in
// which they come, at once while the lane is open.
type lane struct {
	sink   *sink
	stream string
	limits atomic.Pointer[limits]

	mu     sync.RWMutex // held for reading while a record is given to the client, so that none slips in while others are sent again
	state  laneState
	shards int       // of the topic, when it was looked at
	held   []*flight // wait for the lane to be open again
	redo   []*flight // failed because of another record

	flying  atomic.Int64  // records that the client has
	landing atomic.Bool   // a caller waits until it has none
	settled chan struct{} // capacity 1: then
}

type laneState uint8

const (
	laneIdle laneState = iota // nothing is known; the next record opens it
	laneOpening
	laneOpen
	laneRepairing
)

func newLane(s *sink, stream string) *lane {
	l := &lane{sink: s, stream: stream, settled: make(chan struct{}, 1)}
	unknown := unknownLimits()
	l.limits.Store(&unknown)
	return l
}

func (l *lane) brokerTime() bool { return l.limits.Load().brokerTime }

// prepare looks the topic up, and creates it if that is wanted.
func (l *lane) prepare(ctx context.Context) error {
	if err := checkName(l.stream); err != nil {
		return err
	}
	b := l.sink.b
	t, err := b.topic(ctx, l.stream)
	missing := errors.Is(err, streamer.ErrNotFound)
	switch create := b.cfg.Create; {
	case create == streamer.CreateNew && err == nil && l.shards == 0:
		return &streamer.Error{Stream: l.stream, Kind: streamer.ErrExists, Err: errCreateNew}
	case missing && (create == streamer.CreateNew || create == streamer.CreateAlways):
		t, err = b.make(ctx, l.stream)
	case create == streamer.CreateNever:
		err = hinted(l.stream, err, errCreateNever)
	default:
		err = hinted(l.stream, err, errNoTopicToWrite)
	}
	if err != nil {
		return err
	}
	known := b.limits(ctx, l.stream)
	l.limits.Store(&known)
	l.mu.Lock()
	l.shards = t.shards
	l.mu.Unlock()
	return nil
}

// open prepares the lane and sends what has been waiting. When that fails,
// those records do that came before the cluster was asked; the answer may be
// out of date for later ones.
func (l *lane) open() {
	for {
		l.mu.RLock()
		asking := len(l.held)
		l.mu.RUnlock()
		err := l.prepare(l.sink.life)
		if err == nil {
			err = l.awaitShards(l.sink.life)
		}
		if err == nil {
			l.resume()
			return
		}
		if l.failHeld(asking, err) || l.sink.life.Err() != nil {
			return
		}
	}
}

// awaitShards waits until a client that knows the topic knows all its shards,
// and nothing against them.
func (l *lane) awaitShards(ctx context.Context) error {
	cl := l.sink.client.Load()
	l.mu.RLock()
	last := int32(l.shards - 1) //nolint:gosec // a partition's number
	l.mu.RUnlock()
	began := time.Now()
	p := newPacer()
	for time.Since(began) < patience {
		leader, _, err := cl.PartitionLeader(l.stream, 0)
		if leader < 0 && err == nil {
			return nil // it will ask before it sends
		}
		if leader, _, failed := cl.PartitionLeader(l.stream, last); leader >= 0 && err == nil && failed == nil {
			return nil
		}
		if err != nil && time.Since(began) > overdue && l.sink.delay.note(onPlace(l.stream, err)) && l.sink.retrying != nil {
			l.sink.retrying("send", onPlace(l.stream, err), 0)
		}
		cl.ForceMetadataRefresh()
		if err := p.wait(ctx); err != nil {
			return streamer.ErrUnknown
		}
	}
	return nil
}

// failHeld fails the first n records that wait. True when none is left: then
// the next one opens the lane.
func (l *lane) failHeld(n int, err error) bool {
	l.mu.Lock()
	failed := l.held[:n]
	l.held = l.held[n:]
	idle := len(l.held) == 0
	if idle {
		l.held, l.state = nil, laneIdle
	}
	l.mu.Unlock()
	for _, f := range failed {
		f.p.Resolve(streamer.Meta{}, err)
	}
	return idle
}

// enqueue sends a record, or lets it wait while the lane is not open.
func (l *lane) enqueue(f *flight) {
	if err := l.limits.Load().check(&f.p.Record); err != nil {
		f.p.Resolve(streamer.Meta{}, err)
		return
	}
	l.mu.RLock()
	if l.state == laneOpen && int(f.shard) < l.shards {
		l.fly(f, l.sink.client.Load())
		l.mu.RUnlock()
		return
	}
	l.mu.RUnlock()
	l.wait(f)
}

// fly gives a record to a client. mu is held, for reading at least, or the lane
// is the repair's.
func (l *lane) fly(f *flight, cl *kgo.Client) {
	l.flying.Add(1)
	f.span = l.sink.delay.took()
	f.client = cl
	cl.TryProduce(context.Background(), &f.rec, l.sink.produced)
}

// wait keeps a record until the lane is open. One whose shard is not known yet
// makes it open again.
func (l *lane) wait(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, f)
	if l.state == laneOpening || l.state == laneRepairing {
		return
	}
	l.state = laneOpening
	if !l.sink.begin(l.open) {
		l.state, l.held = laneIdle, nil
		f.p.Resolve(streamer.Meta{}, streamer.ErrClosed)
	}
}

// resume sends what has waited, in order, until nothing has failed because of
// another record; then the lane is open. Senders wait for the lock meanwhile,
// or a busy one would keep the lane from opening.
func (l *lane) resume() {
	for {
		l.mu.Lock()
		held := l.held
		l.held = nil
		for _, f := range held {
			if int(f.shard) >= l.shards {
				f.p.Resolve(streamer.Meta{}, noShard(l.stream, f.shard, l.shards))
				continue
			}
			l.fly(f, l.sink.client.Load())
		}
		if len(l.redo) == 0 {
			l.state = laneOpen
			l.mu.Unlock()
			return
		}
		l.state = laneRepairing
		l.mu.Unlock()
		if !l.repair() {
			return
		}
	}
}

func noShard(stream string, shard int32, shards int) error {
	at := shardOf(stream, shard)
	return onShard(at, fmt.Errorf("%w: the topic has %d partitions", streamer.ErrNotFound, shards))
}

// outcome is what became of a record.
func (l *lane) outcome(f *flight, err error) {
	switch {
	case err == nil:
		f.repair.landed(f, nil)
		f.stored()
	case !f.over() && isInnocent(err) && !errors.Is(l.sink.life.Err(), context.Canceled):
		if !isUnknownShard(err) {
			f.shard = f.rec.Partition
		}
		f.rec.Attrs, f.rec.Offset = zeroAttrs, 0
		if f.repair != nil {
			f.repair.landed(f, err)
		} else {
			l.again(f, err)
		}
	default:
		f.repair.landed(f, nil)
		l.lost(f, err)
		f.p.Resolve(streamer.Meta{}, l.sink.refused(err))
	}
	l.sink.delay.gave(f.span)
	if l.flying.Add(-1) > 0 || !l.landing.Load() {
		return
	}
	select {
	case l.settled <- struct{}{}:
	default:
	}
}

// lost draws the consequences of a failure that more than one record will meet.
func (l *lane) lost(f *flight, err error) {
	switch {
	case isFatal(err):
		l.sink.replace(f.client)
	case isVanished(err):
		l.reopen(func() { l.sink.client.Load().PurgeTopicsFromProducing(l.stream) })
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		l.reopen(func() {})
	}
}

// reopen looks the topic up again, for the records to come: what the client
// knows of it may be out of date. forget is called first.
func (l *lane) reopen(forget func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != laneOpen {
		return
	}
	l.state = laneOpening
	if !l.sink.begin(func() { forget(); l.open() }) {
		l.state = laneOpen
	}
}

// isInnocent says that a record may have failed because of another one in its
// batch, or in front of it.
func isInnocent(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) || errors.Is(err, kerr.InvalidTimestamp) ||
		errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.CorruptMessage) || errors.Is(err, context.Canceled) ||
		isUnknownShard(err)
}

// isUnknownShard recognises by its words that the client does not know a shard
// yet.
func isUnknownShard(err error) bool {
	return err != nil && strings.Contains(err.Error(), "invalid record partitioning choice")
}
