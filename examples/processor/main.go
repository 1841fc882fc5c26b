// Processor reads one stream, upper-cases each value and sends it to another.
// It acknowledges a message when its output is stored, so a crash repeats work
// and never loses any, and a clean stop does neither.
//
//	processor 'file:///tmp/shop.ss/orders?mode=resumable&group=shout' file:///tmp/loud.ss/orders
package main

import (
	"bytes"
	"context"
	"errors"
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
		log.Fatalln("processor:", err)
	}
}

func run(ctx context.Context, args []string, _ io.Writer) (err error) {
	if len(args) != 2 {
		return errors.New("usage: processor SOURCE-URI TARGET-URI")
	}
	source, err := streamer.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	failed := make(chan error, 1) // the first output that was not stored
	defer func() {
		select {
		case notStored := <-failed:
			err = errors.Join(err, notStored)
		default:
		}
	}()
	defer func() { err = errors.Join(err, shutdown(source)) }() // second: commits what is acknowledged
	target, err := streamer.Connect(ctx, args[1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shutdown(target)) }() // first: stores the output, which acknowledges the input

	c, err := source.Consumer(ctx, streamer.ConsumerOptions{Ack: streamer.AckManual})
	if err != nil {
		return err
	}
	p, err := target.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		return err
	}
	return process(ctx, c, p, func(err error) {
		select {
		case failed <- err:
		default: // not the first
		}
	})
}

func process(ctx context.Context, c streamer.Consumer, p streamer.Producer, fail func(error)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sending := context.WithoutCancel(ctx) // what is in hand when the signal comes is still sent
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		r := streamer.Record{Key: m.Key, Value: bytes.ToUpper(m.Value), Headers: m.Headers}
		p.Send(sending, r).OnDone(func(_ streamer.Meta, err error) {
			if err != nil {
				fail(err) // run returns it: Close does not report it again
				stop()
				return
			}
			m.Ack()
		})
	}
	return nil
}

// shutdown flushes, commits and closes. It has its own deadline, because after
// a signal the program's context has ended.
func shutdown(s streamer.Streamer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}
