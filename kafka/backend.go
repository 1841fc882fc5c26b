package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/internal/opening"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const scheme = "kafka"

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
		if err != nil {
			return nil, o, err
		}
		return b, o, nil
	})
}

// Connect connects to a cluster from code. c can say everything that a kafka://
// URI can. It returns when a broker has answered. ErrInvalid names what is
// wrong with c, as far as the broker's answer shows; ErrDenied means wrong
// credentials. ctx bounds the call only.
func Connect(ctx context.Context, c Config, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return opening.Connect(ctx, o, func() (driver.Backend, error) { return newBackend(c) })
}

// Client is the client that s uses for metadata, positions and administration;
// false when s is not of this package. It consumes and produces nothing.
// Closing it breaks s.
func Client(s streamer.Streamer) (*kgo.Client, bool) {
	found, _ := engine.BackendOf(s)
	b, ok := found.(*backend)
	if !ok {
		return nil, false
	}
	return b.cl, true
}

// backend is one connection to a cluster. Each source and each sink has a
// client of its own.
type backend struct {
	cfg    Config
	hosts  *hosts // nil: Config.Opts dial in another way
	common []kgo.Opt
	cl     *kgo.Client
	adm    *kadm.Client

	closing sync.Once
	closed  atomic.Bool
	work    sync.WaitGroup // members that could not be opened and leave their group
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
	t, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	plain := c.plainOpts(t)
	if err := kgo.ValidateOpts(plain...); err != nil { // the clients are given another address
		return nil, invalid(err)
	}
	b := &backend{cfg: c}
	if !b.openBeside(newHosts(c.Brokers, t)) {
		if err := b.open(plain); err != nil {
			return nil, invalid(err)
		}
	}
	b.adm = kadm.NewClient(b.cl)
	return b, nil
}

// openBeside is open with h, unless Config.Opts dial in another way.
func (b *backend) openBeside(h *hosts) bool {
	if b.open(h.opts()) != nil {
		return false
	}
	if !h.serves(b.cl, b.cfg.Opts) {
		b.cl.Close()
		return false
	}
	if d, ok := b.cl.OptValue(kgo.DialTimeout).(time.Duration); ok {
		h.timeout = d
	}
	b.hosts = h
	return true
}

// open makes the backend's own client, which finds its brokers as network says.
func (b *backend) open(network []kgo.Opt) (err error) {
	b.common = slices.Concat(b.cfg.commonOpts(), network)
	all := slices.Concat(b.common, []kgo.Opt{kgo.RetryBackoffFn(askAgain), kgo.RequestTimeoutOverhead(answerWait)}, b.cfg.Opts, []kgo.Opt{kgo.MetadataMinAge(answersAge)})
	b.cl, err = kgo.NewClient(all...)
	return err
}

func (b *backend) Name() string { return scheme }

// Close closes the backend's own client. Sources and sinks have clients of
// their own.
func (b *backend) Close(context.Context) error {
	b.closed.Store(true)
	b.work.Wait()
	b.closing.Do(b.cl.Close)
	return nil
}

// Ping implements driver.Pinger: any broker must answer.
func (b *backend) Ping(ctx context.Context) error {
	if b.closed.Load() {
		return streamer.ErrClosed
	}
	bounded, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	pinged := make(chan error, 1)
	go func() { pinged <- b.cl.Ping(bounded) }() // joined by receiving
	slow := time.NewTimer(suspicious)
	defer slow.Stop()
	select {
	case err := <-pinged:
		if err == nil {
			return nil
		}
		if doubtful(err) {
			if stranger := b.strangers(ctx); stranger != nil {
				return fmt.Errorf("%w (%s)", stranger, err.Error())
			}
		}
		return b.explain(ctx, b.cfg.suspect(err))
	case <-slow.C:
	}
	stranger := b.strangers(bounded)
	if stranger != nil {
		cancel()
	}
	switch err := <-pinged; {
	case err == nil:
		return nil
	case stranger != nil:
		return stranger
	default:
		return b.explain(ctx, b.cfg.suspect(err))
	}
}

// strangers returns why no host answers as a broker, as far as that can be
// found out.
func (b *backend) strangers(ctx context.Context) error {
	if b.hosts == nil || b.closed.Load() || ctx.Err() != nil {
		return nil //nolint:nilerr // it cannot be found out
	}
	return b.hosts.strangers(ctx)
}
