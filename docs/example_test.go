package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/memory"
	_ "github.com/gostreamer/streamer/redis"
	"github.com/gostreamer/streamer/stdio"
)

// A handler is tested against a log that misbehaves on command.
func Example_faults() {
	ctx := context.Background()
	disk := errors.New("disk full")
	memory.Open("test").Inject(memory.Fault{On: memory.Write, Times: 1, Err: disk})

	s, err := streamer.Connect(ctx, "memory://test/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer memory.Drop("test")
	defer s.Close()
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	_, first := p.Send(ctx, streamer.Record{Value: []byte("one lamp")}).Wait(ctx)
	_, second := p.Send(ctx, streamer.Record{Value: []byte("two desks")}).Wait(ctx)
	fmt.Println(errors.Is(first, disk), second)
	// Output: true <nil>
}

// While the log is disconnected, calls wait and the engine retries.
func Example_disconnect() {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	s, err := streamer.ConnectWith(ctx, "memory://offline/orders", streamer.StreamerOptions{Logger: quiet})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	restore := memory.Open("offline").Disconnect()
	receipt := p.Send(ctx, streamer.Record{Value: []byte("one lamp")})
	restore()
	_, err = receipt.Wait(ctx)
	fmt.Println(err)
	// Output: <nil>
}

// Any reader and writer can take the place of standard input and output.
func Example_anyReaderAndWriter() {
	ctx := context.Background()
	s, err := stdio.Connect(ctx, stdio.Config{
		In:  strings.NewReader("[2026-01-02T03:04:05 | orders | 7] one lamp\n"),
		Out: os.Stdout,
	}, streamer.StreamerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{Streams: []string{"orders"}})
	if err != nil {
		log.Fatal(err)
	}
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: "copies"})
	if err != nil {
		log.Fatal(err)
	}
	for m, err := range c.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if _, err := p.Send(ctx, streamer.Record{Value: m.Value, Time: m.Time}).Wait(ctx); err != nil {
			log.Fatal(err)
		}
	}
	// Output: [2026-01-02T03:04:05 | copies | 0 | 0] one lamp
}

// What goes wrong with connections is in errors, hooks and the program's
// logger. Nothing writes to standard error.
func Example_unreachableServer() {
	_, err := streamer.Connect(context.Background(), "redis://127.0.0.1:1/orders")
	fmt.Println(err)
	// Output: ping redis: dial tcp 127.0.0.1:1: connect: connection refused (nothing listens there: check the host and the port)
}
