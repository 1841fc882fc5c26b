package streamer

import (
	"context"
)

// Producer writes records. Every method may be called from any number of
// goroutines. Decorators implement it with NewReceipt.
type Producer interface {
	// Send queues r and returns at once. It blocks only while the buffer is
	// full, until ctx ends; ctx does not bound the delivery. The receipt is
	// never nil and carries every error: ErrClosed, ErrTooLarge, ErrInvalid,
	// and that of a ctx that had ended, in which case nothing is sent. Records
	// of one key that one goroutine sends keep their order, also across
	// retries.
	Send(ctx context.Context, r Record) *Receipt
	// Flush returns when every record sent before it is resolved, whatever
	// other goroutines continue sending. The first Flush that covers a failed
	// record reports it; Flushes that overlap all do. The error wraps the first
	// failure and counts the failures. Goroutines that share a producer and
	// need their own outcome wait for their receipts.
	Flush(ctx context.Context) error
	// Close refuses new records (ErrClosed), flushes, and closes. It returns an
	// error that wraps the first failure and counts all those that the program
	// has not seen: a failure is seen when Wait returned it, OnDone was called
	// with it or Flush returned it; Done does not count. Records that are
	// unresolved at StreamerOptions.CloseTimeout fail with ErrUnknown. Close is
	// idempotent.
	Close() error
}
