package boundary

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// opaque is an error of a client that wraps io.EOF or the end of a context of
// the client's own. A program that compares must take it neither for the end of
// its input nor for the end of its context. It reads like the error and matches
// everything else that the error does.
type opaque struct{ error }

func (f opaque) Is(target error) bool { return !IsBare(target) && errors.Is(f.error, target) }

func (f opaque) As(target any) bool { return errors.As(f.error, target) }

// Opaque hides the io.EOF and context errors that a client's error wraps.
func Opaque(err error) error {
	if !Misleads(err) {
		return err
	}
	switch e := err.(type) { //nolint:errorlint // what is wrapped stays inside
	case *streamer.Error:
		inner := *e
		inner.Err = opaque{e.Err}
		return &inner
	case *driver.TransientError:
		return &driver.TransientError{Err: Opaque(e.Err), After: e.After}
	}
	return opaque{err}
}

func Misleads(err error) bool { return IsContextError(err) || errors.Is(err, io.EOF) }

func IsContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// WrapFor is Wrap at the end of a call with ctx. Only the end of ctx itself is
// a bare error.
func WrapFor(ctx context.Context, op, backend, stream string, err error) error {
	if err == nil {
		return nil
	}
	if ended := EndOf(ctx); ended != nil && streamer.KindOf(err) == nil && IsContextError(err) {
		return ended
	}
	return Wrap(op, backend, stream, Opaque(err))
}

// EndOf is ctx.Err, a moment earlier: a connection with ctx's deadline may time
// out before ctx ends.
func EndOf(ctx context.Context) error {
	if at, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(at) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}
