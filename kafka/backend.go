package kafka

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const scheme = "kafka"

func init() {
	streamer.Register(scheme, func(_ context.Context, u *streamer.URI) (streamer.Backend, streamer.StreamerOptions, error) {
		o, err := u.Options()
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

// Connect connects from code: all that a kafka:// URI can say, c can. It returns when a broker has answered: ErrInvalid for what in c cannot be
// right, as far as the broker's answer tells, ErrDenied for wrong credentials. ctx bounds the call only.
func Connect(ctx context.Context, c Config, o streamer.StreamerOptions) (streamer.Streamer, error) {
	b, err := newBackend(c)
	if err != nil {
		return nil, err
	}
	s, err := streamer.New(b, o)
	if err != nil {
		_ = b.Close(ctx) // opened and never used
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		_ = s.Close() // what did not answer has nothing to add
		return nil, err
	}
	return s, nil
}

// Client is the client that s asks for metadata, positions and administration; false when s is not of this package. It consumes and
// produces nothing. Closing it breaks s.
func Client(s streamer.Streamer) (*kgo.Client, bool) {
	found, _ := streamer.BackendOf(s)
	b, ok := found.(*backend)
	if !ok {
		return nil, false
	}
	return b.cl, true
}

// backend is one connection to a cluster. Each source and each sink has a client of its own beside it.
type backend struct {
	cfg    Config
	common []kgo.Opt
	cl     *kgo.Client
	adm    *kadm.Client

	closing sync.Once
	closed  atomic.Bool
	work    sync.WaitGroup // members that could not be opened and leave their group
}

var _ interface {
	streamer.Backend
	streamer.Admin
	streamer.Pinger
} = (*backend)(nil)

func newBackend(c Config) (*backend, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	b := &backend{cfg: c}
	var err error
	if b.common, err = b.cfg.commonOpts(); err != nil {
		return nil, err
	}
	all := slices.Concat(b.common, []kgo.Opt{kgo.RetryBackoffFn(askAgain)}, b.cfg.Opts, []kgo.Opt{kgo.MetadataMinAge(answersAge)})
	if b.cl, err = kgo.NewClient(all...); err != nil {
		return nil, invalid(err)
	}
	b.adm = kadm.NewClient(b.cl)
	return b, nil
}

func (b *backend) Name() string { return scheme }

// Close closes the backend's own client. Sources and sinks have theirs.
func (b *backend) Close(context.Context) error {
	b.closed.Store(true)
	b.work.Wait()
	b.closing.Do(b.cl.Close)
	return nil
}

// Ping asks for any broker's answer.
func (b *backend) Ping(ctx context.Context) error {
	if b.closed.Load() {
		return streamer.ErrClosed
	}
	bounded, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := b.cl.Ping(bounded); err != nil {
		return b.explain(ctx, b.cfg.suspect(err))
	}
	return nil
}
