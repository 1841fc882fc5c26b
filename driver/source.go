package driver

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/gostreamer/streamer"
)

// SourceConfig says what a source reads. Defaults are applied.
//
// Dealt is set when the source is Resumable, or RealTime, only because the
// backend returned ErrNoGroups: the engine deals its messages among the members
// of a LoadBalanced group. A backend may ignore it. Then one process has the
// group and others get ErrBusy. Or the backend shares the group among
// processes. Then a source may have no shard when it is opened, although the
// position of each is durable; Fetch waits for a shard, and shards are assigned
// and revoked as in a native group.
type SourceConfig struct {
	Streams     []string
	Shards      map[string][]streamer.ShardID // by stream; nil: all shards and those added later
	Mode        streamer.ConsumerMode
	Group, Name string
	Dealt       bool // see above

	// Start is where to start. Zero: at the committed position, or else where
	// FirstOf says. If it is set in Resumable, the source makes it durable
	// before OpenSource returns.
	Start streamer.Position
	// Fallback is ConsumerOptions.Start, for shards without a committed
	// position. Zero: Reset decides. See FirstOf.
	Fallback streamer.Position
	Reset    streamer.AutoReset
	// AtMostOnce is AckOnDelivery: the engine commits each fetch before it is
	// handed out. See CursorCommitter.
	AtMostOnce bool
	// MaxBatch bounds the messages of a slab.
	MaxBatch int
	// BufferBytes is ConsumerOptions.BufferBytes, for sources whose client
	// fetches ahead.
	BufferBytes int
	Logger      *slog.Logger

	// Room returns how many messages the next Fetch should return at most:
	// between 1 and MaxBatch. A source whose messages several members share
	// should respect it, or one member takes what others could process. Other
	// sources may ignore it.
	Room func() int

	// Assigned reports shards that are read from now on: the first ones before
	// OpenSource returns, added ones later. It may name shards that it has
	// named before. Only Revoked and Vanished take shards away.
	Assigned func(gained []streamer.StreamShard)
	// Revoked takes shards away. It drops the messages that were not handed
	// out. Unless the shards are lost already, it then waits, for a bounded
	// time, for messages that the program is processing and commits what is
	// acknowledged through the source's own committer. Call it before giving up
	// the shards, on any goroutine, but not inside emit.
	Revoked func(gone []streamer.StreamShard, lost bool)
	// Vanished takes shards away that no longer exist and whose positions no
	// longer exist. Messages that were not handed out are dropped; nothing is
	// waited for, committed or redelivered. Call it like Revoked.
	Vanished func(gone []streamer.StreamShard)
	// InFlight lists what was emitted and is not committed, so that a source
	// can keep claims alive and release them on Close. The bool says whether
	// the program holds the message; otherwise it is still buffered. In
	// RealTime only buffered messages are listed. With AtMostOnce a
	// MessageAcker has acknowledged what is buffered; it returns those messages
	// to the group on Close, and after Revoked until the shard is assigned
	// again.
	InFlight func(s streamer.StreamShard) iter.Seq2[streamer.SeqNo, bool]
	// Progress reports that the source has passed everything up to m without
	// emitting a message for it (Kafka transaction markers, the moved end of an
	// idle shard). The engine commits m once everything before it is done.
	Progress func(m Mark)
	// Skipped reports an entry that cannot be decoded. It counts as done once
	// everything before it is.
	Skipped func(s streamer.StreamShard, seq streamer.SeqNo, err error)
	// Gone reports a position that was trimmed away or that a log lost. Reading
	// continues at got. If got is not above wanted, the source revoked the
	// shard and assigned it again first.
	Gone func(s streamer.StreamShard, wanted, got streamer.SeqNo)
	// Retrying reports what the source itself retries. A nil err reports that
	// op works again.
	Retrying func(op string, err error, after time.Duration)
}

// Source is an open reader. Closing it and opening another with Start is how
// the engine seeks, rewinds, assigns and leaves a group; there is no other way
// to move.
type Source interface {
	// Fetch blocks for at least one message, hands slabs to emit, and returns.
	// It has one caller at a time. emit does not block and takes over the slab.
	// Messages of one shard are in order and, where possible, adjacent. When
	// emit returns, the engine has recorded them, so a revocation may proceed
	// before Fetch returns (kgo: AllowRebalance). A Source never emits a
	// message twice, not even after it has reconnected. Fetch returns soon
	// after ctx ends and loses nothing by it. The engine retries after a
	// Transient error; io.EOF is the end of the input; any other error stops
	// the consumer.
	Fetch(ctx context.Context, emit func([]streamer.Message)) error
	// Close joins every goroutine of the source and gives its shards back.
	Close(ctx context.Context) error
}

// Mark says that everything up to and including Seq is done.
type Mark struct {
	streamer.StreamShard
	Seq streamer.SeqNo
}

// CursorCommitter is optional on Source, for backends whose progress is one
// position per shard. CommitCursors is not called concurrently with itself. It
// may be called during Fetch and from inside Revoked. After an error none, some
// or all of the marks may be durable. With AtMostOnce a Mark may be lower than
// an earlier one, and a zero Seq says that nothing of the shard was handed out:
// its position is again where this source began.
type CursorCommitter interface {
	CommitCursors(ctx context.Context, upTo []Mark) error
}

// Acked lists messages of one shard, in order.
type Acked struct {
	streamer.StreamShard
	Seqs []streamer.SeqNo
}

// MessageAcker is optional on Source, for backends whose progress is per
// message. The rules of CursorCommitter apply. A source implements at most one
// of the two.
type MessageAcker interface {
	AckMessages(ctx context.Context, done []Acked) error
}

// Pauser is optional on Source. Pause stops or resumes fetching a shard whose
// window is full. It is called concurrently with Fetch and must not block.
// Without a Pauser a full window stops the whole consumer.
type Pauser interface {
	Pause(s streamer.StreamShard, paused bool)
}

// Releaser is optional on a Source whose messages several members share.
// Release returns messages to the group that were emitted and not handed out,
// because this program is slow and another member could process them. It is
// called between two Fetches, the first of which is ended through its ctx, and
// concurrently with commits. After an error it may be called again with the
// same messages. The source emits those that no other member takes again,
// before later messages of their shard.
type Releaser interface {
	Release(ctx context.Context, undelivered []Acked) error
}

// Lagger is optional on Source. In RealTime, Lag counts from what was emitted;
// the engine adds what it still holds.
type Lagger interface {
	Lag(ctx context.Context) ([]streamer.ShardLag, error)
}
