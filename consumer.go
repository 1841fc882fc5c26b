package streamer

import (
	"context"
	"iter"
	"time"
)

// Consumer reads streams. Every method may be called from any number of goroutines. A message goes to exactly one caller of Next,
// NextBatch, Messages and Stream, whatever their mix; one goroutine sees each shard in order.
//
// Errors: a ctx that ends gives ctx.Err() unwrapped and leaves the consumer usable. After Close: ErrClosed. Finite input: io.EOF after its
// last message. A failure that retrying cannot mend is returned by every call until Seek or Rewind succeeds. While the connection is
// being restored calls block and Hooks.Retrying reports. A ctx that has ended wins over a waiting message.
type Consumer interface {
	// Next blocks for one message. It never acknowledges: call Message.Ack.
	Next(ctx context.Context) (*Message, error)
	// NextBatch blocks for one message, then takes what is buffered, at most max, without waiting; shards may mix. The slice is the
	// caller's.
	NextBatch(ctx context.Context, max int) ([]*Message, error)
	// Messages ranges over the messages and acknowledges as AckPolicy says. It ends without an error when ctx ends, on Close and at the end of
	// finite input (Err tells which); on any other error it yields (nil, err) once and ends.
	Messages(ctx context.Context) iter.Seq2[*Message, error]
	// Stream is Next as an unbuffered channel, for select and fan-out; three to four times Next's cost. It is closed when Messages would
	// end; then ask Err. A message nobody received before ctx ended stays in the consumer. It never acknowledges: call Message.Ack. The
	// goroutine behind it ends with ctx or Close.
	Stream(ctx context.Context) <-chan *Message
	// Err says why Messages or Stream last ended: ctx's error, ErrClosed, io.EOF or the failure; nil while nothing has ended.
	Err() error
	// Commit commits everything acknowledged before the call; it retries what is transient until ctx ends. RealTime: nil, nothing to do. After Seek or Rewind in LoadBalanced:
	// ErrUnsupported, the group was left. ErrFenced, once, when a shard was lost before all that was handed out of it was known to be committed: it
	// may come again. The consumer goes on.
	Commit(ctx context.Context) error
	// Seek goes to the first message with Time ≥ t (cut to the backend's precision) in every shard, to the end where there is none. It is
	// Rewind(AtTime(t)).
	Seek(ctx context.Context, t time.Time) error
	// Rewind moves every shard in use. When it returns no message from before is delivered and acks of earlier ones do nothing; messages
	// other goroutines already hold are theirs. RealTime: moves. Resumable: commits what is acknowledged, moves, and the new position
	// is committed on return. LoadBalanced: commits, leaves the group, whose other members take its shards, and goes on as RealTime over all
	// shards; Rewind(Committed()) joins it again. Moves are serialised; Next blocks meanwhile. On error the consumer is where it was, or, in
	// Resumable, stopped until the next Seek or Rewind. ErrUnsupported leaves it untouched. At and After with more than one shard in use are
	// ErrInvalid: use Assign or Each.
	Rewind(ctx context.Context, to Position) error
	// Assign adds shards to the set that the next Seek or Rewind reads instead of all; nothing changes until then. The set starts as
	// ConsumerOptions.Shards; what is not in it is not read. ErrNotFound for a stream the consumer was not opened on.
	Assign(stream string, shards ...ShardID) error
	// Unassign takes shards out of that set. ErrNotFound when one is not in it. An empty set means all again.
	Unassign(stream string, shards ...ShardID) error
	// Assignment is what is read now.
	Assignment() []StreamShard
	// Lag asks the backend how far each assigned shard is behind: the committed position, in RealTime what was handed out. ErrUnsupported.
	Lag(ctx context.Context) ([]ShardLag, error)
	// Close stops fetching, commits what is acknowledged, gives its shards back. Blocked calls return ErrClosed. Idempotent.
	Close() error
}

// ShardLag: Messages is -1 and Time 0 where the backend cannot tell.
type ShardLag struct {
	StreamShard
	Messages int64
	Time     time.Duration
}
