package kafka

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/twmb/franz-go/pkg/kgo"
)

// source is an open reader: a client of its own, and one goroutine that watches
// the topics.
type source struct {
	b   *backend
	cfg driver.SourceConfig
	cl  *kgo.Client

	mu      sync.Mutex
	topics  map[string]topic
	shards  map[streamer.StreamShard]*shard // read now
	unled   map[streamer.StreamShard]bool   // of them those without a leader, which was reported
	retired map[streamer.StreamShard]bool   // of deleted topics; the client has not given them back to the group

	// secure commits where shards start that are read from a new position; nil
	// in RealTime.
	secure func(ctx context.Context, starts map[streamer.StreamShard]position) error

	life     context.Context // ends with a failure, which is its cause, or with Close
	end      context.CancelCauseFunc
	kick     chan struct{}  // capacity 1: the watcher is to look now
	watching sync.WaitGroup // the watcher

	grouped bool                              // rebalances wait while a fetch is handed over
	starts  map[streamer.StreamShard]position // grouped: of shards without a commit, as they were resolved before joining
	owner   *owner                            // Resumable
	corrupt trouble
	fetches appetite
	stills  map[streamer.StreamShard]still // the watcher's

	suspects  map[streamer.StreamShard]error // that cannot be read, with what the client says; mu guards it
	interrupt context.CancelFunc             // ends the wait for records; mu guards it
	closing   sync.Once
}

func (b *backend) newSource(cfg driver.SourceConfig, p *plan) *source {
	s := &source{
		b:       b,
		cfg:     cfg,
		topics:  p.topics,
		stills:  make(map[streamer.StreamShard]still),
		shards:  make(map[streamer.StreamShard]*shard),
		unled:   make(map[streamer.StreamShard]bool),
		starts:  make(map[streamer.StreamShard]position),
		retired: make(map[streamer.StreamShard]bool),
		kick:    make(chan struct{}, 1),
	}
	s.life, s.end = context.WithCancelCause(context.Background())
	return s
}

// open makes the client. What it retries by itself is reported.
func (s *source) open(opts ...kgo.Opt) error {
	all := append(s.b.cfg.consumeOpts(), opts...)
	all = append(all, kgo.WithHooks(&lost{report: s.disconnected}, &s.fetches))
	if s.cfg.Logger != nil {
		all = append(all, kgo.WithLogger(logger{s.cfg.Logger}))
	}
	cl, err := s.b.client(all...)
	if err != nil {
		return err
	}
	s.cl = cl
	s.fetches.begin(cl, s.cfg.BufferBytes)
	return nil
}

// disconnected reports a connection that could not be made, unless that is
// because the source closes; nil: it can.
func (s *source) disconnected(err error) {
	if s.life.Err() == nil && !errors.Is(err, context.Canceled) {
		s.cfg.Retrying("connect", typed(err), 0)
	}
}

// fail ends the source: Fetch returns err from now on.
func (s *source) fail(err error) { s.end(err) }

// Fetch implements driver.Source.
func (s *source) Fetch(ctx context.Context, emit func([]streamer.Message)) error {
	if s.life.Err() != nil {
		return context.Cause(s.life)
	}
	polling, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(s.life, cancel)()
	defer cancel()
	s.mu.Lock()
	s.interrupt = cancel
	if len(s.suspects) > 0 {
		cancel()
	}
	s.mu.Unlock()
	fetches := s.cl.PollRecords(polling, s.cfg.MaxBatch)
	if s.grouped {
		defer s.cl.AllowRebalance() // not before what was fetched is in the ledgers
	}
	s.fetches.learn(s.cl)
	back := s.truncated(ctx, fetches)
	s.deliver(fetches, back, emit)
	switch err := cmp.Or(s.troubles(ctx, fetches), driver.Transient(s.rescueAll(ctx, emit), errorPause)); {
	case s.life.Err() != nil:
		return context.Cause(s.life)
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return err
	}
}

// deliver hands the records over and says how far the shards are read. Those of
// a shard that was set back are fetched again.
func (s *source) deliver(fetches kgo.Fetches, back map[streamer.StreamShard]bool, emit func([]streamer.Message)) {
	b := slab{messages: make([]streamer.Message, 0, fetches.NumRecords())}
	var marks []driver.Mark
	for f := range fetches {
		for t := range fetches[f].Topics {
			topic := &fetches[f].Topics[t]
			if !s.current(topic) {
				continue
			}
			for p := range topic.Partitions {
				if back[shardOf(topic.Topic, topic.Partitions[p].Partition)] {
					continue
				}
				if m, ok := s.take(&b, topic.Topic, &topic.Partitions[p]); ok {
					marks = append(marks, m)
				}
			}
		}
	}
	if len(b.messages) > 0 {
		emit(b.messages)
	}
	for _, m := range marks {
		s.cfg.Progress(m)
	}
}

