package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// clientBytes bounds what the client holds. The engine bounds what is sent and
// not resolved; beyond that it holds what was given up and could not be called
// back, because a broker may have it.
const clientBytes = 512 << 20

// longestLinger is the longest that the client takes.
const longestLinger = time.Minute

// sink is an open writer: a client of its own, and a lane for each stream.
type sink struct {
	b        *backend
	stream   string
	log      logger
	retrying func(op string, err error, after time.Duration) // of what the client retries by itself
	linger   time.Duration
	batches  *batchHook // nil: nothing listens
	delay    delay      // why records wait
	client   atomic.Pointer[kgo.Client]
	main     *lane // of stream; nil where none is named

	life context.Context // ends with Close
	stop context.CancelFunc
	work sync.WaitGroup // lanes that open or repair, clients that are replaced

	mu       sync.RWMutex
	lanes    map[string]*lane
	closed   bool
	flushing bool      // see Flush
	replaced time.Time // when the client was replaced last
}

var _ interface {
	driver.Sink
	driver.Enqueuer
} = (*sink)(nil)

// OpenSink implements driver.Backend. A named stream must exist, or is created
// as Config.Create says.
func (b *backend) OpenSink(ctx context.Context, c driver.SinkConfig) (driver.Sink, error) {
	if b.closed.Load() {
		return nil, streamer.ErrClosed
	}
	s := &sink{b: b, stream: c.Stream, log: logger{c.Logger}, retrying: c.Retrying, lanes: make(map[string]*lane), linger: min(c.Linger, longestLinger)}
	s.delay.log, s.delay.retrying = s.log, s.retrying
	if c.Written != nil {
		s.batches = &batchHook{sink: s, report: c.Written, took: make(map[int32]time.Duration)}
	}
	s.life, s.stop = context.WithCancel(context.Background())
	if c.Stream != "" {
		l := newLane(s, c.Stream)
		if err := l.prepare(ctx); err != nil {
			s.stop()
			return nil, err
		}
		l.state = laneOpen
		s.main, s.lanes[c.Stream] = l, l
	}
	cl, err := s.newClient(kgo.ProducerLinger(s.linger))
	if err != nil {
		s.stop()
		return nil, err
	}
	s.client.Store(cl)
	return s, nil
}

func (s *sink) newClient(more ...kgo.Opt) (*kgo.Client, error) {
	c := &s.b.cfg
	opts := []kgo.Opt{
		kgo.RecordPartitioner(newPartitioner()),
		kgo.ProducerLinger(0), // unless asked for: batches form while requests are under way
		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.MaxBufferedBytes(clientBytes),
		kgo.ProducerBatchMaxBytesFn(s.batchBytes),
		kgo.ProducerBatchCompression(codec(c.Compression), kgo.NoCompression()),
	}
	switch c.Acks {
	case LeaderOnly:
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case NoAcks:
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	case AllReplicas:
	}
	if s.batches != nil {
		opts = append(opts, kgo.WithHooks(s.batches))
	}
	if s.retrying != nil {
		opts = append(opts, kgo.WithHooks(&lost{report: s.disconnected}))
	}
	opts = append(opts, kgo.WithLogger(&s.delay))
	return s.b.client(append(opts, more...)...)
}

// disconnected reports a connection that could not be made, unless that is
// because the sink closes; nil: it can.
func (s *sink) disconnected(err error) {
	if s.life.Err() == nil && !errors.Is(err, context.Canceled) {
		s.retrying("connect", typed(err), 0)
	}
}

func codec(c Compression) kgo.CompressionCodec {
	switch c {
	case Gzip:
		return kgo.GzipCompression()
	case LZ4:
		return kgo.Lz4Compression()
	case Zstd:
		return kgo.ZstdCompression()
	case Uncompressed:
		return kgo.NoCompression()
	case Snappy:
	}
	return kgo.SnappyCompression()
}

// batchBytes is what the client asks before it makes batches for a topic.
func (s *sink) batchBytes(topic string) int32 {
	s.mu.RLock()
	l := s.lanes[topic]
	s.mu.RUnlock()
	if l == nil {
		return defaultBatchBytes
	}
	return int32(l.limits.Load().batch) //nolint:gosec // at most mostBatchBytes
}

