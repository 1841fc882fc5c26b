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

// Connect opens a log from code: all that a memory:// URI can say, c can.
// ErrInvalid names the field of c that is out of range. It never blocks; ctx
// bounds the call only.
func Connect(ctx context.Context, c Config, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return opening.New(ctx, o, func() (driver.Backend, error) { return newBackend(c) })
}

// NewBackend is what Connect builds a Streamer on, for code that comes between
// the two or measures what lies above it. The same errors.
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

// Close refuses what is opened later. Sources and sinks that are open stay
// usable until they are closed themselves.
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
