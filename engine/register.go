package engine

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/options"
)

// OpenFunc opens a backend for a parsed URI. The options that it returns are
// those of the URI: driver.Options.
type OpenFunc func(ctx context.Context, u *streamer.URI) (driver.Backend, streamer.StreamerOptions, error)

// Register makes a scheme, in lower case, known to streamer.Connect. It panics
// under the conditions of streamer.Register. Call it from init.
func Register(scheme string, open OpenFunc) {
	if open == nil {
		panic("streamer: Register of scheme " + scheme + " without a function")
	}
	streamer.Register(scheme, func(ctx context.Context, u *streamer.URI, o streamer.StreamerOptions) (streamer.Streamer, error) {
		s, err := connect(ctx, u, o, open)
		return s, boundary.WrapFor(ctx, "connect", u.Scheme, "", err)
	})
}

func connect(ctx context.Context, u *streamer.URI, o streamer.StreamerOptions, open OpenFunc) (streamer.Streamer, error) {
	b, fromURI, err := open(ctx, u)
	if err != nil {
		return nil, err
	}
	s, err := New(b, options.Merge(fromURI, o))
	if err != nil {
		_ = b.Close(ctx) // opened and never used
		return nil, err
	}
	if err := s.Ping(ctx); err != nil && !errors.Is(err, streamer.ErrUnsupported) {
		_ = s.Close() // what did not answer has nothing to add
		return nil, err
	}
	return s, nil
}
