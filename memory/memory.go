package memory

import (
	"context"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/internal/opening"
)

const scheme = "memory"

func init() {
	engine.Register(scheme, func(_ context.Context, u *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
		o, err := driver.Options(u)
		if err != nil {
			return nil, o, err
		}
		c, err := parse(u)
		if err != nil {
			return nil, o, err
		}
		b, err := newBackend(c)
		return b, o, err
	})
}

// Connect opens a log from code. c can say everything that a memory:// URI can.
// ErrInvalid names the field of c that is out of range. Connect never blocks.
func Connect(ctx context.Context, c Config, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return opening.New(ctx, o, func() (driver.Backend, error) { return newBackend(c) })
}

// NewBackend returns the backend that Connect builds a Streamer on, for
// decorators and measurements. It returns the same errors.
func NewBackend(c Config) (driver.Backend, error) { return newBackend(c) }

// backend is one connection to a log.
type backend struct {
	cfg    Config
	log    *Log
	closed atomic.Bool
}

var _ interface {
	driver.Backend
	streamer.Admin
	driver.Pinger
	driver.Dealer
} = (*backend)(nil)

func newBackend(c Config) (driver.Backend, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	return &backend{cfg: c, log: Open(c.Log)}, nil
}

func (b *backend) Name() string { return scheme }

// Close refuses new sources and sinks. Open ones stay usable until they are
// closed themselves.
func (b *backend) Close(context.Context) error {
	b.closed.Store(true)
	return nil
}

func (b *backend) Ping(ctx context.Context) error { return b.enter(ctx) }

func (b *backend) Deals() *driver.Deals { return &b.log.deals }

// enter is the beginning of every call that is neither fetch, write nor commit.
// The call concerns streams.
func (b *backend) enter(ctx context.Context, streams ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.closed.Load() {
		return streamer.ErrClosed
	}
	v, err := b.log.faults.strike(ctx, Control, coversStream(streams))
	if err != nil {
		return err
	}
	return v.err()
}
