package stdio

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/internal/opening"
)

func init() { engine.Register("stdio", open) }

// open is the first door: a URI.
func open(_ context.Context, u *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
	o, err := driver.Options(u)
	if err != nil {
		return nil, o, err
	}
	var c Config
	if err := driver.Bind(u, &c, options); err != nil {
		return nil, o, err
	}
	if err := checkURI(u); err != nil {
		return nil, o, err
	}
	if o.Producer.Stream == everyStream {
		o.Producer.Stream = "" // no record is for every stream
	}
	return newBackend(c), o, nil
}

// Connect opens an input and output from code. If o.Consumer.Streams is empty,
// a consumer that names no stream reads every stream. Connect does no I/O:
// reading begins with the first consumer.
func Connect(ctx context.Context, c Config, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return opening.New(ctx, o, func() (driver.Backend, error) { return newBackend(c), nil })
}

// backend is one Streamer's share of an input and an output.
type backend struct {
	format Format
	in     *input
	out    *output
	closed atomic.Bool
}

var (
	_ driver.Backend   = (*backend)(nil)
	_ driver.Dealer    = (*backend)(nil)
	_ driver.Defaulter = (*backend)(nil)
	_ driver.Fixed     = (*backend)(nil)
	_ driver.Pinger    = (*backend)(nil)
	_ driver.Source    = (*source)(nil)
	_ driver.Sink      = (*sink)(nil)
	_ driver.Writer    = (*sink)(nil)
)

func newBackend(c Config) *backend {
	return &backend{format: c.Format, in: inputOf(c.In), out: outputOf(c.Out)}
}

func (*backend) Name() string { return "stdio" }

// Defaults implements driver.Defaulter: a consumer for which no stream is named
// reads every stream.
func (*backend) Defaults() (o streamer.StreamerOptions) {
	o.Consumer.Streams = []string{everyStream}
	return o
}

// Deals implements driver.Dealer: all members of a group in the process share
// the one standard input.
func (b *backend) Deals() *driver.Deals { return &b.in.deals }

// Ping implements driver.Pinger: a pipe has nothing to check.
func (b *backend) Ping(context.Context) error { return b.open() }

func (b *backend) open() error {
	if b.closed.Load() {
		return streamer.ErrClosed
	}
	return nil
}

// Close leaves In and Out open: they belong to the process or the caller.
func (b *backend) Close(context.Context) error {
	b.closed.Store(true)
	return nil
}

func (b *backend) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	if err := b.open(); err != nil {
		return nil, err
	}
	if err := checkSource(&c, b.format); err != nil {
		return nil, err
	}
	s, err := openSource(ctx, b.in, b.format, c)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// checkSource refuses what needs a position: a pipe has none.
func checkSource(c *driver.SourceConfig, f Format) error {
	switch {
	case c.Mode == streamer.LoadBalanced:
		return driver.ErrNoGroups
	case c.Mode == streamer.Resumable:
		return noPosition("Resumable: use RealTime, or LoadBalanced to share the input in this process")
	case c.Start != streamer.Committed(), c.Fallback != streamer.Committed():
		return noPosition("Start")
	case c.Reset != streamer.Latest && c.Reset != 0:
		return noPosition("AutoReset other than Latest")
	case c.Shards != nil:
		return noPosition("Shards")
	}
	for _, stream := range c.Streams {
		if stream == everyStream {
			continue
		}
		if err := checkStream(stream, f); err != nil {
			return err
		}
	}
	return nil
}

// Fixed implements driver.Fixed.
func (*backend) Fixed() error { return noPosition("Seek, Rewind and Assign") }

func noPosition(what string) error {
	return fmt.Errorf("%w: a pipe is read once, from where it is: no %s", streamer.ErrUnsupported, what)
}

func (b *backend) OpenSink(_ context.Context, c driver.SinkConfig) (driver.Sink, error) {
	if err := b.open(); err != nil {
		return nil, err
	}
	if c.Stream != "" {
		if err := checkStream(c.Stream, b.format); err != nil {
			return nil, err
		}
	}
	return &sink{out: b.out, format: b.format}, nil
}
