package streamer

import (
	"time"
)

// Hooks observe; nil fields are off. They are called per batch or per state change, must not block, and may run concurrently. Events may
// gain fields.
type Hooks struct {
	Fetched   func(FetchEvent)
	Written   func(WriteEvent)
	Committed func(CommitEvent)
	Assigned  func(AssignEvent)
	Retrying  func(RetryEvent) // how a user learns of a lost connection while Next blocks; every try, of which the log has the first
	Stalled   func(StallEvent) // a shard's window has been full for 10 s; again every 10 s
	Gone      func(GoneEvent)  // a position does not exist any more, reading goes on at the nearest that loses nothing
	Skipped   func(SkipEvent)  // an entry could not be decoded and was passed over
}

// JoinHooks calls every non-nil hook of each, in order.
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

// FetchEvent is one shard's part of a fetch. Took is the whole fetch, waiting for messages included.
type FetchEvent struct {
	StreamShard
	Messages, Bytes int
	Took            time.Duration
}

// WriteEvent is one batch given to the backend; where that batches by itself (SinkConfig.Written), one batch of its client's. Stream is the first
// record's. Err is nil, or why not all of it is stored.
type WriteEvent struct {
	Stream         string
	Records, Bytes int
	Took           time.Duration
	Err            error
}

// CommitEvent is one commit. A failed one is tried again.
type CommitEvent struct {
	Group  string
	Shards int
	Took   time.Duration
	Err    error
}

// AssignEvent says which shards came and went.
type AssignEvent struct {
	Group           string
	Gained, Revoked []StreamShard
	Lost            bool // revoked without a chance to commit
}

// RetryEvent is a failure that is tried again after a pause.
type RetryEvent struct {
	Op    string
	Err   error
	After time.Duration
}

// StallEvent is a shard that hands out nothing until Oldest is acknowledged.
type StallEvent struct {
	StreamShard
	Group    string
	InFlight int
	Oldest   SeqNo
}

// GoneEvent is a position that does not exist any more, and where reading goes on instead.
type GoneEvent struct {
	StreamShard
	Wanted, Got SeqNo
}

// SkipEvent is an entry that no message could be made of.
type SkipEvent struct {
	StreamShard
	Seq SeqNo
	Err error
}
