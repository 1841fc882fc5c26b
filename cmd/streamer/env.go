package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/gostreamer/streamer"
)

// env is what a command works with.
type env struct {
	in             io.Reader
	stdout         io.Writer // as run was given it
	out            io.Writer // standard output to print to; a broken pipe is errPipeClosed
	err            *screen
	meter          *meter
	quiet, verbose bool
	concluded      bool // the command has said what it did
}

// startProgress shows what command does on a terminal, every interval, from one
// interval on. Its goroutine has ended when stop returns.
func (e *env) startProgress(command string, interval time.Duration) (stop func()) {
	if e.quiet || e.err.tty == nil {
		return func() {}
	}
	done, joined := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(joined)
		e.tick(command, interval, done)
	}()
	return func() {
		close(done)
		<-joined
	}
}

func (e *env) tick(command string, interval time.Duration, done <-chan struct{}) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	defer e.err.show("")
	p := pace{meter: e.meter}
	for {
		select {
		case now := <-ticker.C:
			e.err.show(command + ": " + p.line(now))
		case <-done:
			return
		}
	}
}

// note tells the user something that is not an error.
func (e *env) note(format string, args ...any) {
	if !e.quiet {
		fmt.Fprintf(e.err, "streamer: "+format+"\n", args...)
	}
}

// connect opens uri. hooks see what happens to it.
func (e *env) connect(ctx context.Context, uri string, hooks ...streamer.Hooks) (streamer.Streamer, error) {
	u, err := streamer.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	e.meter.do("waiting for " + u.String())
	log := slog.New(&logHandler{w: e.err, verbose: e.verbose})
	return streamer.ConnectWith(ctx, uri, streamer.StreamerOptions{Logger: log, Hooks: streamer.JoinHooks(hooks...)})
}

// finish closes what a command opened, in order, and returns how the command
// ended: with err, which may be a stop, or with a failure to store or to commit
// what was done before it.
func (e *env) finish(ctx context.Context, err error, opened ...io.Closer) error {
	err = causeOf(ctx, err)
	for _, o := range opened {
		err = also(err, o.Close())
	}
	return err
}

// conclude says what was done: when a signal stopped the command or it failed,
// to a user who asked for it with --verbose and, where interactive, to one at a
// terminal. When the process that read the output has gone there is nothing to
// tell.
func (e *env) conclude(command string, err error, summary string, interactive bool) {
	e.concluded = true
	signal, signalled := errors.AsType[stopped](err)
	switch {
	case signalled:
		e.note("%s: %s: %s", command, signal, summary)
	case errors.Is(err, errPipeClosed):
	case err != nil && e.meter.messages.Load() > 0, e.verbose, interactive && e.err.tty != nil:
		e.note("%s: %s", command, summary)
	}
}

// watchOutput returns a context that ends with errPipeClosed as its cause when
// the process that reads standard output goes. stop joins what it started.
func (e *env) watchOutput(ctx context.Context) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	f := asPipe(e.stdout)
	if f == nil {
		return watched, func() { cancel(nil) }
	}
	unwatch := watchPipe(f, func() { cancel(errPipeClosed) })
	return watched, func() {
		unwatch()
		cancel(nil)
	}
}

// watchTarget is watchOutput when messages for target go to standard output.
func (e *env) watchTarget(ctx context.Context, target string) (watched context.Context, stop func()) {
	if !isStdio(target) {
		return ctx, func() {}
	}
	return e.watchOutput(ctx)
}

// grace is how long what is under way when a command is stopped may take,
// before what it opened is closed.
const grace = 20 * time.Second

// lingering returns a context that ends grace after ctx.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(late, func() { timer.Stop() })
	})
	return late, func() {
		stop()
		cancel()
	}
}
