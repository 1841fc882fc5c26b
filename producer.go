package streamer

import (
	"context"
)

// Producer writes records. Every method may be called from any number of goroutines. Decorators implement it with NewReceipt.
type Producer interface {
	// Send queues r and returns at once; it blocks only while the buffer is full, until ctx ends. ctx does not bound delivery. It never
	// returns nil: every error, also a ctx that has ended (then nothing is sent), ErrClosed, ErrTooLarge and ErrInvalid, is on the receipt. Records of one key
	// sent by one goroutine keep their order, also across retries.
	Send(ctx context.Context, r Record) *Receipt
	// Flush returns when every record sent before it is resolved, whatever others go on sending. A failed record is reported by the first Flush that
	// covers it (by several when they overlap): the error wraps the first failure and counts them. Goroutines that share a producer and need
	// their own outcome ask their receipts.
	Flush(ctx context.Context) error
	// Close refuses new records (ErrClosed), flushes, ends, and reports every
	// failure that the program has not been told of, first one wrapped, with the
	// count: those that no Wait of the receipt returned, no OnDone was called with
	// and no Flush returned. Done tells nothing.
	// What is unresolved at StreamerOptions.CloseTimeout fails with ErrUnknown. Idempotent.
	Close() error
}
