package memory_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/memory"
)

func connect(ctx context.Context, c memory.Config) (streamer.Streamer, streamer.Producer) {
	s, err := memory.Connect(ctx, c, streamer.StreamerOptions{
		Consumer: streamer.ConsumerOptions{Streams: []string{"orders"}, AutoReset: streamer.Earliest},
		Producer: streamer.ProducerOptions{Stream: "orders"},
	})
	if err != nil {
		log.Fatal(err)
	}
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	return s, p
}

// A program that takes a URI is tested with one of a log of the test's own.
func Example() {
	ctx := context.Background()
	s, err := streamer.Connect(ctx, "memory://example/orders?reset=earliest")
	if err != nil {
		log.Fatal(err)
	}
	defer memory.Drop("example")
	defer s.Close()

	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	p.Send(ctx, streamer.Record{Value: []byte("one lamp")})
	if err := p.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := c.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s at %v\n", m.Value, m.Seq)
	// Output: one lamp at 0
}

// The second record fails, as a full disk would make it.
func ExampleLog_Inject() {
	ctx := context.Background()
	s, p := connect(ctx, memory.Config{Log: "inject"})
	defer s.Close()

	memory.Open("inject").Inject(memory.Fault{On: memory.Write, Skip: 1, Times: 1, Err: errors.New("disk full")})
	for _, v := range []string{"one lamp", "two desks", "a chair"} {
		p.Send(ctx, streamer.Record{Value: []byte(v)}).OnDone(func(m streamer.Meta, err error) {
			fmt.Printf("%s: %v\n", v, err)
		})
	}
	fmt.Println("flush:", p.Flush(ctx) != nil)
	// Output:
	// one lamp: <nil>
	// two desks: send memory orders: disk full
	// a chair: <nil>
	// flush: true
}

// While the connection is gone Send continues buffering and Next continues
// waiting: a program notices nothing but the delay.
func ExampleLog_Disconnect() {
	ctx := context.Background()
	s, p := connect(ctx, memory.Config{Log: "offline"})
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}

	restore := memory.Open("offline").Disconnect()
	p.Send(ctx, streamer.Record{Value: []byte("one lamp")})
	fmt.Println(errors.Is(s.Ping(ctx), memory.ErrDisconnected))
	restore()

	m, err := c.Next(ctx)
	fmt.Println(string(m.Value), err)
	// Output:
	// true
	// one lamp <nil>
}

// A consumer dies with a message in its hands: another takes over where it had
// committed.
func ExampleLog_Expel() {
	ctx := context.Background()
	s, p := connect(ctx, memory.Config{Log: "death"})
	defer s.Close()
	for _, v := range []string{"one lamp", "two desks"} {
		p.Send(ctx, streamer.Record{Value: []byte(v)})
	}
	work := func(name string) (streamer.Consumer, *streamer.Message) {
		c, err := s.Consumer(ctx, streamer.ConsumerOptions{Mode: streamer.Resumable, Group: "billing", Name: name})
		if err != nil {
			log.Fatal(err)
		}
		m, err := c.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		return c, m
	}

	dying, m := work("a")
	fmt.Printf("a has %s\n", m.Value)
	if err := memory.Open("death").Expel("billing", "a"); err != nil {
		log.Fatal(err)
	}
	_, again := work("b")
	fmt.Printf("b has %s\n", again.Value)
	m.Ack()
	fmt.Println("a may still commit:", !errors.Is(dying.Commit(ctx), streamer.ErrFenced))
	// Output:
	// a has one lamp
	// b has one lamp
	// a may still commit: false
}
