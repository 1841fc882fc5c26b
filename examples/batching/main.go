// Batching stores messages in batches, one write each, and acknowledges a batch
// when it is stored.
//
//	batching 'file:///tmp/shop.ss/orders?start=beginning'
package main

import (
	"bytes"
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
		log.Fatalln("batching:", err)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("usage: batching URI")
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
	for {
		batch, err := c.NextBatch(ctx, 500) // waits for one message and adds what is buffered
		if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := store(stdout, batch); err != nil {
			return err
		}
		for _, m := range batch {
			m.Ack()
		}
	}
}

// store stands for one transaction: all of the batch or nothing.
func store(w io.Writer, batch []*streamer.Message) error {
	var rows bytes.Buffer
	for _, m := range batch {
		fmt.Fprintf(&rows, "%s: %s\n", m.Key, m.Value)
	}
	_, err := w.Write(rows.Bytes())
	return err
}

// shutdown commits and closes. It has its own deadline, because after a signal
// the program's context has ended.
func shutdown(s streamer.Streamer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}
