package streamer

import (
	"context"
)

// Admin manages streams and groups. Any method may return ErrUnsupported. All
// methods may be called concurrently.
type Admin interface {
	// Create creates a stream and returns when it can be used: ErrExists, or
	// ErrInvalid for a name that the backend cannot store.
	Create(ctx context.Context, stream string, shards int) error
	// Delete removes a stream with its messages: ErrNotFound.
	Delete(ctx context.Context, stream string) error
	// Describe: ErrNotFound.
	Describe(ctx context.Context, stream string) (StreamInfo, error)
	// Streams lists the streams whose name starts with prefix, in order. The
	// names are those that a Consumer takes.
	Streams(ctx context.Context, prefix string) ([]string, error)
	// Groups lists the groups that have a position in stream.
	Groups(ctx context.Context, stream string) ([]GroupInfo, error)
	// ResetGroup moves an idle group's committed position in every shard.
	// ErrBusy while the group has members.
	ResetGroup(ctx context.Context, stream, group string, to Position) error
	// DeleteGroup removes an idle group's position in stream. ErrBusy while the
	// group has members.
	DeleteGroup(ctx context.Context, stream, group string) error
}

// StreamInfo describes a stream.
type StreamInfo struct {
	Name   string
	Shards []ShardInfo
}

// ShardInfo describes a shard. First is the position of the oldest message.
// Next is the position that the next message gets, or zero where that is not
// known. The shard is empty when First == Next or both are zero. Open is false
// for a shard that takes no more records (Kinesis after a split). Err says why
// First and Next of this shard are unknown while other shards answer (a Kafka
// partition without a leader).
type ShardInfo struct {
	ID          ShardID
	First, Next SeqNo
	Open        bool
	Err         error
}

// GroupInfo describes a group. Members is -1 where the backend cannot tell.
type GroupInfo struct {
	Name    string
	Members int
	Lag     []ShardLag
}
