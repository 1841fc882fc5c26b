package redis

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/internal/opening"
	"github.com/redis/go-redis/v9"
)

func init() {
	redis.SetLogger(clientLog{}) // the client has one logger for the whole program, which writes to standard error
	engine.Register(scheme, open)
	engine.Register(secureScheme, open)
	engine.Register(socketScheme, open)
}

// open is the schemes' OpenFunc. Nothing is dialled: Connect pings.
func open(_ context.Context, u *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
	if u.Scheme == socketScheme {
		var err error
		if u, err = onSocket(u); err != nil {
			return nil, streamer.StreamerOptions{}, err
		}
	}
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
}

// Connect connects to a server from code. c can say everything that a redis://
// URI can. It returns when the server has answered. ErrInvalid names the field
// of c that is wrong; ErrDenied means a wrong user or password. ctx bounds the
// call only.
func Connect(ctx context.Context, c Config, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return opening.Connect(ctx, o, func() (driver.Backend, error) { return newBackend(c) })
}

// Client is the client behind s, also through decorators that engine.BackendOf
// sees through; false when s is not of this package. It is closed with s,
// unless it was Config.Client.
func Client(s streamer.Streamer) (redis.UniversalClient, bool) {
	found, _ := engine.BackendOf(s)
	b, ok := found.(*backend)
	if !ok {
		return nil, false
	}
	return b.client, true
}

// backend is one client of a server, a cluster, or what sentinels watch.
type backend struct {
	cfg    Config
	client redis.UniversalClient
	met    bool // it is known what the address leads to
	closed atomic.Bool
	acks   sync.Pool // of *ackArgs: they are as large as what they acknowledge
}

var _ interface {
	driver.Backend
	streamer.Admin
	driver.Pinger
} = (*backend)(nil)

func newBackend(c Config) (*backend, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	return &backend{cfg: c, client: newClient(&c)}, nil
}

func (b *backend) Name() string { return scheme }

// Close implements driver.Backend. Sources and sinks are closed before it.
func (b *backend) Close(context.Context) error {
	if b.closed.Swap(true) || b.cfg.Client != nil {
		return nil
	}
	return b.client.Close()
}

// enter is the beginning of every call but those of sources and sinks.
func (b *backend) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.closed.Load() {
		return streamer.ErrClosed
	}
	return nil
}

// failed is why a call failed, which may be that the backend was closed under
// it.
func (b *backend) failed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil && b.closed.Load() {
		return streamer.ErrClosed
	}
	return bare(ctx, err)
}

// cluster is the client of a cluster; ok is false for one server.
func (b *backend) cluster() (c *redis.ClusterClient, ok bool) {
	c, ok = b.client.(*redis.ClusterClient)
	return c, ok
}
