package streamer

import (
	"time"
)

// Hooks are called once per batch or state change. They must not block and may
// run concurrently. A nil field costs nothing. Events may gain fields.
type Hooks struct {
	Fetched   func(FetchEvent)
	Written   func(WriteEvent)
	Committed func(CommitEvent)
	Assigned  func(AssignEvent)
	// Retrying reports every retry, for example of a lost connection while Next
	// blocks. The log gets the first of a series.
	Retrying func(RetryEvent)
	// Stalled reports a shard whose window has been full for 10 s, and again
	// every 10 s.
	Stalled func(StallEvent)
	// Gone reports a position that no longer exists. Reading continues at the
	// nearest position that skips nothing.
	Gone func(GoneEvent)
	// Skipped reports an entry that could not be decoded.
	Skipped func(SkipEvent)
}

// JoinHooks returns Hooks that call every non-nil hook of each h, in order.
func JoinHooks(h ...Hooks) Hooks {
	var j Hooks
	for _, x := range h {
		chain(&j.Fetched, x.Fetched)
		chain(&j.Written, x.Written)
		chain(&j.Committed, x.Committed)
		chain(&j.Assigned, x.Assigned)
		chain(&j.Retrying, x.Retrying)
		chain(&j.Stalled, x.Stalled)
		chain(&j.Gone, x.Gone)
		chain(&j.Skipped, x.Skipped)
	}
	return j
}

// chain makes *f call next too.
func chain[E any](f *func(E), next func(E)) {
	first := *f
	switch {
	case next == nil:
	case first == nil:
		*f = next
	default:
		*f = func(e E) {
			first(e)
			next(e)
		}
	}
}

// FetchEvent is one shard's part of a fetch. Took is the time of the whole
// fetch, including the wait for messages.
type FetchEvent struct {
	StreamShard
	Messages, Bytes int
	Took            time.Duration
}

// WriteEvent is one batch written: the engine's, or the client's where the
// backend batches by itself. Stream is that of the first record. Err is nil if
// all of the batch is stored.
type WriteEvent struct {
	Stream         string
	Records, Bytes int
	Took           time.Duration
	Err            error
}

// CommitEvent is one commit. A failed commit is retried.
type CommitEvent struct {
	Group  string
	Shards int
	Took   time.Duration
	Err    error
}

// AssignEvent is a change of the shards that a consumer reads.
type AssignEvent struct {
	Group           string
	Gained, Revoked []StreamShard
	Lost            bool // revoked without a chance to commit
}

// RetryEvent is a failure that is retried after a pause.
type RetryEvent struct {
	Op    string
	Err   error
	After time.Duration
}

// StallEvent is a shard that delivers nothing until Oldest is acknowledged.
type StallEvent struct {
	StreamShard
	Group    string
	InFlight int
	Oldest   SeqNo
}

// GoneEvent is a position that no longer exists, Wanted, and where reading
// continues instead, Got.
type GoneEvent struct {
	StreamShard
	Wanted, Got SeqNo
}

// SkipEvent is an entry that could not be decoded.
type SkipEvent struct {
	StreamShard
	Seq SeqNo
	Err error
}
