package boundary

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// Wrap is the boundary between a backend and the program. It says where err
// happened and fills only the blanks of an *Error. A Transient error stays one.
// Bare context errors and io.EOF pass, because programs compare them; WrapFor
// is for calls where they may be the client's.
func Wrap(op, backend, stream string, err error) error {
	if err == nil || IsBare(err) {
		return err
	}
	if t, ok := err.(*driver.TransientError); ok { //nolint:errorlint // a mark further down is kept in the cause
		return &driver.TransientError{Err: locate(op, backend, stream, t.Err), After: t.After}
	}
	return locate(op, backend, stream, err)
}

func IsBare(err error) bool {
	return err == context.Canceled || err == context.DeadlineExceeded || err == io.EOF //nolint:errorlint // wrap says why
}

// locate fills the blanks of an *Error on a copy. An *Error that is wrapped in
// more words stays as it is and becomes the cause.
func locate(op, backend, stream string, err error) *streamer.Error {
	e := streamer.Error{Kind: streamer.KindOf(err), Err: err}
	if inner, ok := err.(*streamer.Error); ok { //nolint:errorlint // not one that is wrapped
		e = *inner
		e.Kind = cmp.Or(e.Kind, streamer.KindOf(e.Err))
	} else if err == e.Kind { //nolint:errorlint // the sentinel alone is no cause
		e.Err = nil
	}
	e.Op = cmp.Or(e.Op, op)
	e.Backend = cmp.Or(e.Backend, backend)
	e.Stream = cmp.Or(e.Stream, stream)
	return &e
}

func Invalid(format string, args ...any) error {
	return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf(format, args...)}
}

func Unsupported(format string, args ...any) error {
	return &streamer.Error{Kind: streamer.ErrUnsupported, Err: fmt.Errorf(format, args...)}
}

// RetryAfter says whether err is worth retrying, and how long to wait at least.
func RetryAfter(err error) (after time.Duration, ok bool) {
	t, ok := errors.AsType[*driver.TransientError](err)
	if !ok {
		return 0, false
	}
	return t.After, true
}

// ErrInOnDone is returned by a call that would wait for the record whose OnDone
// it runs in.
var ErrInOnDone = fmt.Errorf("%w inside OnDone: it would wait for the record whose OnDone it is in", streamer.ErrInvalid)

// ErrCloseUnderWay is returned by a Close whose time is over before the first
// Close has ended.
var ErrCloseUnderWay = fmt.Errorf("another Close has not ended: %w", streamer.ErrUnknown)
