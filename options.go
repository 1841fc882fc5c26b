package streamer

import (
	"time"
)

// ConsumerMode: 0 is the URI's, else LoadBalanced where there is a Group and
// RealTime where there is none, wherever each is written.
type ConsumerMode uint8

const (
	// RealTime reads every shard on its own, keeps no position; Ack and Commit do nothing.
	RealTime ConsumerMode = iota + 1
	// Resumable reads every shard, commits under Group, resumes at the first message not acknowledged and committed. One process at a
	// time per Group; a second one gets ErrBusy where the backend can tell.
	Resumable
	// LoadBalanced shares the shards (or, on Redis and in process, the messages) among the members of Group.
	LoadBalanced
)

// AutoReset says where a consumer starts that has no committed position and no Start. 0 is the URI's, else Latest. When a position existed
// but was trimmed away, Latest and Earliest both go on at the oldest message left, with Hooks.Gone and a warning: nothing that still
// exists is skipped. In a log that got shorter than the position both go on where it
// parts from what it was. ResetError makes each of these ErrPositionGone.
type AutoReset uint8

const (
	Latest AutoReset = iota + 1
	Earliest
	ResetError
)

// AckPolicy says who acknowledges. 0 is the URI's, else AckOnReturn.
type AckPolicy uint8

const (
	// AckOnReturn: Messages acknowledges a message when its loop body returns (not after break, return, panic or Goexit), exactly, for any
	// number of goroutines with a loop each. A body that passes the message on (go f(m), ch <- m, a batch, iter.Pull) must use AckManual, or a
	// crash loses it. Next, NextBatch and Stream never acknowledge: call Message.Ack.
	AckOnReturn AckPolicy = iota + 1
	// AckManual: only Message.Ack, also in Messages.
	AckManual
	// AckDelayed: every message is acknowledged AckDelay after it was handed out, done or not; Close acknowledges all that was handed
	// out. For programs that can't say when they are done; a body slower than AckDelay can lose its message in a crash.
	AckDelayed
	// AckOnDelivery: at most once. Each fetch is committed before any of it is handed out, so a crash loses what was fetched and not yet
	// delivered, at most one fetch per shard plus Prefetch.
	AckOnDelivery
)

// Never, as CommitEvery, leaves committing to Commit, Close and the loss of a shard.
const Never time.Duration = -1

// NoLimit, as MaxInFlight, BufferBytes, MaxBuffered, MaxBufferedBytes or
// DeliveryTimeout, means that there is no limit.
const NoLimit = -1

// ConsumerOptions: the zero value reads the URI's streams, in RealTime from now
// on unless the URI says otherwise. A negative number or duration is ErrInvalid,
// but for Never and NoLimit where they are named.
type ConsumerOptions struct {
	Streams     []string      // default: the URI's path
	Mode        ConsumerMode  //
	Group       string        // LoadBalanced: required. Resumable: default see DefaultGroup. RealTime: ErrInvalid
	Name        string        // member id in the group; default a UUID
	Start       Position      // where to start when no position is committed; zero: AutoReset decides
	AutoReset   AutoReset     //
	Shards      []ShardID     // read only these shards of every stream; default all, and those added later. LoadBalanced: ErrInvalid
	Ack         AckPolicy     //
	AckDelay    time.Duration // AckDelayed only; default 5 s, most 49 days
	CommitEvery time.Duration // default 1 s; Never. Where messages are acknowledged one by one, the first commit after 2000 of them does not wait
	MaxInFlight int           // messages handed out, per shard, from the oldest that is not acknowledged on; at so many the shard pauses; default 1000; NoLimit
	Prefetch    int           // messages fetched ahead of Next; default 1000, least 1. Where members share messages (Redis, in-process groups) a member holds at most 0.2 s of its own recent work, but 10
	BufferBytes int           // bytes of memory for messages fetched ahead of Next, over all shards; default 64 MiB; NoLimit; may overshoot by one fetch per server
}

// ProducerOptions: the zero value sends to the URI's stream. A negative number
// or duration is ErrInvalid, but for NoLimit where it is named.
type ProducerOptions struct {
	Stream           string        // default: the URI's path when it names one stream
	Linger           time.Duration // wait for a fuller batch; default 0: batches form while a write is under way. Flush cuts it short, Wait does not
	MaxBuffered      int           // records sent but not resolved; default 50 000; NoLimit
	MaxBufferedBytes int           // default 64 MiB; NoLimit
	DeliveryTimeout  time.Duration // from Send to giving up with ErrUnknown or the last error; default 2 min; NoLimit
}
