package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

// misleading are what a client may return: none is the end of the program's
// context, or of its input.
var misleading = map[string]error{
	"bare EOF":      io.EOF,
	"bare deadline": context.DeadlineExceeded,
	"bare cancel":   context.Canceled,
	"wrapped EOF":   fmt.Errorf("read tcp: %w", io.EOF),
	"dial timeout":  &net.OpError{Op: "dial", Err: fmt.Errorf("i/o timeout: %w", context.DeadlineExceeded)},
	"typed":         &streamer.Error{Kind: streamer.ErrThrottled, Err: context.DeadlineExceeded},
	"transient":     driver.Transient(fmt.Errorf("pool: %w", context.Canceled), time.Second),
	"joined":        errors.Join(io.EOF, context.DeadlineExceeded),
}

// checkNotOurs fails unless err is typed, names the operation, and does
// not mislead.
func checkNotOurs(t *testing.T, op string, err error) {
	t.Helper()
	e, ok := errors.AsType[*streamer.Error](err)
	if !ok || e.Op != op || e.Backend == "" {
		t.Errorf("%s: got %v (%T), want an *Error that says where", op, err, err)
	}
	for _, not := range []error{io.EOF, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, not) {
			t.Errorf("%s: %v is %v", op, err, not)
		}
	}
}

func TestAnErrorOfTheClientsIsNeitherTheEndOfInputNorOfTheProgramsContext(t *testing.T) {
	for name, cause := range misleading {
		t.Run(name, func(t *testing.T) {
			b := &failingBackend{err: cause}
			registerBackend(t, "failing", func(context.Context, *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
				return b, streamer.StreamerOptions{}, nil
			})
			ctx := t.Context()
			_, err := streamer.Connect(ctx, "failing://h/s")
			checkNotOurs(t, "ping", err)
			s, err := New(b, streamer.StreamerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			_, err = s.Consumer(ctx, streamer.ConsumerOptions{Streams: []string{"s"}})
			checkNotOurs(t, "consumer", err)
			_, err = s.Producer(ctx, streamer.ProducerOptions{Stream: "s"})
			checkNotOurs(t, "producer", err)
			checkNotOurs(t, "create", s.Admin().Create(ctx, "s", 1))
			checkNotOurs(t, "delete", s.Admin().Delete(ctx, "s"))
			_, err = s.Admin().Describe(ctx, "s")
			checkNotOurs(t, "describe", err)
			_, err = s.Admin().Streams(ctx, "")
			checkNotOurs(t, "streams", err)
			_, err = s.Admin().Groups(ctx, "s")
			checkNotOurs(t, "groups", err)
			checkNotOurs(t, "reset group", s.Admin().ResetGroup(ctx, "s", "g", streamer.Beginning()))
			checkNotOurs(t, "delete group", s.Admin().DeleteGroup(ctx, "s", "g"))
		})
	}
}

func TestTheEndOfTheProgramsContextIsBare(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, stop := context.WithDeadline(t.Context(), time.Now())
	defer stop()
	for _, cause := range []error{context.Canceled, fmt.Errorf("dial: %w", context.DeadlineExceeded)} {
		if err := boundary.WrapFor(cancelled, "open", "redis", "", cause); err != context.Canceled { //nolint:errorlint // the promise is: bare
			t.Errorf("%v became %v", cause, err)
		}
		if err := boundary.WrapFor(late, "open", "redis", "", cause); err != context.DeadlineExceeded { //nolint:errorlint // the promise is: bare
			t.Errorf("%v became %v", cause, err)
		}
	}
}

func TestAForeignErrorIsAllElseThatItWas(t *testing.T) {
	cause := &net.OpError{Op: "dial", Err: fmt.Errorf("%w: %w", os.ErrNotExist, context.Canceled)}
	err := boundary.WrapFor(t.Context(), "open", "redis", "s", cause)
	if op, ok := errors.AsType[*net.OpError](err); !ok || op != cause || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%#v lost what it was", err)
	}
	if want := "open redis s: " + cause.Error(); err.Error() != want {
		t.Errorf("it reads %q, want %q", err, want)
	}
}

func TestAReceiptNeverSaysTheBareErrorOfAClient(t *testing.T) {
	for name, cause := range misleading {
		t.Run(name, func(t *testing.T) {
			inBubble(t, abilities{queues: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				rc := r.send(r.producer(streamer.ProducerOptions{}), "a")[0]
				r.enqueued[0].Resolve(streamer.Meta{}, cause)
				checkNotOurs(t, "send", r.outcome(rc))
				r.enqueued = nil
			})
		})
	}
}

// failingBackend fails every call.
type failingBackend struct{ err error }

func (b *failingBackend) Name() string               { return "failing" }
func (b *failingBackend) Ping(context.Context) error { return b.err }
func (b *failingBackend) OpenSource(context.Context, driver.SourceConfig) (driver.Source, error) {
	return nil, b.err
}
func (b *failingBackend) OpenSink(context.Context, driver.SinkConfig) (driver.Sink, error) {
	return nil, b.err
}
func (b *failingBackend) Close(context.Context) error               { return nil }
func (b *failingBackend) Create(context.Context, string, int) error { return b.err }
func (b *failingBackend) Delete(context.Context, string) error      { return b.err }
func (b *failingBackend) Describe(context.Context, string) (streamer.StreamInfo, error) {
	return streamer.StreamInfo{}, b.err
}
func (b *failingBackend) Streams(context.Context, string) ([]string, error) { return nil, b.err }
func (b *failingBackend) Groups(context.Context, string) ([]streamer.GroupInfo, error) {
	return nil, b.err
}
func (b *failingBackend) ResetGroup(context.Context, string, string, streamer.Position) error {
	return b.err
}
func (b *failingBackend) DeleteGroup(context.Context, string, string) error { return b.err }

func TestACommitNeverSaysTheBareErrorOfAClient(t *testing.T) {
	for name, cause := range misleading {
		if _, again := boundary.RetryAfter(cause); again {
			continue // it is tried again
		}
		t.Run(name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 1)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
				ackAll(r.take(c, 1))
				r.fails("commit", cause)
				checkNotOurs(t, "commit", c.Commit(t.Context()))
			})
		})
	}
}
