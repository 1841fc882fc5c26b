package streamer

import (
	"context"
	"log/slog"
	"time"
)

// StreamerOptions are the defaults of a Streamer's children. The zero value is usable.
type StreamerOptions struct {
	Consumer ConsumerOptions // fields a caller leaves zero come from here, then from the default
	Producer ProducerOptions
	Logger   *slog.Logger // state changes only, never per message. nil: warnings alone (connection lost, shard stalled, entry skipped) to slog.Default
	Hooks    Hooks

	CloseTimeout time.Duration // for Close of the Streamer, a Consumer or a Producer; default 20 s; negative: ErrInvalid
}

// Streamer is a connection to one backend. All methods may be called concurrently. Streamer, Producer and Consumer may gain methods in
// minor releases: decorators and fakes embed them.
type Streamer interface {
	Producer(ctx context.Context, o ProducerOptions) (Producer, error)
	// Consumer returns when the consumer's position is fixed: RealTime with Latest sees every message sent afterwards. Resumable and
	// LoadBalanced commit the first position before it returns, so nothing sent while nobody runs is skipped later.
	Consumer(ctx context.Context, o ConsumerOptions) (Consumer, error)
	// Admin manages streams and groups; where the backend has nothing of it every method is ErrUnsupported.
	Admin() Admin
	// Ping asks the backend whether it answers: for readiness probes.
	Ping(ctx context.Context) error
	// Shutdown stops the delivery of every consumer, flushes every producer, commits and closes the consumers, closes the producers and the
	// backend, within ctx. So a message acknowledged when its output was stored is committed. A Streamer with producers gives a program that is in
	// the middle of a message 100 ms to send its output and acknowledge it; then Send is ErrClosed. At the end of ctx the rest is closed
	// hard and the error counts what is unresolved (ErrUnknown).
	Shutdown(ctx context.Context) error
	// Close is Shutdown within StreamerOptions.CloseTimeout. Idempotent.
	Close() error
}
