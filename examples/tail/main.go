// Tail follows a stream from now on, and reports every ten seconds how much
// came.
//
//	tail file:///tmp/shop.ss/orders
//	tail 'file:///tmp/shop.ss/orders?start=-1h'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
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
		log.Fatalln("tail:", err)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("usage: tail URI")
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
	log.Println("following: what is sent from now on arrives")
	return follow(ctx, c, stdout)
}

func follow(ctx context.Context, c streamer.Consumer, stdout io.Writer) error {
	messages, report, seen := c.Stream(ctx), time.Tick(10*time.Second), 0
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				return ended(c.Err())
			}
			seen++
			if _, err := fmt.Fprintf(stdout, "%s: %s\n", m.Key, m.Value); err != nil {
				return err
			}
		case <-report:
			log.Printf("%d messages so far", seen)
		}
	}
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
