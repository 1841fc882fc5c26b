package kafka

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// source is an open reader: a client of its own, and one goroutine that watches the topics.
type source struct {
	b   *backend
	cfg streamer.SourceConfig
	cl  *kgo.Client

	mu      sync.Mutex
	topics  map[string]topic
	shards  map[streamer.StreamShard]*shard // read now
	retired map[streamer.StreamShard]bool   // of deleted topics; the client has not given them back to the group

	life     context.Context // ends with a failure, which is its cause, or with Close
	end      context.CancelCauseFunc
	kick     chan struct{}  // capacity 1: the watcher is to look now
	watching sync.WaitGroup // the watcher

	grouped bool                           // rebalances wait while a fetch is handed over
	starts  map[streamer.StreamShard]int64 // grouped: of shards without a commit, as they were resolved before joining
	owner   *owner                         // Resumable
	corrupt trouble
	fetches appetite
	stills  map[streamer.StreamShard]still // the watcher's

	suspects  map[streamer.StreamShard]error // that cannot be read, with what the client says; mu guards it
	interrupt context.CancelFunc             // ends the wait for records; mu guards it
	closing   sync.Once
}

// shard is how far one shard is read. Its fields belong to source.mu.
type shard struct {
	next  int64 // the offset of the next record, as far as that is known
	began int64 // where a member of a group started
}

func (b *backend) newSource(cfg streamer.SourceConfig, p *plan) *source {
	s := &source{
		b:       b,
		cfg:     cfg,
		topics:  p.topics,
		stills:  make(map[streamer.StreamShard]still),
		shards:  make(map[streamer.StreamShard]*shard),
		starts:  make(map[streamer.StreamShard]int64),
		retired: make(map[streamer.StreamShard]bool),
		kick:    make(chan struct{}, 1),
	}
	s.life, s.end = context.WithCancelCause(context.Background())
	return s
}

// open makes the client. What it retries by itself is reported.
func (s *source) open(opts ...kgo.Opt) error {
	all := append(s.b.cfg.consumeOpts(), opts...)
	all = append(all, kgo.WithHooks(&lost{tell: s.disconnected}, &s.fetches))
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

// disconnected reports a connection that could not be made, unless that is because the source closes; nil: it can.
func (s *source) disconnected(err error) {
	if s.life.Err() == nil && !errors.Is(err, context.Canceled) {
		s.cfg.Retrying("connect", typed(err), 0)
	}
}

// fail ends the source: Fetch returns err from now on.
func (s *source) fail(err error) { s.end(err) }

// Fetch implements streamer.Source.
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
	s.deliver(fetches, emit)
	switch err := cmp.Or(s.troubles(ctx, fetches), streamer.Transient(s.rescueAll(ctx, emit), errorPause)); {
	case s.life.Err() != nil:
		return context.Cause(s.life)
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return err
	}
}

// deliver hands the records over and says how far the shards are read.
func (s *source) deliver(fetches kgo.Fetches, emit func([]streamer.Message)) {
	b := slab{messages: make([]streamer.Message, 0, fetches.NumRecords())}
	var marks []streamer.Mark
	for f := range fetches {
		for t := range fetches[f].Topics {
			topic := &fetches[f].Topics[t]
			if !s.current(topic) {
				continue
			}
			for p := range topic.Partitions {
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

// current says whether a fetch is of the topic that is read, and not of one that had its name.
func (s *source) current(t *kgo.FetchTopic) bool {
	if t.TopicID == [16]byte{} {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.topics[t.Topic]
	return !ok || [16]byte(known.id) == t.TopicID
}

// take adds a partition's records to the slab. It returns a mark when the last of them is no message.
func (s *source) take(b *slab, topic string, p *kgo.FetchPartition) (m streamer.Mark, marked bool) {
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
		sh.next = last.Offset + 1
	}
	s.mu.Unlock()
	return streamer.Mark{StreamShard: at, Seq: seqOf(last.Offset)}, last.Attrs.IsControl()
}

// Pause implements streamer.Pauser.
func (s *source) Pause(at streamer.StreamShard, paused bool) {
	one := map[string][]int32{at.Stream: {partitionOf(at.Shard)}}
	if paused {
		s.cl.PauseFetchPartitions(one)
	} else {
		s.cl.ResumeFetchPartitions(one)
	}
}

// Lag implements streamer.Lagger: behind what was emitted.
func (s *source) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	return s.lagBehind(ctx, s.positions())
}

// positions are the offsets that come next.
func (s *source) positions() map[streamer.StreamShard]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[streamer.StreamShard]int64, len(s.shards))
	for at, sh := range s.shards {
		all[at] = sh.next
	}
	return all
}

func (s *source) lagBehind(ctx context.Context, at map[streamer.StreamShard]int64) ([]streamer.ShardLag, error) {
	ends, err := s.b.bounds(ctx, s.cfg.Streams)
	if err != nil {
		return nil, err
	}
	lags := make([]streamer.ShardLag, 0, len(at))
	for sh, next := range at {
		e := ends[sh]
		lags = append(lags, streamer.ShardLag{StreamShard: sh, Messages: max(e.end-max(next, e.first), 0)})
	}
	return lags, nil
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

// Close implements streamer.Source.
func (s *source) Close(ctx context.Context) error {
	s.end(streamer.ErrClosed)
	s.watching.Wait()
	return s.closeClient(ctx)
}

// closeClient leaves the group, if there is one, within ctx, and joins the client's goroutines.
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
		Meta:  streamer.Meta{Stream: r.Topic, Shard: streamer.ShardID(r.Partition), Seq: seqOf(r.Offset), Time: r.Timestamp.UTC()}, //nolint:gosec // never negative
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
