package streamer

import (
	"context"
)

// Receipt is the outcome of one Send. 1 allocation, payload released when resolved. May be dropped.
type Receipt struct{ _ uint32 }

// NewReceipt makes an unresolved receipt for a Producer that is not this package's. resolve must be called exactly once.
func NewReceipt() (r *Receipt, resolve func(Meta, error)) { panic(0) }

// Wait blocks until the record is stored, failed, or ctx ends (which does not cancel the record).
func (r *Receipt) Wait(ctx context.Context) (Meta, error) { panic(0) }

// Done is closed when the record is resolved.
func (r *Receipt) Done() <-chan struct{} { panic(0) }

// OnDone calls fn once with the outcome: on the goroutine that resolves, or here if resolved already. May be called several times. fn must
// not block; a Send inside it may deadlock on a full buffer.
func (r *Receipt) OnDone(fn func(Meta, error)) { panic(0) }
