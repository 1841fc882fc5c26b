// Package opening is what the Connect functions of the backends' packages have
// in common.
package opening

import (
	"context"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
)

// New builds a Streamer on the backend that open returns. The backend is closed
// when that fails.
func New(ctx context.Context, o streamer.StreamerOptions, open func() (driver.Backend, error)) (streamer.Streamer, error) {
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
	return s, nil
}

// Connect is New for a backend on a server: it checks that the server answers.
func Connect(ctx context.Context, o streamer.StreamerOptions, open func() (driver.Backend, error)) (streamer.Streamer, error) {
	s, err := New(ctx, o, open)
	if err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		_ = s.Close() // the error of Ping says more
		return nil, err
	}
	return s, nil
}
