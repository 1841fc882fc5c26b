package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// Harness describes one column of the semantics table: a backend in one
// configuration.
type Harness struct {
	Name    string // the column's title, "memory acks=message"
	Backend string // whose exceptions apply, "memory"

	// Ready, if set, is called first. If it returns false the suite is left
	// out, because the server that Open needs is missing. The processes that
	// cases start do not call it; they use the place that they are given.
	Ready func(t testing.TB) bool

	// Open makes an empty place that no other case sees, and registers its
	// removal with t.Cleanup. It is called concurrently.
	Open func(t testing.TB, p Plan) *Place

	// Without names what this configuration refuses or what cannot happen to
	// it. The list of exceptions must grant each entry to Backend.
	Without []Part

	PerMessage bool          // each message is committed by itself; else a position per shard
	Groups     Sharing       // what the members of a group divide
	Pauses     bool          // a shard whose window is full does not stop the others
	OneWriter  bool          // a second process that writes gets ErrBusy
	Precision  time.Duration // of Time; zero means nanoseconds
	EmptyKeys  bool          // an empty Key comes back empty, not nil
	Largest    int           // the size of the largest value that can be stored

	// Highest is a sequence number that no message of this backend can follow;
	// zero where there is none.
	Highest streamer.SeqNo
	// Bad turns a valid record into one that this backend refuses, whatever
	// other records are sent with it.
	Bad func(streamer.Record) streamer.Record
	// SecretURI returns a URI that carries secret wherever this backend takes
	// one, and to which nothing can connect. It may be called concurrently.
	SecretURI func(secret string) string

	Messages  int           // of a volume case; default 4000
	Overshoot int           // messages that a fetch may bring beside those of the Fetched event that reports it
	Hang      time.Duration // limit of every single wait; default 30 s, least 5 s
	Parallel  int           // cases at a time; default 8

	leaksAllowed bool // to test the suite itself: looking for leaks is half of its work
}

// Sharing says what the members of a group divide among them.
type Sharing uint8

const (
	Dealt  Sharing = iota // messages; those of one key go to one member
	Shared                // messages, whatever their key
	Owned                 // shards
)

// Plan is what a case requires of a place.
type Plan struct {
	Streams int // how many; Run sets at least 1
	Shards  int // of each stream; Run sets at least 1
}

// Place is an isolated log, or an isolated corner of a server.
type Place struct {
	Streams []string // as many as planned, created where they must be
	URI     string   // of the first stream, for another process; "" where no other process can share the place

	// Connect is called once per program that a case plays; the programs may
	// share what the backend shares inside one process.
	Connect func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error)

	Faults
}

// Faults are what a case does to a place. A nil one must be explained by an
// entry of Harness.Without.
type Faults struct {
	// Cut breaks every connection and lets none be made until Mend.
	// (Connection)
	Cut, Mend func()
	// Slow makes every answer take that long, until it is given zero.
	// (Connection)
	Slow func(delay time.Duration)
	// Restart stops the server without warning and starts it again. (Restart)
	Restart func()
	// Trim removes the messages up to and including upTo. Nothing reads or
	// writes meanwhile. (Trimming)
	Trim func(s streamer.StreamShard, upTo streamer.SeqNo)
	// AddShard adds one to a stream. (NewShards)
	AddShard func(stream string) streamer.ShardID
	// Poison appends an entry that cannot be decoded, and returns the shard
	// with which it will be reported: s, unless the undecodable part is where
	// the entry belongs. Nothing writes meanwhile. (Poisoning)
	Poison func(s streamer.StreamShard) (reported streamer.StreamShard)
	// Delete removes a stream while it is in use; Create recreates it, empty.
	// (Deletion)
	Delete, Create func(stream string)
	// Always is Place.Connect for a program that says create=always. (Deletion)
	Always func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error)
	// DropGroup makes the server forget a group that is in use. (GroupLoss)
	DropGroup func(stream, group string)
	// Lose takes every shard of a group from its present owner without notice,
	// as a long pause of its process would. (Fencing)
	Lose func(stream, group string)
	// Deny makes the server refuse access, or grant it again. (Denial)
	Deny func(denied bool)
	// WrongType connects to something that exists and is not a stream of this
	// backend, and names it. (WrongType)
	WrongType func(ctx context.Context, o streamer.StreamerOptions) (s streamer.Streamer, stream string, err error)
	// Missing connects to where a stream does not exist, and names it; every
	// backend has that. (Absence)
	Missing func(ctx context.Context, o streamer.StreamerOptions) (s streamer.Streamer, stream string, err error)
}

func (h Harness) withDefaults() Harness {
	if h.Messages == 0 {
		h.Messages = 4000
	}
	if h.Hang == 0 {
		h.Hang = 30 * time.Second
	}
	h.Hang = max(h.Hang, 5*time.Second)
	if h.Parallel == 0 {
		h.Parallel = 8
	}
	if h.Precision == 0 {
		h.Precision = time.Nanosecond
	}
	return h
}

func (h *Harness) lacks(p Part) bool {
	for _, w := range h.Without {
		if w == p {
			return true
		}
	}
	return false
}

func (p Plan) withDefaults() Plan {
	return Plan{Streams: max(p.Streams, 1), Shards: max(p.Shards, 1)}
}
