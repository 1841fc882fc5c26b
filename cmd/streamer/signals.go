package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopped is the cause of a context that a signal ended.
type stopped struct{ signal os.Signal }

func (s stopped) Error() string {
	switch s.signal {
	case os.Interrupt:
		return "stopped by SIGINT"
	case syscall.SIGTERM:
		return "stopped by SIGTERM"
	}
	return "stopped by " + s.signal.String()
}

// sameSignal is how soon after the first a signal is the first once more:
// timeout(1), for one, sends each to the process and to its group.
const sameSignal = 50 * time.Millisecond

// untilSignal returns a context that the first SIGINT or SIGTERM ends with a
// stopped as its cause; the second calls exit with exitSecond. From then on a
// write to a closed pipe is an error and not the end of the process. Its
// goroutine lives as long as the process.
func untilSignal(parent context.Context, exit func(int)) context.Context {
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancelCause(parent)
	go func() {
		cancel(stopped{<-signals})
		first := time.Now()
		for range signals {
			if time.Since(first) > sameSignal {
				exit(exitSecond)
			}
		}
	}()
	return ctx
}
