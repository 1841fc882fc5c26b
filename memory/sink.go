package memory

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/keyhash"
)

// sink is an open writer. It has no goroutine. Its fields are Write's, of which
// there is one at a time.
type sink struct {
	log     *Log
	create  streamer.Create
	shards  int // of streams it creates
	streams map[string]*stream
	turn    int // records without a key go to the shards in turn
	arena   arena
	entries []entry
	results []result
	closed  atomic.Bool
}

// result is the outcome of one record.
type result struct {
	meta streamer.Meta
	err  error
}

// OpenSink implements driver.Backend.
func (b *backend) OpenSink(ctx context.Context, c driver.SinkConfig) (driver.Sink, error) {
	if err := b.enter(ctx, c.Stream); err != nil {
		return nil, err
	}
	s := &sink{log: b.log, create: b.cfg.Create, shards: b.cfg.Shards, streams: map[string]*stream{}}
	if c.Stream == "" {
		return s, nil
	}
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	if _, err := s.stream(c.Stream); err != nil {
		return nil, err
	}
	return s, nil
}

// Limits implements driver.Sink.
func (s *sink) Limits() driver.Limits { return driver.Limits{RecordBytes: MaxRecordBytes} }

// Flush implements driver.Sink: the sink holds nothing.
func (s *sink) Flush(ctx context.Context) error { return ctx.Err() }

// Close implements driver.Sink.
func (s *sink) Close(context.Context) error {
	s.closed.Store(true)
	return nil
}

// Write implements driver.Writer.
func (s *sink) Write(ctx context.Context, p []*driver.Pending) error {
	if s.closed.Load() {
		return streamer.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.log.faults.n.Load() > 0 {
		return s.writeEach(ctx, p)
	}
	for _, r := range p {
		s.entries = append(s.entries, s.arena.store(&r.Record))
	}
	s.storeAll(p)
	for i, r := range p {
		r.Resolve(s.results[i].meta, s.results[i].err)
	}
	clear(s.entries)
	clear(s.results)
	s.entries, s.results = s.entries[:0], s.results[:0]
	return nil
}

func (s *sink) storeAll(p []*driver.Pending) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	now := time.Now()
	for i, r := range p {
		meta, err := s.store(&r.Record, &s.entries[i], now)
		s.results = append(s.results, result{meta, err})
	}
}

// store appends one record. mu is held, so that the times of a shard rise with
// its sequence numbers where senders choose none.
func (s *sink) store(r *streamer.Record, e *entry, now time.Time) (streamer.Meta, error) {
	sh, err := s.shard(r)
	if err != nil {
		return streamer.Meta{}, err
	}
	if e.at.IsZero() {
		e.at = now
	}
	e.at = e.at.Round(0).UTC() // drops the monotonic clock, which would make equal times differ
	return sh.meta(sh.append(e), e.at), nil
}

func (sh *shard) meta(seq uint64, at time.Time) streamer.Meta {
	return streamer.Meta{Stream: sh.stream.name, Shard: sh.id, Seq: streamer.SeqUint(seq), Time: at}
}

// shard is where r goes. mu is held.
func (s *sink) shard(r *streamer.Record) (*shard, error) {
	st, err := s.stream(r.Stream)
	switch {
	case err != nil:
		return nil, err
	case r.Shard != nil:
		return st.shard(*r.Shard)
	case r.Key != nil:
		return st.shards[keyhash.Shard(r.Key, len(st.shards))], nil
	}
	sh := st.shards[s.turn%len(st.shards)]
	s.turn++
	return sh, nil
}

// stream finds a stream, or creates it as Config.Create says. mu is held.
func (s *sink) stream(name string) (*stream, error) {
	if st := s.streams[name]; st != nil && !st.deleted {
		return st, nil
	}
	st := s.log.streams[name]
	switch {
	case st != nil && s.create == streamer.CreateNew && s.streams[name] == nil:
		return nil, &streamer.Error{Stream: name, Kind: streamer.ErrExists, Err: errCreateNew}
	case st == nil && s.create == streamer.CreateNever:
		return nil, missing(name, errCreateNever)
	case st == nil:
		st = s.log.create(name, s.shards)
	}
	s.streams[name] = st
	return st, nil
}

// writeEach is Write with faults in force: record by record, in order.
func (s *sink) writeEach(ctx context.Context, p []*driver.Pending) error {
	c := call{op: Write}
	for _, r := range p {
		rec := r.Record
		at, err := s.fix(&rec)
		if err != nil {
			r.Resolve(streamer.Meta{}, err)
			continue
		}
		c.touches = func(f *Fault) bool { return f.covers(at) && (f.Record == nil || f.Record(rec)) }
		v, err := s.log.faults.apply(ctx, &c)
		if err != nil {
			return err
		}
		meta, err := s.attempt(&rec, v)
		if v.transient() {
			return v.err()
		}
		if err = cmp.Or(err, v.err()); err != nil {
			meta = streamer.Meta{}
		}
		r.Resolve(meta, err)
	}
	return nil
}

// fix chooses r's shard, so that it goes where the faults are asked about.
func (s *sink) fix(r *streamer.Record) (streamer.StreamShard, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	sh, err := s.shard(r)
	if err != nil {
		return streamer.StreamShard{}, err
	}
	at := sh.at()
	r.Shard = &at.Shard
	return at, nil
}

// attempt stores a record as far as v lets it.
func (s *sink) attempt(r *streamer.Record, v verdict) (streamer.Meta, error) {
	e := s.arena.store(r)
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if v.f == nil || v.f.Err != nil && v.f.Stored {
		return s.store(r, &e, time.Now())
	}
	if v.f.Err != nil {
		return streamer.Meta{}, nil
	}
	sh, err := s.shard(r)
	if err != nil {
		return streamer.Meta{}, err
	}
	if e.at.IsZero() {
		e.at = time.Now()
	}
	return sh.meta(sh.appendOdd(nil), e.at.Round(0).UTC()), nil
}
