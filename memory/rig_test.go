package memory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hang is how long a test waits for what must happen.
const hang = 10 * time.Second

// rig is a log of its own with a backend on it.
type rig struct {
	*testing.T
	log *Log
	*backend
}

func newRig(t *testing.T, c Config) *rig {
	t.Helper()
	c.Log = t.Name()
	t.Cleanup(func() { Drop(c.Log) })
	b, err := newBackend(c)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{T: t, log: Open(c.Log), backend: b.(*backend)}
}

func (r *rig) create(stream string, shards int) {
	r.Helper()
	r.ok(r.Create(r.Context(), stream, shards))
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) is(err, want error) {
	r.Helper()
	if !errors.Is(err, want) {
		r.Fatalf("error is %v, want %v", err, want)
	}
}

func (r *rig) sink(stream string) *sink {
	r.Helper()
	s, err := r.OpenSink(r.Context(), driver.SinkConfig{Stream: stream})
	r.ok(err)
	return s.(*sink)
}

// write stores records and returns where they are.
func (r *rig) write(s *sink, records ...streamer.Record) []streamer.Meta {
	r.Helper()
	p := pendings(records...)
	r.ok(s.Write(r.Context(), p))
	metas := make([]streamer.Meta, len(p))
	for i := range p {
		var err error
		metas[i], err = p[i].Receipt().Wait(r.Context())
		r.ok(err)
	}
	return metas
}

// send stores n numbered values in one shard.
func (r *rig) send(stream string, shard streamer.ShardID, from, n int) {
	r.Helper()
	s := r.sink(stream)
	for i := range n {
		r.write(s, streamer.Record{Stream: stream, Shard: &shard, Value: fmt.Appendf(nil, "%d", from+i)})
	}
}

func pendings(records ...streamer.Record) []*driver.Pending {
	p := make([]*driver.Pending, len(records))
	for i, r := range records {
		p[i] = &driver.Pending{Record: r}
	}
	return p
}

// reader is a source with an engine of a few lines around it.
type reader struct {
	*rig
	src driver.Source
	cfg driver.SourceConfig

	mu      sync.Mutex
	owned   map[streamer.StreamShard]bool
	events  []string // what was called, in order
	onTake  func(gone []streamer.StreamShard, lost bool)
	held    map[streamer.StreamShard][]streamer.SeqNo // what InFlight says was never handed out
	working sync.Mutex                                // a revocation waits for it
}

// open opens a source. Zero fields of c get what the engine would set.
func (r *rig) open(c driver.SourceConfig) *reader {
	r.Helper()
	rd, err := r.tryOpen(c)
	r.ok(err)
	return rd
}

func (r *rig) tryOpen(c driver.SourceConfig) (*reader, error) {
	rd := &reader{rig: r, owned: map[streamer.StreamShard]bool{}}
	if c.Mode == 0 {
		c.Mode = streamer.RealTime
	}
	if c.Reset == 0 {
		c.Reset = streamer.Earliest
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = 100
	}
	if c.Room == nil {
		c.Room = func() int { return c.MaxBatch }
	}
	c.Logger = slog.New(slog.DiscardHandler)
	c.Assigned = rd.assigned
	c.Revoked = rd.revoked
	c.InFlight = rd.inFlight
	c.Progress = func(m driver.Mark) { rd.note("progress %v", m.Seq) }
	c.Skipped = func(at streamer.StreamShard, seq streamer.SeqNo, err error) { rd.note("skipped %v", seq) }
	c.Gone = func(at streamer.StreamShard, wanted, got streamer.SeqNo) { rd.note("gone %v %v", wanted, got) }
	c.Retrying = func(op string, err error, after time.Duration) {
		if err == nil {
			rd.note("%s works again", op)
			return
		}
		rd.note("retrying %s", op)
	}
	rd.cfg = c
	var err error
	if rd.src, err = r.OpenSource(r.Context(), c); err != nil {
		return nil, err
	}
	r.Cleanup(func() { rd.src.Close(context.Background()) })
	return rd, nil
}

func (rd *reader) note(format string, args ...any) {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	rd.events = append(rd.events, fmt.Sprintf(format, args...))
}

func (rd *reader) log() []string {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	return slices.Clone(rd.events)
}

func (rd *reader) assigned(all []streamer.StreamShard) {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	for _, at := range all {
		rd.owned[at] = true
	}
	rd.events = append(rd.events, fmt.Sprintf("assigned %d", len(all)))
}

