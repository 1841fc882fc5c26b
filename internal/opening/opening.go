// Package opening is what the Connect functions of the backends' packages do
// alike.
package opening

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
)

// Connect builds a Streamer on the backend that open returns and checks that
// the backend answers, as streamer.ConnectWith does. What it opened is closed
// when it fails.
func Connect(ctx context.Context, o streamer.StreamerOptions, open func() (driver.Backend, error)) (streamer.Streamer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := open()
	if err != nil {
		return nil, err
	}
	s, err := engine.New(b, o)
	if err != nil {
		_ = b.Close(ctx) // never used
		return nil, err
	}
	if err := s.Ping(ctx); err != nil && !errors.Is(err, streamer.ErrUnsupported) {
		_ = s.Close() // what did not answer has nothing to add
		return nil, err
	}
	return s, nil
}
