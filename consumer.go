package streamer

import (
	"context"
	"iter"
	"time"
)

// Consumer reads streams. Every method may be called from any number of
// goroutines. Each message goes to exactly one caller of Next, NextBatch,
// Messages or Stream, in any mix of them. One goroutine sees each shard in
// order.
//
// Errors: when ctx ends, a call returns ctx.Err() unwrapped and the consumer
// stays usable; an ended ctx wins over a waiting message. After Close, calls
// return ErrClosed. At the end of finite input they return io.EOF after the
// last message. A failure that retrying cannot fix is returned by every call
// until Seek or Rewind succeeds. While a connection is being restored, calls
// block and Hooks.Retrying reports.
type Consumer interface {
	// Next blocks for one message. It never acknowledges: call Message.Ack.
	Next(ctx context.Context) (*Message, error)
	// NextBatch blocks for one message, then adds buffered ones without
	// waiting, up to max in total. Shards may mix. The slice is the caller's.
	// It never acknowledges: call Message.Ack.
	NextBatch(ctx context.Context, max int) ([]*Message, error)
	// Messages ranges over the messages and acknowledges as AckPolicy says. It
	// ends without an error when ctx ends, on Close and at the end of finite
	// input; Err says which. On any other error it yields (nil, err) once and
	// ends.
	Messages(ctx context.Context) iter.Seq2[*Message, error]
	// Stream is Next as an unbuffered channel, for select and fan-out. It costs
	// three to four times as much as Next. The channel is closed when Messages
	// would end; Err says why. A message that was not received before ctx ended
	// stays in the consumer. Stream never acknowledges: call Message.Ack. Its
	// goroutine ends with ctx or Close.
	Stream(ctx context.Context) <-chan *Message
	// Err says why Messages or Stream last ended: the error of ctx, ErrClosed,
	// io.EOF or the failure. It is nil while neither has ended.
	Err() error
	// Commit commits everything that was acknowledged before the call. It
	// retries transient failures until ctx ends. In RealTime it does nothing
	// and returns nil. After Seek or Rewind in LoadBalanced it is
	// ErrUnsupported, because the consumer has left the group. It returns
	// ErrFenced, once, when a shard was lost before everything that was
	// delivered from it was known to be committed: those messages may be
	// redelivered. The consumer continues.
	Commit(ctx context.Context) error
	// Seek moves every shard to its first message with Time ≥ t, cut to the
	// backend's precision, or to its end where there is none. It is
	// Rewind(AtTime(t)).
	Seek(ctx context.Context, t time.Time) error
	// Rewind moves every shard in use. When it returns, no message from before
	// is delivered and acknowledgements of earlier messages do nothing.
	// Messages that other goroutines hold already stay theirs. Next blocks
	// during a move, and moves are serialised.
	//
	// RealTime: the consumer moves. Resumable: it commits what is acknowledged,
	// moves, and has committed the new position when Rewind returns.
	// LoadBalanced: it commits, leaves the group, whose other members take over
	// its shards, and continues as RealTime over all shards;
	// Rewind(Committed()) joins the group again.
	//
	// On an error the consumer is where it was or, in Resumable, stopped until
	// the next Seek or Rewind. ErrUnsupported leaves it untouched. At and After
	// are ErrInvalid with more than one shard in use: use Assign or Each.
	Rewind(ctx context.Context, to Position) error
	// Assign adds shards to the set that the next Seek or Rewind reads instead
	// of all shards. Nothing changes until then. The set starts as
	// ConsumerOptions.Shards; other shards are not read. ErrNotFound for a
	// stream that the consumer was not opened on.
	Assign(stream string, shards ...ShardID) error
	// Unassign removes shards from that set. ErrNotFound when one is not in it.
	// An empty set means all shards again.
	Unassign(stream string, shards ...ShardID) error
	// Assignment lists the shards that are read now.
	Assignment() []StreamShard
	// Lag asks the backend how far each assigned shard is behind the committed
	// position or, in RealTime, behind what was delivered. ErrUnsupported.
	Lag(ctx context.Context) ([]ShardLag, error)
	// Close stops fetching, commits what is acknowledged and gives its shards
	// back. Blocked calls return ErrClosed. Close is idempotent.
	Close() error
}

// ShardLag is how far a shard is behind. Messages is -1 and Time 0 where the
// backend cannot tell.
type ShardLag struct {
	StreamShard
	Messages int64
	Time     time.Duration
}