func (rd *reader) revoked(gone []streamer.StreamShard, lost bool) {
	rd.note("revoked %d %v", len(gone), lost)
	if rd.onTake != nil {
		rd.onTake(gone, lost)
	}
	rd.working.Lock()
	defer rd.working.Unlock()
	rd.mu.Lock()
	defer rd.mu.Unlock()
	for _, at := range gone {
		delete(rd.owned, at)
	}
}

func (rd *reader) inFlight(at streamer.StreamShard) iter.Seq2[streamer.SeqNo, bool] {
	return func(yield func(streamer.SeqNo, bool) bool) {
		for _, seq := range rd.held[at] {
			if !yield(seq, false) {
				return
			}
		}
	}
}

func (rd *reader) shards() []streamer.ShardID {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	var ids []streamer.ShardID
	for at := range rd.owned {
		ids = append(ids, at.Shard)
	}
	slices.Sort(ids)
	return ids
}

// fetch is one Fetch.
func (rd *reader) fetch() ([]streamer.Message, error) {
	ctx, cancel := context.WithTimeout(rd.Context(), hang)
	defer cancel()
	var got []streamer.Message
	err := rd.src.Fetch(ctx, func(slab []streamer.Message) { got = append(got, slab...) })
	return got, err
}

// read fetches until there are n messages.
func (rd *reader) read(n int) []streamer.Message {
	rd.Helper()
	var got []streamer.Message
	for len(got) < n {
		slab, err := rd.fetch()
		if err != nil {
			rd.Fatalf("after %d of %d messages: %v; events %q", len(got), n, err, rd.log())
		}
		got = append(got, slab...)
	}
	if len(got) > n {
		rd.Fatalf("%d messages, want %d", len(got), n)
	}
	return got
}

func (rd *reader) values(n int) []string {
	rd.Helper()
	return values(rd.read(n))
}

func values(messages []streamer.Message) []string {
	var v []string
	for _, m := range messages {
		v = append(v, string(m.Value))
	}
	return v
}

// nothing asserts that no message is there now.
func (rd *reader) nothing() {
	rd.Helper()
	s := base(rd.src)
	if n, report, err := s.take(rd.cfg.MaxBatch); n > 0 || report != nil || err != nil {
		rd.Fatalf("%d messages, report %t, error %v, want nothing", n, report != nil, err)
	}
}

func base(src driver.Source) *source {
	switch s := src.(type) {
	case *source:
		return s
	case cursorSource:
		return s.source
	case ackSource:
		return s.source
	case sharedSource:
		return s.source
	}
	return nil
}

func (rd *reader) commit(stream string, shard streamer.ShardID, seq uint64) error {
	at := streamer.StreamShard{Stream: stream, Shard: shard}
	return rd.src.(driver.CursorCommitter).CommitCursors(rd.Context(), []driver.Mark{{StreamShard: at, Seq: streamer.SeqUint(seq)}})
}

func (rd *reader) ack(messages ...streamer.Message) error {
	return rd.src.(driver.MessageAcker).AckMessages(rd.Context(), ackedOf(messages))
}

func ackedOf(messages []streamer.Message) []driver.Acked {
	var done []driver.Acked
	for _, m := range messages {
		done = append(done, driver.Acked{
			StreamShard: streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}, Seqs: []streamer.SeqNo{m.Seq},
		})
	}
	return done
}

func (rd *reader) close() {
	rd.Helper()
	rd.ok(rd.src.Close(rd.Context()))
}

// eventually polls until cond holds.
func (r *rig) eventually(what string, cond func() bool) {
	r.Helper()
	for end := time.Now().Add(hang); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("never: %s", what)
		}
	}
}

func numbers(from, n int) []string {
	v := make([]string, n)
	for i := range v {
		v[i] = fmt.Sprint(from + i)
	}
	return v
}

func at(stream string, shard streamer.ShardID) streamer.StreamShard {
	return streamer.StreamShard{Stream: stream, Shard: shard}
}

func equal[T comparable](t *testing.T, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %v\nwant %v", got, want)
	}
}

// fetchShort is fetch for a reader that may have nothing to read because others
// do.
func (rd *reader) fetchShort() ([]streamer.Message, error) {
	ctx, cancel := context.WithTimeout(rd.Context(), 5*time.Millisecond)
	defer cancel()
	var got []streamer.Message
	err := rd.src.Fetch(ctx, func(slab []streamer.Message) { got = append(got, slab...) })
	return got, err
}

// finish commits one message.
func (rd *reader) finish(m streamer.Message) error {
	if _, ok := rd.src.(driver.CursorCommitter); ok {
		return rd.commit(m.Stream, m.Shard, m.Seq.Uint())
	}
	return rd.ack(m)
}