// current says whether a fetch is of the topic that is read, and not of one
// that had its name.
func (s *source) current(t *kgo.FetchTopic) bool {
	if t.TopicID == [16]byte{} {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.topics[t.Topic]
	return !ok || [16]byte(known.id) == t.TopicID
}

// take adds a partition's records to the slab. It returns a mark when the last
// of them is no message.
func (s *source) take(b *slab, topic string, p *kgo.FetchPartition) (m driver.Mark, marked bool) {
	if len(p.Records) == 0 {
		return m, false
	}
	for _, r := range p.Records {
		if !r.Attrs.IsControl() {
			b.add(r)
		}
	}
	at := shardOf(topic, p.Partition)
	last := p.Records[len(p.Records)-1]
	s.mu.Lock()
	if sh := s.shards[at]; sh != nil {
		sh.read(p.Records)
	}
	s.mu.Unlock()
	return driver.Mark{StreamShard: at, Seq: seqOf(last.Offset)}, last.Attrs.IsControl()
}

// Pause implements driver.Pauser.
func (s *source) Pause(at streamer.StreamShard, paused bool) {
	one := map[string][]int32{at.Stream: {partitionOf(at.Shard)}}
	if paused {
		s.cl.PauseFetchPartitions(one)
	} else {
		s.cl.ResumeFetchPartitions(one)
	}
}

// resume ends the pauses of shards that are read from a new position: the
// client keeps a pause whatever becomes of the shard.
func (s *source) resume(shards []streamer.StreamShard) {
	all := make(map[string][]int32)
	for _, at := range shards {
		all[at.Stream] = append(all[at.Stream], partitionOf(at.Shard))
	}
	s.cl.ResumeFetchPartitions(all)
}

// Lag implements driver.Lagger, relative to what was emitted.
func (s *source) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	return s.lagBehind(ctx, s.positions())
}

// positions are where the shards continue.
func (s *source) positions() map[streamer.StreamShard]position {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[streamer.StreamShard]position, len(s.shards))
	for at, sh := range s.shards {
		all[at] = sh.position()
	}
	return all
}

// lagBehind counts what is behind positions. It is not known of a shard whose
// leader does not answer.
func (s *source) lagBehind(ctx context.Context, at map[streamer.StreamShard]position) ([]streamer.ShardLag, error) {
	ends, left, err := s.b.bounds(ctx, slices.Collect(maps.Keys(at)))
	if err != nil {
		return nil, err
	}
	now, err := s.b.locate(ctx, at, ends)
	if err != nil {
		return nil, err
	}
	lags := make([]streamer.ShardLag, 0, len(at))
	for sh, p := range now {
		lags = append(lags, streamer.ShardLag{StreamShard: sh, Messages: ends[sh].behind(p, left[sh])})
	}
	return lags, nil
}

// places are the positions to commit for marks; lost when some are of shards
// that are not read any more.
func (s *source) places(upTo []driver.Mark) (at map[streamer.StreamShard]position, lost bool) {
	at = make(map[streamer.StreamShard]position, len(upTo))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range upTo {
		if sh := s.shards[m.StreamShard]; sh != nil {
			at[m.StreamShard] = sh.behind(m.Seq)
		} else {
			lost = true
		}
	}
	return at, lost
}

// committed notes positions that are.
func (s *source) committed(at map[streamer.StreamShard]position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for shard, p := range at {
		if sh := s.shards[shard]; sh != nil {
			sh.saved = p
			sh.epochs.forget(p.offset)
		}
	}
}

// assigned tells the engine which shards are read.
func (s *source) assigned() {
	s.mu.Lock()
	all := make([]streamer.StreamShard, 0, len(s.shards))
	for at := range s.shards {
		all = append(all, at)
	}
	s.mu.Unlock()
	s.cfg.Assigned(all)
}

// Close implements driver.Source.
func (s *source) Close(ctx context.Context) error {
	s.end(streamer.ErrClosed)
	s.watching.Wait()
	return s.closeClient(ctx)
}

// closeClient leaves the group, if there is one, within ctx, and joins the
// client's goroutines.
func (s *source) closeClient(ctx context.Context) error {
	var err error
	s.closing.Do(func() {
		if s.grouped {
			s.cl.AllowRebalance()
			err = s.cl.LeaveGroupContext(ctx)
		}
		s.cl.CloseAllowingRebalance()
		s.cl.AllowRebalance() // Close itself polls once: without this its own attempt to leave, if it comes late, waits for that poll for ever
	})
	if err != nil && ctx.Err() == nil {
		return typed(err)
	}
	return ctx.Err()
}

// slab is what one fetch brings, in one piece.
type slab struct {
	messages []streamer.Message
	headers  []streamer.Header // the chunk in use
}

// headerChunk is how many headers are allocated at once.
const headerChunk = 256

// add makes a message of a record, whose bytes it shares.
func (b *slab) add(r *kgo.Record) {
	b.messages = append(b.messages, streamer.Message{
		Meta:  streamer.Meta{Stream: r.Topic, Shard: streamer.ShardID(r.Partition), Seq: seqOf(r.Offset), Time: timeOf(r)}, //nolint:gosec // never negative
		Key:   r.Key,
		Value: r.Value,
	})
	if len(r.Headers) > 0 {
		b.messages[len(b.messages)-1].Headers = b.carry(r.Headers)
	}
}

// carry copies a record's headers into the slab.
func (b *slab) carry(headers []kgo.RecordHeader) []streamer.Header {
	if cap(b.headers)-len(b.headers) < len(headers) {
		b.headers = make([]streamer.Header, 0, max(headerChunk, len(headers)))
	}
	from := len(b.headers)
	for _, h := range headers {
		b.headers = append(b.headers, streamer.Header{Key: h.Key, Value: h.Value})
	}
	return b.headers[from:len(b.headers):len(b.headers)]
}

// errorPause is how long a failing shard is left alone.
const errorPause = 100 * time.Millisecond
