package driver

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/gostreamer/streamer"
)

// Backend opens sources and sinks. Methods may be called concurrently.
type Backend interface {
	Name() string
	// OpenSource returns when the position of every shard is resolved and, in
	// Resumable and LoadBalanced, durable where none was committed. ErrNoGroups
	// in LoadBalanced asks the engine to open one Resumable (else RealTime)
	// source, with SourceConfig.Dealt, and deal its messages among the group's
	// members in this process. What cannot be had is ErrUnsupported here, never
	// later.
	OpenSource(ctx context.Context, c SourceConfig) (Source, error)
	OpenSink(ctx context.Context, c SinkConfig) (Sink, error)
	Close(ctx context.Context) error
}

// Admin and Pinger are optional on Backend.
type Pinger interface {
	Ping(ctx context.Context) error
}

var ErrNoGroups = errors.New("no native groups")

// SourceConfig is complete: defaults are applied.
//
// Dealt says that the source is Resumable, or RealTime, only because the
// backend answered ErrNoGroups: the engine deals its messages among the members
// of a LoadBalanced group. A backend may ignore that: then one process has the
// group, and another gets ErrBusy. Or it spreads the group over processes: such
// a source may have no shard when it is opened, while the position of each is
// durable all the same, Fetch waits for some, and shards come and go through
// Assigned and Revoked as in a group of the backend's own.
type SourceConfig struct {
	Streams     []string
	Shards      map[string][]streamer.ShardID // nil: all of them and those added later
	Mode        streamer.ConsumerMode
	Group, Name string
	Dealt       bool              // the source is a LoadBalanced group's in this process, see below
	Start       streamer.Position // zero: the committed position, else what FirstOf says. Set: go there; in Resumable make it durable before returning
	Fallback    streamer.Position // ConsumerOptions.Start: for shards without a committed position; zero: Reset decides. See FirstOf
	Reset       streamer.AutoReset
	AtMostOnce  bool // AckOnDelivery: the engine commits each fetch before it is handed out; see CursorCommitter
	MaxBatch    int  // most messages per slab
	BufferBytes int  // ConsumerOptions.BufferBytes: for sources whose client fetches ahead
	Logger      *slog.Logger

	// Room is the most messages that the next Fetch should bring, at least 1
	// and at most MaxBatch. It matters to sources whose messages several
	// members share: a member that fetches more hoards. Others may ignore it.
	Room func() int

	// Assigned reports shards that are read from now on: before OpenSource
	// returns those known then, later those that are added. It may name shards
	// that it has named before; only Revoked takes one away.
	Assigned func(gained []streamer.StreamShard)
	// Revoked takes shards away: undelivered messages are dropped, then (unless
	// lost) it waits, bounded, for those in work, commits what is acknowledged
	// through the source's own committer, and returns. Call it before giving
	// the shards up, on any goroutine but Fetch's own emit.
	Revoked func(gone []streamer.StreamShard, lost bool)
	// Vanished takes shards away that do not exist any more, nor their
	// positions: what was emitted of them is dropped, nothing is waited for or
	// committed, and nothing of it is delivered again. Call it as Revoked.
	Vanished func(gone []streamer.StreamShard)
	// InFlight is what was emitted and is not committed: to keep claims alive
	// (true: handed out, the program holds it; false: still buffered), and to
	// release them on Close. In RealTime only what is buffered. With
	// AtMostOnce a MessageAcker has acknowledged what is buffered: it takes
	// that back on Close, and when Revoked has returned, until the shard is
	// assigned again.
	InFlight func(s streamer.StreamShard) iter.Seq2[streamer.SeqNo, bool]
	// Progress says that everything up to m is done as far as the source is
	// concerned though no message was emitted for it (Kafka transaction
	// markers, an idle shard's moved end); the ledger commits it once
	// everything before is acknowledged.
	Progress func(m Mark)
	// Skipped passes over an entry that cannot be decoded: reported, counted,
	// and done once everything before it is.
	Skipped func(s streamer.StreamShard, seq streamer.SeqNo, err error)
	// Gone reports a position that was trimmed away, or that a log lost.
	// Reading goes on at got. Where that is not above wanted, the shard was
	// revoked and assigned again first.
	Gone func(s streamer.StreamShard, wanted, got streamer.SeqNo)
	// Retrying reports what the source retries by itself; a nil err says that
	// op works again.
	Retrying func(op string, err error, after time.Duration)
}

// Source is an open reader. Closing it and opening another with Start is how
// the engine seeks, rewinds, assigns and leaves a group; there is no other way
// to move.
type Source interface {
	// Fetch blocks for at least one message, hands slabs to emit, returns. One
	// caller at a time. emit never blocks; the slab is the engine's from then
	// on; messages of one shard are in order and adjacent where possible; when
	// emit returns they are in the ledgers, so a revocation may be let through
	// (kgo: AllowRebalance) before Fetch returns. A message emitted is never
	// emitted again by the same Source, also not after a reconnect. Fetch
	// returns soon after ctx ends and loses nothing by it. A Transient error is
	// retried by the engine, io.EOF is the end, any other error stops the
	// consumer.
	Fetch(ctx context.Context, emit func([]streamer.Message)) error
	// Close joins every goroutine of the source and gives its shards back.
	Close(ctx context.Context) error
}

