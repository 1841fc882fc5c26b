// Fanout hands the messages of one consumer to several goroutines over a
// channel, by default four. Each acknowledges what it has done, in whatever
// order; what is committed never passes one that is not done.
//
//	fanout 'file:///tmp/shop.ss/orders?start=beginning' 4
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
		log.Fatalln("fanout:", err)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	count := 4
	switch {
	case len(args) == 2:
		if count, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	case len(args) != 1:
		return errors.New("usage: fanout URI [GOROUTINES]")
	}
	s, err := streamer.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shutdown(s)) }()

	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx) // the first goroutine that fails stops the others
	messages := c.Stream(ctx)
	for range count {
		g.Go(func() error { return work(messages, stdout) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ended(c.Err())
}

func work(messages <-chan *streamer.Message, stdout io.Writer) error {
	for m := range messages {
		if _, err := fmt.Fprintf(stdout, "%s: %s\n", m.Key, m.Value); err != nil {
			return err
		}
		m.Ack()
	}
	return nil
}

// ended turns the two good ends, a signal and the end of finite input, into
// nil.
func ended(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// shutdown commits and closes. It has its own deadline, because after a signal
// the program's context has ended.
func shutdown(s streamer.Streamer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}
