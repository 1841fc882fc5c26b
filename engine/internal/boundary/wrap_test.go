package boundary

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

var errOfClient = errors.New("UNKNOWN_TOPIC")

func TestWrapPassesWhatProgramsCompare(t *testing.T) {
	for _, err := range []error{nil, context.Canceled, context.DeadlineExceeded, io.EOF} {
		if got := Wrap("read", "memory", "orders", err); got != err { //nolint:errorlint // the promise is: unwrapped
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestWrapSaysWhereAndWhat(t *testing.T) {
	three := streamer.ShardID(3)
	notFound := fmt.Errorf("%w: create it with create=always", streamer.ErrNotFound)
	timeout := fmt.Errorf("dial: %w", context.DeadlineExceeded)
	for _, tt := range []struct {
		err  error
		want streamer.Error
		text string
	}{
		{streamer.ErrClosed, streamer.Error{Kind: streamer.ErrClosed}, "closed"},
		{errOfClient, streamer.Error{Err: errOfClient}, "UNKNOWN_TOPIC"},
		{notFound, streamer.Error{Kind: streamer.ErrNotFound, Err: notFound}, "not found: create it with create=always"},
		{timeout, streamer.Error{Err: timeout}, "dial: context deadline exceeded"},
		{&streamer.Error{Kind: streamer.ErrTooLarge, Err: errOfClient}, streamer.Error{Kind: streamer.ErrTooLarge, Err: errOfClient}, "too large: UNKNOWN_TOPIC"},
		{&streamer.Error{Err: notFound}, streamer.Error{Kind: streamer.ErrNotFound, Err: notFound}, "not found: create it with create=always"},
		{&streamer.Error{}, streamer.Error{}, ""},
		{&streamer.Error{Shard: &three, Kind: streamer.ErrFenced}, streamer.Error{Shard: &three, Kind: streamer.ErrFenced}, "ownership was lost"},
	} {
		before := fmt.Sprintf("%#v", tt.err)
		got := Wrap("open", "kafka", "orders", tt.err)
		tt.want.Op, tt.want.Backend, tt.want.Stream = "open", "kafka", "orders"
		if e, ok := got.(*streamer.Error); !ok || //nolint:errorlint // the promise is: not wrapped
			!reflect.DeepEqual(*e, tt.want) {
			t.Errorf("%v became %#v, want %#v", tt.err, got, tt.want)
		}
		if fmt.Sprintf("%#v", tt.err) != before {
			t.Errorf("wrap changed %s", before)
		}
		where := "open kafka orders"
		if tt.want.Shard != nil {
			where += " shard 3"
		}
		if tt.text != "" {
			where += ": " + tt.text
		}
		if got.Error() != where {
			t.Errorf("got %q, want %q", got, where)
		}
	}
}

func TestWrapLeavesWhatTheBackendKnowsBetter(t *testing.T) {
	inner := &streamer.Error{Op: "create", Stream: "payments", Kind: streamer.ErrDenied}
	once := Wrap("send", "kafka", "orders", inner)
	if want := "create kafka payments: denied"; once.Error() != want {
		t.Errorf("got %q, want %q", once, want)
	}
	if again := Wrap("flush", "other", "x", once); again.Error() != once.Error() {
		t.Errorf("wrapped twice: %q", again)
	}
}

func TestWrapTakesTheKindOfTheErrorInside(t *testing.T) {
	// What was throttled until its time was over has an unknown outcome.
	inner := &streamer.Error{Kind: streamer.ErrUnknown, Err: streamer.ErrThrottled}
	got := Wrap("flush", "kafka", "", fmt.Errorf("2 records failed, the first: %w", inner))
	if e, ok := errors.AsType[*streamer.Error](got); !ok || !errors.Is(e.Kind, streamer.ErrUnknown) || !errors.Is(got, streamer.ErrThrottled) {
		t.Errorf("got %#v", got)
	}
}

func TestWrapKeepsATransientErrorTransient(t *testing.T) {
	for _, err := range []error{
		driver.Transient(&streamer.Error{Kind: streamer.ErrThrottled}, time.Second),
		driver.Transient(streamer.ErrThrottled, time.Second),
		&streamer.Error{Err: driver.Transient(streamer.ErrThrottled, time.Second)},
		fmt.Errorf("x: %w", driver.Transient(streamer.ErrThrottled, time.Second)),
	} {
		got := Wrap("write", "kinesis", "orders", err)
		if after, ok := RetryAfter(got); !ok || after != time.Second {
			t.Errorf("%v became %v, which is not transient", err, got)
		}
		if e, ok := errors.AsType[*streamer.Error](got); !ok || e.Op != "write" || !errors.Is(e.Kind, streamer.ErrThrottled) {
			t.Errorf("%v became %#v", err, e)
		}
	}
	// A lost connection is no end of input.
	if got := Wrap("read", "redis", "", driver.Transient(io.EOF, 0)); got == io.EOF || got.Error() != "read redis: EOF" { //nolint:errorlint // Messages ends at the bare one
		t.Errorf("got %v", got)
	}
}
