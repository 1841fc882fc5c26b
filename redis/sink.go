package redis

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/keyhash"
	"github.com/redis/go-redis/v9"
)

const (
	batchRecords = 10_000
	batchBytes   = 2 << 20

	// findEvery is how often a producer and a consumer look for shards that are
	// new.
	findEvery = 5 * time.Second
)

// sink is an open writer: one batch at a time, so that the records of a shard
// are stored in order. It has no goroutine. Its fields, but for those under mu,
// are Write's, of which there is one at a time.
type sink struct {
	b       *backend
	log     *slog.Logger
	streams map[string]*outlet
	slots   []*slot // of the batch
	trims   []*trim
	cmds    []redis.Cmder // of a cluster's
	out     *bufio.Writer

	batch    []*driver.Pending // of the slots
	answers  scanner           // of a single server
	answered int               // slots whose outcome is known
	settled  int               // records of the batch that were resolved as the answers came

	mu     sync.Mutex
	conn   *conn // of a single server; nil: not connected
	closed bool

	// doubt is the last record of a batch that may be stored in part: the
	// engine hands the rest of it in again.
	doubt     *driver.Pending
	untrimmed bool // the last trim failed
	// careful says that the last batch failed: see Write.
	careful bool
}

// outlet is one stream as a producer sees it.
type outlet struct {
	name    string
	targets []*target // in order of shards
	byShard map[streamer.ShardID]*target
	turn    int       // records without a key go to the shards in turn
	found   time.Time // when shards were last looked for
}

// target is one shard.
type target struct {
	at      streamer.StreamShard
	key     string
	slots   []*slot // kept from one batch to the next
	used    int     // of slots, in this batch
	written int     // since the last trim
	trimmed time.Time
	heads   [2 * shapes][]byte // what the commands of each shape begin with
}

// head is what the command of a shape begins with: all up to the id if the
// sender chooses that, else all up to the value.
func (t *target) head(shape int, noMkStream, chosen bool) []byte {
	i := shape
	if chosen {
		i += shapes
	}
	if t.heads[i] == nil {
		t.heads[i] = t.newHead(shape, noMkStream, chosen)
	}
	return t.heads[i]
}

func (t *target) newHead(shape int, noMkStream, chosen bool) []byte {
	words := []string{"xadd", t.key}
	if noMkStream {
		words = append(words, "nomkstream")
	}
	n := len(words) + 1 + 2*(1+bits.OnesCount(uint(shape)))
	if !chosen {
		words = append(words, "*", fieldValue)
	}
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	writeList(w, n)
	for _, word := range words {
		writeWord(w, word)
	}
	_ = w.Flush() // into memory
	return b.Bytes()
}

// OpenSink implements driver.Backend.
func (b *backend) OpenSink(ctx context.Context, c driver.SinkConfig) (driver.Sink, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	s := &sink{b: b, log: c.Logger, streams: map[string]*outlet{}, out: bufio.NewWriterSize(nil, bufferSize)}
	if c.Stream == "" {
		return s, nil
	}
	err := b.atLast(ctx, c.Retrying, func() error {
		_, err := s.outlet(ctx, c.Stream)
		return err
	})
	if err != nil {
		return nil, b.failed(ctx, err)
	}
	return s, nil
}

// Limits implements driver.Sink.
func (s *sink) Limits() driver.Limits {
	return driver.Limits{Records: batchRecords, Bytes: batchBytes, RecordBytes: MaxRecordBytes}
}

// Flush implements driver.Sink: the sink holds nothing.
func (s *sink) Flush(ctx context.Context) error { return ctx.Err() }

// Close implements driver.Sink.
func (s *sink) Close(context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.hangUp()
	return nil
}

