package memory

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// Op is a set of calls that a Fault disturbs.
type Op uint8

const (
	// Fetch is a consumer's request for messages. A request that waits for
	// messages is disturbed at once.
	Fetch Op = 1 << iota
	// Write stores a record. Faults count records here, not batches.
	Write
	// Commit makes a group's progress durable, or returns messages to the
	// group.
	Commit
	// Control is everything else: opening consumers and producers, Ping, Admin,
	// Lag.
	Control
)

// Forever as Delay waits until the fault is cleared or the call's context
// ends.
const Forever time.Duration = 1<<63 - 1

// ErrDisconnected is the error of calls while the log is disconnected.
var ErrDisconnected = errors.New("connection lost")

// Fault disturbs calls. The first four fields say which calls, the next two how
// many of them, the others how. A call to which several faults apply meets them
// in the order of Inject, until one of them decides it with Err or Lost.
type Fault struct {
	On     Op                           // 0: all of them
	Stream string                       // only calls that concern this stream
	Shard  *streamer.ShardID            // only those that concern this shard
	Record func(r streamer.Record) bool // only writes of these records. It must not keep r; it may be called concurrently

	Skip  int // spare this many first
	Times int // then disturb this many; 0: until the fault is cleared

	// Delay is the time that a call waits first, once. A Fault with nothing
	// else slows the log down.
	Delay time.Duration

	// Err fails the call, without any effect. With Stored the call has its
	// effect and only the answer is lost. Transient marks Err as worth
	// retrying: the engine repeats the call until it succeeds or, for a write,
	// DeliveryTimeout ends. Otherwise Err fails the record or stops the
	// consumer. Stored applies to Write and Commit.
	Err       error
	Transient bool
	Stored    bool

	// Lost reports success without any effect: the record is not stored, the
	// commit is not durable. For Fetch, messages are skipped and never
	// delivered; Times counts them. Lost has no effect with Err, and none for
	// Control.
	Lost bool
}

// Inject adds a fault. clear removes it and releases the calls that wait for
// its Delay. clear may be called twice.
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

// Disconnect fails every call, also those that wait, with ErrDisconnected,
// which is transient, until restore is called.
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
