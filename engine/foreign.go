package engine

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// foreign is an error of a client's own that is built on an io.EOF or on the
// end of a context of the client's: a program that compares must take it
// neither for the end of its input nor for the end of its context. It reads
// like the error, and is everything else that this is.
type foreign struct{ error }

func (f foreign) Is(target error) bool { return !isBare(target) && errors.Is(f.error, target) }

func (f foreign) As(target any) bool { return errors.As(f.error, target) }

// notOurs makes err foreign where it has to be.
func notOurs(err error) error {
	if !misleads(err) {
		return err
	}
	switch e := err.(type) { //nolint:errorlint // what is wrapped stays inside
	case *streamer.Error:
		inner := *e
		inner.Err = foreign{e.Err}
		return &inner
	case *driver.TransientError:
		return &driver.TransientError{Err: notOurs(e.Err), After: e.After}
	}
	return foreign{err}
}

func misleads(err error) bool { return isContextError(err) || errors.Is(err, io.EOF) }

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// wrapFor is wrap at the end of a call with ctx: only the end of ctx itself is
// a bare error.
func wrapFor(ctx context.Context, op, backend, stream string, err error) error {
	if err == nil {
		return nil
	}
	if ended := endOf(ctx); ended != nil && streamer.KindOf(err) == nil && isContextError(err) {
		return ended
	}
	return wrap(op, backend, stream, notOurs(err))
}

// endOf is ctx.Err. A connection whose deadline is ctx's may notice a moment
// before ctx does.
func endOf(ctx context.Context) error {
	if at, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(at) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}
