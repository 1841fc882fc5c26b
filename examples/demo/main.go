// Demo shows the library's main job with real processes and real crashes:
// orders in a file, workers who share them, one who walks away in the middle,
// one whose process is killed and whose work others take over, and a program
// that is killed and started again. At the end every order is accounted for.
// The exit code is 1 if one is missing.
//
//	demo [-dir DIRECTORY]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	dir := flag.String("dir", "", "keep the orders here (default: a temporary directory, removed at the end)")
	work := flag.Bool("work", false, "be the workers' program, which the demo starts by itself")
	crew := flag.String("crew", "", "with -work: who works in this process")
	leaver := flag.String("leaver", "", "with -work: the worker who walks away")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := func() error {
		if *work {
			return runWorkers(untilClosed(ctx, os.Stdin), *dir, *crew, *leaver, os.Stdout)
		}
		return run(ctx, *dir, os.Stdout)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run tells the story in dir.
func run(ctx context.Context, dir string, stdout io.Writer) error {
	if dir == "" {
		temp, err := os.MkdirTemp("", "streamer-demo")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(temp) }()
		dir = temp
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return (&story{dir: dir, out: stdout, patience: 30 * time.Second}).tell(ctx)
}

// logURI names the log in dir: a file, and in it the stream "orders".
func logURI(dir string) string {
	return "file://" + filepath.ToSlash(filepath.Join(dir, "orders.ss")) + "/orders"
}

// untilClosed ends with ctx or when r is closed: so the workers stop when the
// demo tells them to, and also when it is gone. The goroutine lives as long as
// the process.
func untilClosed(ctx context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, r)
	}()
	return ctx
}
