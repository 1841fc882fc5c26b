package streamer

import (
	"context"

	"github.com/gostreamer/streamer/internal/inside"
)

// Receipt is the outcome of one Send. It may be dropped. The record's payload
// is released when the receipt is resolved. Every method may be called
// concurrently.
type Receipt inside.Outcome[Meta]

// NewReceipt returns an unresolved receipt for a Producer of another package.
// resolve must be called exactly once.
func NewReceipt() (r *Receipt, resolve func(Meta, error)) {
	r = &Receipt{}
	return r, func(m Meta, err error) { r.outcome().Resolve(m, err) }
}

func (r *Receipt) outcome() *inside.Outcome[Meta] { return (*inside.Outcome[Meta])(r) }

// Wait blocks until the record is stored, has failed, or ctx ends. The end of
// ctx does not cancel the record.
func (r *Receipt) Wait(ctx context.Context) (Meta, error) { return r.outcome().Wait(ctx) }

// Done is closed when the record is resolved.
func (r *Receipt) Done() <-chan struct{} { return r.outcome().Done() }

// OnDone calls fn once with the outcome: on the goroutine that resolves the
// receipt, or at once if it is resolved already. It may be called several
// times. fn must not block, and a Send inside it may deadlock on a full buffer.
// Where fn runs on the goroutine that resolves, Flush and Close of a producer,
// and Close and Shutdown of a Streamer, return ErrInvalid and do nothing: they
// would wait for the record that is being resolved.
func (r *Receipt) OnDone(fn func(Meta, error)) { r.outcome().OnDone(fn) }
