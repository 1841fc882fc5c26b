package streamer

import (
	"context"
)

// Admin manages streams and groups. Any method may be ErrUnsupported.
type Admin interface {
	// Create makes a stream and returns when it can be used: ErrExists, ErrInvalid for a name the backend cannot store.
	Create(ctx context.Context, stream string, shards int) error
	// Delete removes a stream with its messages: ErrNotFound.
	Delete(ctx context.Context, stream string) error
	// Describe: ErrNotFound.
	Describe(ctx context.Context, stream string) (StreamInfo, error)
	// Streams lists the streams whose name starts with prefix, as Consumer would be given them, in order.
	Streams(ctx context.Context, prefix string) ([]string, error)
	// Groups lists the groups that have a position in stream.
	Groups(ctx context.Context, stream string) ([]GroupInfo, error)
	// ResetGroup moves an idle group's committed position in every shard; ErrBusy while it has members.
	ResetGroup(ctx context.Context, stream, group string, to Position) error
	// DeleteGroup forgets an idle group's position in stream; ErrBusy while it has members.
	DeleteGroup(ctx context.Context, stream, group string) error
}

type StreamInfo struct {
	Name   string
	Shards []ShardInfo
}

// ShardInfo: First is the oldest message's, Next what the next message gets or, where that is not known, zero. First == Next or both zero: empty.
// Open is false for a shard that takes no more records (Kinesis after a split). Err
// says why First and Next are not known, of a shard that cannot be asked while
// others can: Kafka's without a leader.
type ShardInfo struct {
	ID          ShardID
	First, Next SeqNo
	Open        bool
	Err         error
}

// GroupInfo: Members is -1 where the backend cannot tell.
type GroupInfo struct {
	Name    string
	Members int
	Lag     []ShardLag
}
