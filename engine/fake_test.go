package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// abilities are what a fakeBackend's sources can do beside Fetch and Close.
type abilities struct {
	cursor, acker bool // at most one of them
	pauser        bool
	releaser      bool
	room          bool // Fetch respects SourceConfig.Room: messages are shared
	dealt         bool // answers ErrNoGroups to LoadBalanced
	forgetful     bool // keeps no positions: ErrUnsupported for Resumable
	lag           bool // tells how far behind it is
	fixed         bool // says that its consumers cannot move
	queues        bool // its sinks are Enqueuers
}

// fakeBackend is a log in memory that does what its test says: it can as little
// or as much as the SPI allows, fails when told to, and writes down every call
// in order.
type fakeBackend struct {
	can    abilities
	shards int           // of every stream
	limits driver.Limits // of every sink
	finite bool          // Fetch returns io.EOF at the end of the log
	write  func(ctx context.Context, batch []*driver.Pending) error

	mu        sync.Mutex
	changed   chan struct{} // closed when something changed, and replaced
	log       map[streamer.StreamShard][]streamer.Message
	committed map[streamer.StreamShard]streamer.SeqNo
	acked     map[streamer.StreamShard][]streamer.SeqNo
	released  map[streamer.StreamShard][]streamer.SeqNo
	calls     []string
	faults    map[string][]error
	holds     map[string]chan struct{}
	sources   []*fakeSource
	stored    []string // values, in order of storing
	enqueued  []*driver.Pending
	breaches  []string // of the SPI's contract, by the engine
}

func newFake(can abilities) *fakeBackend {
	return &fakeBackend{
		can: can, shards: 1, changed: make(chan struct{}),
		log: map[streamer.StreamShard][]streamer.Message{}, committed: map[streamer.StreamShard]streamer.SeqNo{}, acked: map[streamer.StreamShard][]streamer.SeqNo{}, released: map[streamer.StreamShard][]streamer.SeqNo{},
		faults: map[string][]error{}, holds: map[string]chan struct{}{},
	}
}

func (b *fakeBackend) Name() string { return "fake" }

func (b *fakeBackend) Close(ctx context.Context) error { return b.call(ctx, "backend close", "") }

// change runs f under the lock and wakes all that wait for something to
// change.
func (b *fakeBackend) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	close(b.changed)
	b.changed = make(chan struct{})
}

// add appends n messages to a shard; the value of the i-th is "shard/i", the
// sequence number is i.
func (b *fakeBackend) add(shard streamer.ShardID, n int) { b.addKeyed(shard, nil, n) }

func (b *fakeBackend) addKeyed(shard streamer.ShardID, key []byte, n int) {
	b.change(func() {
		at := streamer.StreamShard{Stream: "s", Shard: shard}
		for range n {
			i := len(b.log[at]) + 1
			m := streamer.Message{Key: key, Value: fmt.Appendf(nil, "%d/%d", shard, i)}
			m.Meta = streamer.Meta{Stream: "s", Shard: shard, Seq: streamer.SeqUint(uint64(i)), Time: fakeTime(i)}
			b.log[at] = append(b.log[at], m)
		}
	})
}

// fakeTime is when message i of a shard was stored.
func fakeTime(i int) time.Time { return time.Unix(int64(i), 0).UTC() }

// fails makes the next calls of op return errs, one each.
func (b *fakeBackend) fails(op string, errs ...error) {
	b.change(func() { b.faults[op] = append(b.faults[op], errs...) })
}

// hold makes calls of op wait until release is called or their context ends.
func (b *fakeBackend) hold(op string) (release func()) {
	c := make(chan struct{})
	b.change(func() { b.holds[op] = c })
	return sync.OnceFunc(func() {
		b.change(func() { delete(b.holds, op) })
		close(c)
	})
}

// call notes a call, waits while its operation is held, and returns the next
// fault.
func (b *fakeBackend) call(ctx context.Context, op, detail string) error {
	b.mu.Lock()
	b.calls = append(b.calls, strings.TrimSpace(op+" "+detail))
	held := b.holds[op]
	b.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return b.fault(op)
}

func (b *fakeBackend) fault(op string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.faults[op]) == 0 {
		return nil
	}
	err := b.faults[op][0]
	b.faults[op] = b.faults[op][1:]
	return err
}

// history returns the calls since the last time, without those of the
// operations in but.
func (b *fakeBackend) history(but ...string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.calls = nil
	return slices.DeleteFunc(calls, func(c string) bool {
		return slices.ContainsFunc(but, func(op string) bool { return strings.HasPrefix(c, op) })
	})
}

// mark is the committed position of a shard, 0 when there is none.
func (b *fakeBackend) mark(shard streamer.ShardID) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.committed[streamer.StreamShard{Stream: "s", Shard: shard}].Uint()
}

// ackedOf is what was acknowledged at the source message by message, in order.
func (b *fakeBackend) ackedOf(shard streamer.ShardID) []uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return uints(b.acked[streamer.StreamShard{Stream: "s", Shard: shard}])
}

func uints(seqs []streamer.SeqNo) []uint64 {
	var out []uint64
	for _, s := range seqs {
		out = append(out, s.Uint())
	}
	return out
}

// source is the i-th source that was opened; negative counts from the last.
func (b *fakeBackend) source(i int) *fakeSource {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i < 0 {
		i += len(b.sources)
	}
	return b.sources[i]
}

func (b *fakeBackend) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	if err := b.call(ctx, "open", fmt.Sprintf("%s %v", modeName(c.Mode), c.Start)); err != nil {
		return nil, err
	}
	switch {
	case c.Mode == streamer.LoadBalanced && b.can.dealt:
		return nil, driver.ErrNoGroups
	case c.Mode == streamer.Resumable && b.can.forgetful:
		return nil, streamer.ErrUnsupported
	}
	f := &fakeSource{b: b, c: c, next: map[streamer.StreamShard]int{}, paused: map[streamer.StreamShard]bool{}, busy: map[string]bool{}, told: map[driver.Mark]bool{}}
	b.mu.Lock()
	for id := range b.shards {
		f.start(streamer.StreamShard{Stream: "s", Shard: streamer.ShardID(id)})
	}
	b.sources = append(b.sources, f)
	b.mu.Unlock()
	c.Assigned(f.all)
	return f.able(), nil
}

func (b *fakeBackend) OpenSink(ctx context.Context, c driver.SinkConfig) (driver.Sink, error) {
	if err := b.call(ctx, "open sink", c.Stream); err != nil {
		return nil, err
	}
	if b.can.queues {
		return &queueSink{fakeSink{b: b}}, nil
	}
	return &writeSink{fakeSink{b: b}}, nil
}

func modeName(m streamer.ConsumerMode) string {
	return [...]string{"", "realtime", "resumable", "load-balanced"}[m]
}

// fixedFake is a fakeBackend whose consumers cannot move.
type fixedFake struct{ *fakeBackend }

func (fixedFake) Fixed() error { return streamer.ErrUnsupported }
