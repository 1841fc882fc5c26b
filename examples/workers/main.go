// Workers starts the members of one group, by default three, which share the
// messages of a stream: each message goes to one of them. Start the program
// several times and, where the backend has groups across processes, all members
// of all processes share.
//
//	workers 'file:///tmp/shop.ss/orders?reset=earliest' 3
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/gostreamer/streamer"
	_ "github.com/gostreamer/streamer/file"
	_ "github.com/gostreamer/streamer/kafka"
	_ "github.com/gostreamer/streamer/memory"
	_ "github.com/gostreamer/streamer/redis"
	_ "github.com/gostreamer/streamer/stdio"
	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		log.Fatalln("workers:", err)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	count := 3
	switch {
	case len(args) == 2:
		if count, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	case len(args) != 1:
		return errors.New("usage: workers URI [COUNT]")
	}
	s, err := streamer.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shutdown(s)) }()

	members := make([]streamer.Consumer, count)
	for i := range members {
		members[i], err = s.Consumer(ctx, streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: "workers"})
		if err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range members {
		g.Go(func() error { return work(ctx, i+1, c, stdout) })
	}
	return g.Wait() // no worker runs any more: now the Streamer may be shut down
}

// work handles what one member is given. When the body returns the message is
// acknowledged; what it does not finish another member gets.
func work(ctx context.Context, id int, c streamer.Consumer, stdout io.Writer) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdout, "worker %d: %s: %s\n", id, m.Key, m.Value); err != nil {
			return err
		}
	}
	return nil
}

// shutdown commits and closes. It has its own deadline, because after a signal
// the program's context has ended.
func shutdown(s streamer.Streamer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}
