// Resumable handles a number of messages, by default five, and stops. The next
// run goes on where this one ended.
//
//	resumable 'file:///tmp/shop.ss/orders?reset=earliest' 5
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		log.Fatalln("resumable:", err)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	count := 5
	switch {
	case len(args) == 2:
		if count, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	case len(args) != 1:
		return errors.New("usage: resumable URI [COUNT]")
	}
	s, err := streamer.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shutdown(s)) }()

	c, err := s.Consumer(ctx, streamer.ConsumerOptions{Mode: streamer.Resumable, Group: "resumable"})
	if err != nil {
		return err
	}
	for range count {
		m, err := c.Next(ctx)
		if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdout, "%s: %s\n", m.Key, m.Value); err != nil {
			return err
		}
		m.Ack() // committed within a second, by Commit, or by shutdown
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
