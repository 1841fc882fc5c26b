package streamer

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

var errClient = errors.New("UNKNOWN_TOPIC")

func TestErrUnsupportedIsTheStandardOneAsWell(t *testing.T) {
	err := fmt.Errorf("seek: %w", ErrUnsupported)
	if !errors.Is(err, ErrUnsupported) || !errors.Is(err, errors.ErrUnsupported) {
		t.Error("ErrUnsupported is not errors.ErrUnsupported")
	}
	if errors.Is(fmt.Errorf("chmod: %w", errors.ErrUnsupported), ErrUnsupported) {
		t.Error("errors.ErrUnsupported alone is ErrUnsupported")
	}
}

func TestErrorReadsOpBackendStreamCause(t *testing.T) {
	three := ShardID(3)
	for _, tt := range []struct {
		e    Error
		want string
	}{
		{Error{}, ""},
		{Error{Op: "open"}, "open"},
		{Error{Kind: ErrClosed}, "closed"},
		{Error{Op: "send", Kind: ErrClosed}, "send: closed"},
		{Error{Op: "open", Backend: "kafka", Stream: "orders", Kind: ErrNotFound}, "open kafka orders: not found"},
		{Error{Op: "open", Backend: "kafka", Stream: "orders", Shard: &three, Err: errClient}, "open kafka orders shard 3: UNKNOWN_TOPIC"},
		{Error{Backend: "kafka", Kind: ErrNotFound, Err: errClient}, "kafka: not found: UNKNOWN_TOPIC"},
		{Error{Stream: "orders", Kind: ErrNotFound, Err: fmt.Errorf("%w: create it with create=always", ErrNotFound)}, "orders: not found: create it with create=always"},
		{Error{Op: "open", Kind: ErrInvalid, Err: errors.New("invalid topic")}, "open: invalid topic"},
		{Error{Op: "open", Err: errors.Join(errClient, ErrBusy)}, "open: UNKNOWN_TOPIC; in use by another process"},
	} {
		if got := tt.e.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestErrorUnwrapsToKindAndCause(t *testing.T) {
	for _, tt := range []struct {
		e    Error
		want []error
	}{
		{Error{}, []error{}},
		{Error{Kind: ErrBusy}, []error{ErrBusy}},
		{Error{Err: errClient}, []error{errClient}},
		{Error{Kind: ErrBusy, Err: errClient}, []error{ErrBusy, errClient}},
	} {
		if got := tt.e.Unwrap(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("got %v, want %v", got, tt.want)
		}
	}
}