// Limits implements driver.Sink, for the stream that was opened. Lanes check
// those of other streams.
func (s *sink) Limits() driver.Limits {
	if s.main != nil {
		return driver.Limits{RecordBytes: s.main.limits.Load().recordBytes()}
	}
	return driver.Limits{}
}

// Enqueue implements driver.Enqueuer.
func (s *sink) Enqueue(p *driver.Pending) {
	l := s.main
	if l == nil || p.Record.Stream != s.stream {
		var err error
		if l, err = s.lane(p.Record.Stream); err != nil {
			p.Resolve(streamer.Meta{}, err)
			return
		}
	}
	l.enqueue(newFlight(l, p))
}

func (s *sink) lane(stream string) (*lane, error) {
	s.mu.RLock()
	l := s.lanes[stream]
	s.mu.RUnlock()
	if l != nil {
		return l, nil
	}
	return s.addLane(stream)
}

// addLane makes the lane of a stream that is written to for the first time.
func (s *sink) addLane(stream string) (*lane, error) {
	if err := checkName(stream); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[stream]
	if l == nil {
		l = newLane(s, stream)
		s.lanes[stream] = l
	}
	return l, nil
}

// begin runs f on a goroutine that Close joins; false when the sink is closed.
func (s *sink) begin(f func()) bool {
	if !s.enter() {
		return false
	}
	go func() {
		defer s.work.Done()
		f()
	}()
	return true
}

// enter makes Close wait for work.Done; false when the sink is closed.
func (s *sink) enter() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.closed {
		s.work.Add(1)
	}
	return !s.closed
}

// produced is the client's callback.
func (s *sink) produced(r *kgo.Record, err error) {
	f := r.Context.(*flight) //nolint:forcetypeassert // newFlight put it there
	f.lane.outcome(f, err)
}

// refused types the error of a record.
func (s *sink) refused(err error) error {
	switch {
	case errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, context.Canceled):
		return fmt.Errorf("the producer gave up: %w", streamer.ErrUnknown)
	case errors.Is(err, kgo.ErrMaxBuffered):
		return &streamer.Error{Kind: streamer.ErrThrottled, Err: fmt.Errorf("%d bytes wait for a broker that does not answer", clientBytes)}
	}
	return typed(err)
}

// isFatal says that the client can produce nothing any more: its producer id
// was refused. Another client may.
func isFatal(err error) bool {
	return errors.Is(err, kerr.ClusterAuthorizationFailed) || errors.Is(err, kerr.TransactionalIDAuthorizationFailed) ||
		errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.UnknownProducerID)
}

// replaceEvery bounds how often another client is tried while all are refused.
const replaceEvery = time.Second

// replace takes another client instead of one that was refused.
func (s *sink) replace(old *kgo.Client) {
	if !s.mayReplace(old) {
		return
	}
	cl, err := s.newClient(kgo.ProducerLinger(s.linger))
	if err != nil {
		return // the old one continues failing
	}
	if !s.client.CompareAndSwap(old, cl) || !s.begin(old.Close) {
		cl.Close()
	}
}

func (s *sink) mayReplace(old *kgo.Client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.client.Load() != old || time.Since(s.replaced) < replaceEvery {
		return false
	}
	s.replaced = time.Now()
	return true
}

// Flush implements driver.Sink. It sends lingering records and returns. For a
// while afterwards nothing lingers, because earlier records may still be on
// their way to the client while it looks up the stream's shards.
func (s *sink) Flush(context.Context) error {
	if s.linger == 0 {
		s.hurry(0)
		return nil
	}
	s.mu.Lock()
	first := !s.flushing
	s.flushing = true
	s.mu.Unlock()
	if !first || !s.begin(func() {
		s.hurry(s.linger)
		s.mu.Lock()
		s.flushing = false
		s.mu.Unlock()
	}) {
		s.hurry(0)
	}
	return nil
}

// hurry makes the client send lingering records, and later ones until it has
// nothing left or the time is over.
func (s *sink) hurry(d time.Duration) {
	ctx, cancel := context.WithTimeout(s.life, d)
	defer cancel()
	_ = s.client.Load().Flush(ctx) // each record says what became of it
}

// Close implements driver.Sink. It gives up unresolved records.
func (s *sink) Close(context.Context) error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	s.stop()
	s.delay.end()
	s.client.Load().Close()
	s.work.Wait()
	return nil
}