// Mark says that everything up to and including Seq is done.
type Mark struct {
	streamer.StreamShard
	Seq streamer.SeqNo
}

// CursorCommitter is optional on Source: progress is one position per shard.
// Not called concurrently with itself, may be called during Fetch and from
// inside Revoked. An error means that none, some or all are durable. With
// AtMostOnce a Mark may be lower than an earlier one, and one whose Seq is zero
// says that nothing of the shard was handed out: its position is again where
// this source began.
type CursorCommitter interface {
	CommitCursors(ctx context.Context, upTo []Mark) error
}

// Acked lists messages of one shard, in order.
type Acked struct {
	streamer.StreamShard
	Seqs []streamer.SeqNo
}

// MessageAcker is optional on Source: progress is per message. Same rules as
// CursorCommitter; a source implements at most one of them.
type MessageAcker interface {
	AckMessages(ctx context.Context, done []Acked) error
}

// Pauser is optional on Source: stop and resume fetching one shard whose window
// is full. Called concurrently with Fetch, must not block. Without it a full
// window stops the whole consumer.
type Pauser interface {
	Pause(s streamer.StreamShard, paused bool)
}

// Fixed is optional on a Backend whose consumers cannot move, a pipe's for one.
// Fixed says why: an ErrUnsupported that Seek, Rewind, Assign and Unassign
// return without touching anything.
type Fixed interface {
	Fixed() error
}

// Defaulter is optional on a Backend that has defaults of its own: they stand
// under what the URI and the code say.
type Defaulter interface {
	Defaults() streamer.StreamerOptions
}

// Releaser is optional on a Source whose messages several members share:
// messages that were emitted and not handed out go back to the group, because
// the program is slow and another member could do them. Called between two
// Fetches, the first of which has its ctx ended for that, and concurrently with
// commits; it may be called again with the same messages when it failed. Those
// that no other member takes come to this source again, before what follows
// them in their shard.
type Releaser interface {
	Release(ctx context.Context, undelivered []Acked) error
}

// Dealer is optional on a Backend that answers ErrNoGroups and whose logs
// outlive one Streamer: the members of a group that several Streamers of the
// process opened on one log must meet in one table. Such a backend's sources
// stay usable after Backend.Close, until they are closed themselves: the last
// member does it. Without it groups span one Streamer.
type Dealer interface {
	Deals() *Deals
}

// Lagger is optional on Source. In RealTime a shard is behind what was emitted;
// the engine adds what it still holds.
type Lagger interface {
	Lag(ctx context.Context) ([]streamer.ShardLag, error)
}

// SinkConfig is complete.
type SinkConfig struct {
	Stream string
	Logger *slog.Logger

	// Linger and DeliveryTimeout are ProducerOptions', for an Enqueuer, whose
	// client batches and retries. The engine sees to DeliveryTimeout in any
	// case: later than that a record's receipt is resolved, whatever the sink
	// does.
	Linger, DeliveryTimeout time.Duration

	// Retrying reports what the sink, or its client, retries by itself; a nil
	// err says that op works again.
	Retrying func(op string, err error, after time.Duration)

	// Written is how an Enqueuer reports a batch of its client's to
	// Hooks.Written; nil when nobody listens. What a Writer is given the engine
	// reports itself.
	Written func(streamer.WriteEvent)
}

// Limits of one Write and of one record, in records and bytes of
// key+value+headers.
type Limits struct{ Records, Bytes, RecordBytes int }

// Sink is an open writer. It also implements exactly one of Writer and
// Enqueuer.
type Sink interface {
	// Limits is asked once. Zero in a field means no limit.
	Limits() Limits
	// Flush hurries what the sink itself holds; the engine waits for the
	// receipts.
	Flush(ctx context.Context) error
	Close(ctx context.Context) error
}

// Writer takes batches. One Write at a time; it may return before its records
// are resolved and blocks while the sink can take no more. p is the engine's
// again when Write returns. An error fails those of p that are not resolved
// yet.
type Writer interface {
	Write(ctx context.Context, p []*Pending) error
}

// Explainer is optional on an Enqueuer: why its client stores nothing at
// present and goes on trying, for the receipts that the engine gives up on; nil
// when it knows of nothing. The error says nothing about the kind of theirs.
// Called by any goroutine, must not block.
type Explainer interface {
	Why() error
}

// Enqueuer is a sink whose client batches by itself (kgo): called by any
// goroutine, must not block; the engine bounds what is outstanding. A sink that
// sends a failed span again queues later records of that shard itself.
type Enqueuer interface {
	Enqueue(p *Pending)
}