func (s *sink) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Write implements driver.Writer. A server that recovers in the middle of a
// pipeline has refused the first records and stores the others, out of order.
// So after a failure the first record of each shard is sent alone, and the
// others when it is stored.
func (s *sink) Write(ctx context.Context, p []*driver.Pending) error {
	if s.isClosed() {
		return streamer.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	last := p[len(p)-1]
	if s.careful {
		first, rest := s.scouts(ctx, p)
		if err := s.sendAll(ctx, first, last); err != nil {
			return err
		}
		p = rest
	}
	err := s.sendAll(ctx, p, last)
	s.careful = err != nil
	if err == nil {
		s.doubt = nil
	}
	return err
}

// scouts are the first record of each shard.
func (s *sink) scouts(ctx context.Context, p []*driver.Pending) (first, rest []*driver.Pending) {
	seen := map[*target]bool{}
	for _, pd := range p {
		t, err := s.target(ctx, &pd.Record)
		if err != nil || !seen[t] {
			seen[t] = true
			first = append(first, pd)
			continue
		}
		rest = append(rest, pd)
	}
	return first, rest
}

// sendAll sends records in order, those that may be too large alone.
func (s *sink) sendAll(ctx context.Context, p []*driver.Pending, last *driver.Pending) error {
	for len(p) > 0 {
		n := run(p)
		if err := s.send(ctx, p[:n], last); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// send sends records in one pipeline and resolves those whose outcome is known;
// last is that of the batch.
func (s *sink) send(ctx context.Context, p []*driver.Pending, last *driver.Pending) error {
	p, err := s.prepare(ctx, p)
	defer s.unload()
	if err != nil {
		return s.again(last, err)
	}
	if len(p) == 0 {
		return nil
	}
	s.batch, s.answered, s.settled = p, 0, 0
	s.exchange(ctx)
	unknown, err := s.settle()
	s.batch = nil
	if unknown {
		s.doubt = last
	}
	return s.again(last, err)
}

// unload releases the batch.
func (s *sink) unload() {
	for _, sl := range s.slots {
		sl.target.used = 0
		sl.unload()
	}
}

// prepare makes a command of each record that can be sent, in order, and
// returns these records. The others are resolved.
func (s *sink) prepare(ctx context.Context, p []*driver.Pending) ([]*driver.Pending, error) {
	s.slots, s.trims = s.slots[:0], s.trims[:0]
	good := make([]*driver.Pending, 0, len(p))
	for _, pd := range p {
		t, err := s.target(ctx, &pd.Record)
		if err != nil && (isLost(err) || isUnsent(err) || passes(err)) && !s.b.isAstray(err) {
			return nil, err
		}
		if err == nil {
			err = s.check(&pd.Record)
		}
		if err != nil {
			pd.Resolve(streamer.Meta{}, err)
			continue
		}
		sl := t.slot(s.b.cfg.Create == streamer.CreateNever)
		sl.load(&pd.Record, s.b.cfg.SenderTime)
		s.slots = append(s.slots, sl)
		good = append(good, pd)
	}
	s.addTrims(time.Now())
	return good, nil
}

var (
	errNilValue   = fmt.Errorf("a nil value, which a field of an entry cannot be: %w", streamer.ErrUnsupported)
	errSenderTime = fmt.Errorf("a Time chosen by the sender: %w; time=id stores it", streamer.ErrUnsupported)
	errNoIDTime   = fmt.Errorf("a Time that is no entry's id: %w; ids hold milliseconds from 1970 on", streamer.ErrUnsupported)
)

// check refuses what an entry cannot hold.
func (s *sink) check(r *streamer.Record) error {
	switch {
	case r.Value == nil:
		return errNilValue
	case r.Time.IsZero():
		return nil
	case !s.b.cfg.SenderTime:
		return errSenderTime
	case r.Time.Unix() < 0, r.Time.Unix() > math.MaxInt64/1000-1:
		return errNoIDTime
	}
	return nil
}

// slot is the next slot of the shard for a batch.
func (t *target) slot(noMkStream bool) *slot {
	if t.used == len(t.slots) {
		t.slots = append(t.slots, newSlot(t, noMkStream))
	}
	t.used++
	return t.slots[t.used-1]
}

// settle resolves the records whose outcome is known and returns why the others
// have to be sent again. unknown says that some of those may be stored.
func (s *sink) settle() (unknown bool, retry error) {
	s.holdOrder()
	for i, pd := range s.batch[s.settled:] {
		sl := s.slots[s.settled+i]
		switch err := sl.err; {
		case err == nil:
			pd.Resolve(sl.meta(), nil)
		case isLost(err):
			retry, unknown = err, true
		case isUnsent(err) || passes(err) && !sl.passed && !s.b.isAstray(err):
			retry = err
		default:
			pd.Resolve(streamer.Meta{}, s.refusal(sl, err))
		}
	}
	s.warnTrims()
	return unknown, retry
}

// holdOrder marks the records that a stored one of their shard stands behind:
// sent again they would change places with it.
func (s *sink) holdOrder() {
	if !slices.ContainsFunc(s.slots, func(sl *slot) bool { return passes(sl.err) }) {
		return
	}
	stored := map[*target]bool{}
	for _, sl := range slices.Backward(s.slots) {
		sl.passed = stored[sl.target]
		stored[sl.target] = sl.passed || sl.err == nil
	}
}

// refusal is why the server did not store the record.
func (s *sink) refusal(sl *slot, err error) error {
	switch {
	case errors.Is(err, redis.Nil): // NOMKSTREAM
		return missing(sl.target.at.Stream, errCreateNever)
	case said(err, "equal or smaller than the target stream top item"):
		return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("the record's Time is before that of the newest entry: %w", err)}
	}
	return translate(err)
}

// again has the engine hand the unresolved records of a batch in once more.
// While it is unknown whether they are stored, giving them up is ErrUnknown.
func (s *sink) again(last *driver.Pending, err error) error {
	if err != nil && s.doubt == last {
		return driver.Transient(&streamer.Error{Kind: streamer.ErrUnknown, Err: err}, 0)
	}
	return driver.Transient(translate(err), 0)
}

// target is where r goes.
func (s *sink) target(ctx context.Context, r *streamer.Record) (*target, error) {
	o, err := s.outlet(ctx, r.Stream)
	switch {
	case err != nil:
		return nil, err
	case r.Shard != nil:
		return s.named(o, *r.Shard)
	case r.Key != nil:
		return o.targets[keyhash.Shard(r.Key, len(o.targets))], nil
	}
	o.turn++
	return o.targets[o.turn%len(o.targets)], nil
}

// named is a shard that the sender chose.
func (s *sink) named(o *outlet, shard streamer.ShardID) (*target, error) {
	if t := o.byShard[shard]; t != nil {
		return t, nil
	}
	at := streamer.StreamShard{Stream: o.name, Shard: shard}
	if s.b.cfg.Shards != ShardsAuto {
		return nil, about(at, streamer.ErrNotFound, "the stream has %d shards here", len(o.targets))
	}
	t := s.newTarget(at)
	o.byShard[shard] = t
	return t, nil
}

func (s *sink) newTarget(at streamer.StreamShard) *target {
	return &target{at: at, key: s.b.cfg.key(at)}
}

// outlet finds a stream, as Config.Create says, and its shards; new ones every
// findEvery.
func (s *sink) outlet(ctx context.Context, stream string) (*outlet, error) {
	o := s.streams[stream]
	if o != nil && (s.b.cfg.Shards != ShardsAuto || time.Since(o.found) < findEvery) {
		return o, nil
	}
	shards, err := s.b.shards(ctx, stream)
	if o != nil && err != nil {
		return o, nil //nolint:nilerr // writing says it better
	}
	switch create := s.b.cfg.Create; {
	case isNotPermitted(err):
		shards = s.b.cfg.allShards() // a user that may write need not be allowed to look
	case err != nil:
		return nil, err
	case len(shards) == 0 && create == streamer.CreateNever:
		return nil, missing(stream, errCreateNever)
	case len(shards) > 0 && create == streamer.CreateNew && o == nil:
		return nil, &streamer.Error{Stream: stream, Kind: streamer.ErrExists, Err: errCreateNew}
	}
	if o == nil {
		o = &outlet{name: stream, byShard: map[streamer.ShardID]*target{}}
		s.streams[stream] = o
	}
	o.found = time.Now()
	o.spread(s, shards)
	return o, nil
}

// spread makes the shards those that records are spread over. The plain key
// takes part when it is all there is.
func (o *outlet) spread(s *sink, shards []streamer.ShardID) {
	if len(shards) == 0 {
		shards = s.b.cfg.allShards()
		if s.b.cfg.Shards == ShardsAuto {
			shards = []streamer.ShardID{PlainShard}
		}
	}
	if n := len(shards); n > 1 && shards[n-1] == PlainShard {
		shards = shards[:n-1]
	}
	o.targets = o.targets[:0]
	for _, n := range shards {
		if o.byShard[n] == nil {
			o.byShard[n] = s.newTarget(streamer.StreamShard{Stream: o.name, Shard: n})
		}
		o.targets = append(o.targets, o.byShard[n])
	}
}
