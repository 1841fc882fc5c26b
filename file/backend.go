package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/internal/opening"
)

const scheme = "file"

func init() {
	engine.Register(scheme, func(_ context.Context, u *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
		o, err := driver.Options(u)
		if err != nil {
			return nil, o, err
		}
		c, streams, err := parse(u)
		if err != nil {
			return nil, o, err
		}
		o.Consumer.Streams, o.Producer.Stream = streams, ""
		if len(streams) == 1 && streams[0] != wildcard {
			o.Producer.Stream = streams[0]
		}
		b, err := newBackend(c)
		return b, o, err
	})
}

// Connect opens a log from code: all that a file:// URI can say, c can; its
// streams are named in the options of the consumer or producer, "*" being all
// of them. The log need not exist. ErrInvalid names what is wrong with c,
// ErrUnsupported says that the path is a directory, ErrDenied that it cannot be
// looked at. ctx bounds the call only.
func Connect(ctx context.Context, c Config, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return opening.New(ctx, o, func() (driver.Backend, error) { return newBackend(c) })
}

// backend is one connection to a log.
type backend struct {
	cfg      Config
	location *location
	log      *openLog    // where the location led when it was connected
	index    index       // of the log to which it leads
	made     atomic.Bool // a producer of this connection has opened the log: CreateNew has been obeyed
	closed   atomic.Bool
	release  sync.Once
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
	p, err := logs.acquireLocation(c.Path)
	if err != nil {
		return nil, err
	}
	l, err := logs.acquire(p.path, c.Segment > 0)
	if err != nil {
		logs.releaseLocation(p)
		return nil, err
	}
	if !l.segmented && (c.SegmentAge > 0 || c.RetainBytes > 0 || c.RetainAge > 0 || c.RetainCommitted) {
		logs.release(l)
		logs.releaseLocation(p)
		return nil, invalid(errors.New("segments and retention are for a log in a directory: segment=64MiB makes one"))
	}
	if l.segmented && c.Segment == 0 {
		c.Segment = defaultShare
	}
	return &backend{cfg: c, location: p, log: l, index: newIndex()}, nil
}

func (b *backend) Name() string { return scheme }

// Deals implements driver.Dealer: members of a group meet however many
// Streamers of the process they come from, if these name the log by the same
// path. Those that do not may be led to different logs some day.
func (b *backend) Deals() *driver.Deals { return &b.location.deals }

// current is the log that the path leads to now. It needs a release.
func (b *backend) current() (*openLog, error) {
	l, err := logs.acquire(b.location.path, b.log.segmented)
	if err != nil {
		return nil, err
	}
	if l.segmented != b.log.segmented {
		logs.release(l)
		return nil, fmt.Errorf("%w log: %s is a directory of segments now, and was a file", streamer.ErrInvalid, b.location.path)
	}
	return l, nil
}

// Close refuses what is opened later. Sources and sinks that are open stay
// usable until they are closed themselves.
func (b *backend) Close(context.Context) error {
	b.closed.Store(true)
	b.release.Do(func() {
		logs.release(b.log)
		logs.releaseLocation(b.location)
	})
	return nil
}

// Ping implements driver.Pinger: the log can be read, or it does not exist
// and its directory does.
func (b *backend) Ping(ctx context.Context) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	l, err := b.current()
	if err != nil {
		return err
	}
	defer logs.release(l)
	f, err := disk.OpenPlain(l.path, os.O_RDONLY)
	if err == nil {
		return f.Close()
	}
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(l.path))
	}
	return disk.Translate(err)
}

// enter is the beginning of every call.
func (b *backend) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.closed.Load() {
		return streamer.ErrClosed
	}
	return nil
}

// writeConfig is the configuration of another producer.
func (b *backend) writeConfig() *Config {
	c := b.cfg
	if c.Create == streamer.CreateNew && b.made.Load() {
		c.Create = streamer.CreateNever
	}
	return &c
}
