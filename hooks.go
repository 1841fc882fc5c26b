package streamer

import (
	"time"
)

// gain fields.
type Hooks struct {
	Fetched   func(FetchEvent)
	Written   func(WriteEvent)
	Committed func(CommitEvent)
	Assigned  func(AssignEvent)
	Retrying  func(RetryEvent) // how a user learns of a lost connection while Next blocks
	Stalled   func(StallEvent) // a shard's window has been full for 10 s; again every 10 s
	Gone      func(GoneEvent)  // a position was trimmed away, reading goes on at the oldest message left
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

type FetchEvent struct {
	StreamShard
	Messages, Bytes int
	Took            time.Duration
}
type WriteEvent struct {
	Stream         string
	Records, Bytes int
	Took           time.Duration
	Err            error
}
type CommitEvent struct {
	Group  string
	Shards int
	Took   time.Duration
	Err    error
}
type AssignEvent struct {
	Group           string
	Gained, Revoked []StreamShard
	Lost            bool // revoked without a chance to commit
}
type RetryEvent struct {
	Op    string
	Err   error
	After time.Duration
}
type StallEvent struct {
	StreamShard
	Group    string
	InFlight int
	Oldest   SeqNo
}
type GoneEvent struct {
	StreamShard
	Wanted, Got SeqNo
}
type SkipEvent struct {
	StreamShard
	Seq SeqNo
	Err error
}
