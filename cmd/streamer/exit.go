package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gostreamer/streamer"
)

// The exit codes: part of the contract, listed in the help and in docs/cli.md.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitDenied      = 4
	exitBusy        = 5
	exitUnsupported = 6
	exitExists      = 7
	exitSecond      = 130 // what a shell reports for a program that SIGINT killed
)

const description = `Event streams on files, pipes and servers, chosen by URI: file:///data/log.ss/orders, stdio:///orders.

Exit codes:
  0    done, or stopped cleanly by SIGINT, SIGTERM or the end of the pipe it wrote to
  1    failed in a way that has no code of its own
  2    the command line, a URI or an option is wrong
  3    not found: the stream, the group or the shard does not exist
  4    denied: credentials or permissions
  5    busy: another process has the group or the file, or took it over
  6    not supported by the backend
  7    the stream exists already
  130  ended at once by a second SIGINT or SIGTERM`

// usageError is a command line that does not parse.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// outcomes is in the order of precedence. The hint says what to do; "" where
// the error says it.
var outcomes = []struct {
	kind error
	code int
	hint string
}{
	{streamer.ErrInvalid, exitUsage, ""},
	{streamer.ErrNotFound, exitNotFound, "`streamer streams URI` lists what is there; the option create=always makes what is missing"},
	{streamer.ErrDenied, exitDenied, "check the user, the password and what the server or the file system lets them do"},
	{streamer.ErrBusy, exitBusy, "stop the other process, or name another --group"},
	{streamer.ErrFenced, exitBusy, "another process took over and goes on where this one committed"},
	{streamer.ErrUnsupported, exitUnsupported, "docs/semantics.md shows what each backend can do"},
	{streamer.ErrExists, exitExists, ""},
	{streamer.ErrUnknown, exitFailed, "what was sent last may or may not be stored"},
	{streamer.ErrPositionGone, exitFailed, "--reset earliest goes on at the oldest message left"},
}

// outcomeOf is the exit code of err and what to do about it.
func outcomeOf(err error) (code int, hint string) {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage, "`streamer --help` lists the commands, `streamer COMMAND --help` their options"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.kind) {
			return o.code, o.hint
		}
	}
	return exitFailed, ""
}

// report prints err on one line, with a second one that says what to do, and
// returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil || isStop(err) {
		return exitOK
	}
	code, hint := outcomeOf(err)
	fmt.Fprintf(stderr, "streamer: %s\n", oneLine(err.Error()))
	if hint != "" {
		fmt.Fprintf(stderr, "  hint: %s\n", hint)
	}
	return code
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// causeOf is err, or why ctx ended when that is what err says.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}

// isStop says that err is a signal, or that the process that read standard
// output has gone, and no failure.
func isStop(err error) bool {
	_, signalled := errors.AsType[stopped](err)
	return signalled || errors.Is(err, errPipeClosed)
}

// also is the first failure of two, with the second unless the first says it
// already. A stop gives way to a failure.
func also(first, second error) error {
	switch {
	case second == nil:
		return first
	case first == nil || isStop(first):
		return second
	case isStop(second) || errors.Is(first, second) || strings.Contains(first.Error(), second.Error()):
		return first
	}
	return errors.Join(first, second)
}
