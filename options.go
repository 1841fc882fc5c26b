package streamer

import (
	"time"
)

// ConsumerMode says how a consumer shares a stream with others and whether it
// keeps a position. 0 is the mode of the URI. Where that has none, it is
// LoadBalanced if a Group is set anywhere and RealTime otherwise.
type ConsumerMode uint8

// The consumer modes.
const (
	// RealTime reads every shard and keeps no position. Ack and Commit do
	// nothing.
	RealTime ConsumerMode = iota + 1
	// Resumable reads every shard, commits under Group, and resumes at the
	// first message that was not acknowledged and committed. One process at a
	// time may read a Group; another one gets ErrBusy where the backend can
	// tell.
	Resumable
	// LoadBalanced shares the shards among the members of Group; on Redis and
	// in process it shares the messages.
	LoadBalanced
)

// AutoReset says where a consumer starts that has no committed position and no
// Start. 0 is the URI's, else Latest.
//
// When a committed position was trimmed away, Latest and Earliest both continue
// at the oldest message left and report it through Hooks.Gone and a warning:
// nothing that still exists is skipped. In a log that became shorter than the
// position, both continue where the log parts from what it was. With ResetError
// each of these is ErrPositionGone.
type AutoReset uint8

// Where a consumer without a position starts.
const (
	Latest     AutoReset = iota + 1 // after the newest message
	Earliest                        // at the oldest message
	ResetError                      // nowhere: ErrPositionGone
)

// AckPolicy says what acknowledges a message. 0 is the URI's, else AckOnReturn.
type AckPolicy uint8

// The acknowledgement policies.
const (
	// AckOnReturn: Messages acknowledges a message when its loop body returns,
	// but not after break, return, panic or Goexit. This is exact for any
	// number of goroutines with a loop each. A body that passes the message on
	// (go f(m), ch <- m, a batch, iter.Pull) must use AckManual, or a crash
	// loses the message. Next, NextBatch and Stream never acknowledge: call
	// Message.Ack.
	AckOnReturn AckPolicy = iota + 1
	// AckManual: only Message.Ack acknowledges, in Messages too.
	AckManual
	// AckDelayed: every message is acknowledged AckDelay after its delivery,
	// done or not, and Close acknowledges every delivered message. It is for
	// programs that cannot say when they are done. If a body takes longer than
	// AckDelay, a crash can lose its message.
	AckDelayed
	// AckOnDelivery: at most once. Each fetch is committed before any of it is
	// delivered, so a crash loses what was fetched and not yet delivered: at
	// most one fetch per shard plus Prefetch.
	AckOnDelivery
)

// Never as CommitEvery leaves committing to Commit, Close and the loss of a
// shard.
const Never time.Duration = -1

// NoLimit as MaxInFlight, BufferBytes, MaxBuffered, MaxBufferedBytes or
// DeliveryTimeout means that there is no limit.
const NoLimit = -1

// ConsumerOptions say what a consumer reads and how. The zero value reads the
// URI's streams, in RealTime from now on unless the URI says otherwise. A
// negative number or duration is ErrInvalid, except Never and NoLimit where
// they are named.
type ConsumerOptions struct {
	// Streams are read. Default: the URI's path.
	Streams []string
	Mode    ConsumerMode
	// Group is required in LoadBalanced. In Resumable the default is
	// DefaultGroup. In RealTime it is ErrInvalid.
	Group string
	// Name is the member's id in the group. Default: a UUID.
	Name string
	// Start is where to start when no position is committed. Zero: AutoReset
	// decides.
	Start     Position
	AutoReset AutoReset
	// Shards limits every stream to these. Default: all shards and those added
	// later. In LoadBalanced it is ErrInvalid.
	Shards []ShardID
	Ack    AckPolicy
	// AckDelay is for AckDelayed only. Default 5 s, at most 49 days.
	AckDelay time.Duration
	// CommitEvery is the interval of commits, or Never. Default 1 s. Where
	// messages are acknowledged one by one, the first commit after 2000 of them
	// does not wait for the interval.
	CommitEvery time.Duration
	// MaxInFlight bounds, for each shard, the delivered messages from the
	// oldest one that is not acknowledged. At that number the shard pauses.
	// Default 1000, or NoLimit.
	MaxInFlight int
	// Prefetch bounds the messages fetched ahead of Next. Default 1000, at
	// least 1. Where members share messages (Redis, in-process groups), a
	// member also holds no more than it recently processed in 0.2 s, but at
	// least 10.
	Prefetch int
	// BufferBytes bounds the memory of messages fetched ahead of Next, over all
	// shards. Default 64 MiB, or NoLimit. One fetch per server may exceed it.
	BufferBytes int
}

// ProducerOptions say where a producer writes and what it buffers. The zero
// value sends to the URI's stream. A negative number or duration is ErrInvalid,
// except NoLimit where it is named.
type ProducerOptions struct {
	// Stream is where records go that name none. Default: the URI's path when
	// it names one stream.
	Stream string
	// Linger is how long a record waits for a fuller batch. Default 0: batches
	// form while a write is under way. Flush cuts the wait short; Receipt.Wait
	// does not.
	Linger time.Duration
	// MaxBuffered bounds the records that are sent and not resolved. Default
	// 50 000, or NoLimit.
	MaxBuffered int
	// MaxBufferedBytes bounds their key, value and header bytes. Default 64
	// MiB, or NoLimit.
	MaxBufferedBytes int
	// DeliveryTimeout runs from Send until the record fails with ErrUnknown or
	// the last error. Default 2 min, or NoLimit.
	DeliveryTimeout time.Duration
}
