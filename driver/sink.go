package driver

import (
	"context"
	"log/slog"
	"time"

	"github.com/gostreamer/streamer"
)

// SinkConfig says where a sink writes. Defaults are applied.
type SinkConfig struct {
	Stream string
	Logger *slog.Logger

	// Linger and DeliveryTimeout are those of ProducerOptions, for an Enqueuer,
	// whose client batches and retries. The engine enforces DeliveryTimeout in
	// any case: it resolves the receipt then, whatever the sink does.
	Linger, DeliveryTimeout time.Duration

	// Retrying reports what the sink, or its client, retries. A nil err reports
	// that op works again.
	Retrying func(op string, err error, after time.Duration)

	// Written is how an Enqueuer reports its client's batches to Hooks.Written.
	// It is nil when that hook is. The engine itself reports the batches of a
	// Writer.
	Written func(streamer.WriteEvent)
}

// Limits bounds one Write (Records, Bytes) and one record (RecordBytes). Bytes
// are those of key, value and headers. Zero means no limit.
type Limits struct{ Records, Bytes, RecordBytes int }

// Sink is an open writer. It also implements exactly one of Writer and
// Enqueuer.
type Sink interface {
	// Limits is called once.
	Limits() Limits
	// Flush makes the sink send what it holds. The engine waits for the
	// receipts.
	Flush(ctx context.Context) error
	Close(ctx context.Context) error
}

// Writer is a Sink that takes batches. There is one Write at a time. It blocks
// while the sink can take no more and may return before its records are
// resolved. p belongs to the engine again when Write returns. An error fails
// those records of p that are not resolved.
type Writer interface {
	Write(ctx context.Context, p []*Pending) error
}

// Enqueuer is a Sink whose client batches by itself (kgo). Enqueue is called
// from any goroutine and must not block; the engine bounds the records that are
// unresolved. A sink that resends failed records holds back later records of
// that shard meanwhile.
type Enqueuer interface {
	Enqueue(p *Pending)
}

// Explainer is optional on an Enqueuer. Why returns what currently keeps its
// client from storing records while it retries, or nil. The engine adds it to
// the errors of records that it gives up on; their kind stays ErrUnknown. It is
// called from any goroutine and must not block.
type Explainer interface {
	Why() error
}
