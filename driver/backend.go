package driver

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
)

// Backend opens sources and sinks. Methods may be called concurrently.
type Backend interface {
	// Name is the backend's name in errors, logs and metrics, such as "kafka".
	Name() string
	// OpenSource returns when the position of every shard is resolved. In
	// Resumable and LoadBalanced it makes the first position durable where none
	// was committed. In LoadBalanced, ErrNoGroups asks the engine to open one
	// source with SourceConfig.Dealt, Resumable or else RealTime, and to deal
	// its messages among the members in this process. A configuration that the
	// backend cannot serve is ErrUnsupported here, never later.
	OpenSource(ctx context.Context, c SourceConfig) (Source, error)
	OpenSink(ctx context.Context, c SinkConfig) (Sink, error)
	// Close closes the backend, after its sources and sinks are closed.
	Close(ctx context.Context) error
}

// Pinger is optional on Backend, as is streamer.Admin. Ping checks that the
// backend answers.
type Pinger interface {
	Ping(ctx context.Context) error
}

// ErrNoGroups is what OpenSource returns in LoadBalanced when the backend has
// no groups of its own.
var ErrNoGroups = errors.New("no native groups")

// Fixed is optional on a Backend whose consumers cannot move, such as a pipe.
// Its error is an ErrUnsupported that says why. Seek, Rewind, Assign and
// Unassign return it and change nothing.
type Fixed interface {
	Fixed() error
}

// Defaulter is optional on a Backend that has defaults of its own. The options
// of the URI and of the code win over them.
type Defaulter interface {
	Defaults() streamer.StreamerOptions
}

// Dealer is optional on a Backend that returns ErrNoGroups and whose logs
// outlive one Streamer. Members of a group that were opened through several
// Streamers of the process on one log share one Deals. The sources of such a
// backend stay usable after Backend.Close, until the last member closes them.
// Without a Dealer a group does not span Streamers.
type Dealer interface {
	Deals() *Deals
}
