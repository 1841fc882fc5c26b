// Producer sends a number of orders, by default ten, each with its customer as
// the key.
//
//	producer file:///tmp/shop.ss/orders 10
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
		log.Fatalln("producer:", err)
	}
}

func run(ctx context.Context, args []string, _ io.Writer) (err error) {
	count := 10
	switch {
	case len(args) == 2:
		if count, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	case len(args) != 1:
		return errors.New("usage: producer URI [COUNT]")
	}
	s, err := streamer.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shutdown(s)) }()

	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		return err
	}
	customers := []string{"alice", "bob", "carol"}
	for i := range count {
		if ctx.Err() != nil {
			break
		}
		p.Send(ctx, streamer.Record{ // the receipt may be dropped: Shutdown reports what failed
			Key:   []byte(customers[i%len(customers)]),
			Value: fmt.Appendf(nil, "order %d", i+1),
		})
	}
	return nil
}

// shutdown flushes and closes. It has its own deadline, because after a signal
// the program's context has ended.
func shutdown(s streamer.Streamer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}
