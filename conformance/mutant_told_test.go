package conformance_test

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
)

// closeReportsAgain: the Close of a Streamer and of a producer reports failures
// that the program has seen.
func closeReportsAgain(w *world) program {
	broken := writing(func(wr *writer, _ streamer.ProducerOptions) {
		send := wr.send
		wr.send = func(ctx context.Context, r streamer.Record) *streamer.Receipt {
			receipt := send(ctx, r)
			receipt.OnDone(func(_ streamer.Meta, err error) { w.fail(err) })
			return receipt
		}
		closing := wr.close
		wr.close = func() error { return errors.Join(closing(), w.failed()) }
	})
	broken.close = func(s streamer.Streamer) error { return errors.Join(s.Close(), w.failed()) }
	return broken
}

const failureKey = "first failure"

// fail keeps the first failure that is a bad record's.
func (w *world) fail(err error) {
	if !errors.Is(err, streamer.ErrNotFound) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shared[failureKey] == nil {
		w.shared[failureKey] = err
	}
}

func (w *world) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err, _ := w.shared[failureKey].(error)
	return err
}
