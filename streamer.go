package streamer

import (
	"context"
	"log/slog"
	"time"
)

// StreamerOptions are the defaults of a Streamer's consumers and producers. The
// zero value is usable.
type StreamerOptions struct {
	// Consumer and Producer fill the fields that a caller leaves zero. The
	// built-in defaults come last.
	Consumer ConsumerOptions
	Producer ProducerOptions

	// Logger gets state changes, never a line per message. Nil: slog.Default
	// gets the warnings (connection lost, shard stalled, entry skipped).
	Logger *slog.Logger
	Hooks  Hooks

	// CloseTimeout bounds Close of the Streamer, a Consumer or a Producer.
	// Default 20 s. A negative value is ErrInvalid.
	CloseTimeout time.Duration
}

// Streamer is a connection to one backend. All methods may be called
// concurrently. Streamer, Producer and Consumer may gain methods in minor
// releases: decorators and fakes should embed them.
type Streamer interface {
	Producer(ctx context.Context, o ProducerOptions) (Producer, error)
	// Consumer returns when the consumer's position is fixed: with RealTime and
	// Latest it sees every message sent afterwards. Resumable and LoadBalanced
	// commit the first position before Consumer returns, so nothing that is
	// sent while no consumer runs is skipped later.
	Consumer(ctx context.Context, o ConsumerOptions) (Consumer, error)
	// Admin manages streams and groups. Where the backend has no
	// administration, every method is ErrUnsupported.
	Admin() Admin
	// Ping checks that the backend answers. Use it for readiness probes.
	Ping(ctx context.Context) error
	// Shutdown stops the delivery of every consumer, flushes every producer,
	// commits and closes the consumers, then closes the producers and the
	// backend, all within ctx. A message that was acknowledged because its
	// output was stored is therefore committed. A Streamer with producers gives
	// a program that is processing a message 100 ms to send its output and
	// acknowledge it; after that, Send is ErrClosed. When ctx ends, Shutdown
	// closes the rest at once and the error counts the unresolved records
	// (ErrUnknown).
	Shutdown(ctx context.Context) error
	// Close is Shutdown within StreamerOptions.CloseTimeout. It is idempotent.
	Close() error
}
