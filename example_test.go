package streamer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	_ "github.com/gostreamer/streamer/memory"
)

// send puts values into the stream "orders" of the memory log with the given
// name: what the examples below read.
func send(ctx context.Context, name string, values ...string) {
	s, err := streamer.Connect(ctx, "memory://"+name+"/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range values {
		p.Send(ctx, streamer.Record{Value: []byte(v)})
	}
	if err := p.Flush(ctx); err != nil {
		log.Fatal(err)
	}
}

// A program is written once; the URI says which backend it runs on.
func ExampleConnect() {
	ctx := context.Background()
	s, err := streamer.Connect(ctx, "memory://shop/orders?start=beginning")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	p.Send(ctx, streamer.Record{Key: []byte("alice"), Value: []byte("one lamp")})
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
	fmt.Printf("%s orders %s\n", m.Key, m.Value)
	// Output: alice orders one lamp
}

// An unknown option is refused with a list of the known ones.
func ExampleConnect_unknownOption() {
	_, err := streamer.Connect(context.Background(), "memory://shop/orders?strat=beginning")
	fmt.Println(errors.Is(err, streamer.ErrInvalid))
	// Output: true
}

// What the URI leaves open comes from code.
func ExampleConnectWith() {
	ctx := context.Background()
	send(ctx, "with", "one lamp", "two desks")
	s, err := streamer.ConnectWith(ctx, "memory://with/orders", streamer.StreamerOptions{
		Consumer: streamer.ConsumerOptions{Start: streamer.Beginning()},
		Hooks: streamer.Hooks{
			Fetched: func(e streamer.FetchEvent) { fmt.Println("fetched from", e.Stream) },
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := c.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", m.Value)
	// Output:
	// fetched from orders
	// one lamp
}

// When the body of the loop returns, the message is acknowledged. After break,
// return or a panic it is not, and the message is redelivered.
func ExampleConsumer_Messages() {
	ctx := context.Background()
	send(ctx, "messages", "one lamp", "two desks", "three chairs")
	s, err := streamer.Connect(ctx, "memory://messages/orders?mode=resumable&group=billing&reset=earliest")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	for run := range 2 {
		c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
		if err != nil {
			log.Fatal(err)
		}
		for m, err := range c.Messages(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("run %d: %s\n", run+1, m.Value)
			if string(m.Value) != "one lamp" {
				break // not acknowledged
			}
		}
		if err := c.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// run 1: one lamp
	// run 1: two desks
	// run 2: two desks
}

// A body that passes the message on must acknowledge by itself, when the work
// is done.
func ExampleConsumer_Messages_manual() {
	ctx := context.Background()
	send(ctx, "manual", "one lamp", "two desks", "three chairs")
	s, err := streamer.Connect(ctx, "memory://manual/orders?mode=resumable&group=billing&reset=earliest")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{Ack: streamer.AckManual})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var working, done sync.WaitGroup
	done.Add(3)
	working.Go(func() {
		done.Wait()
		cancel()
	})
	for m, err := range c.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		working.Go(func() {
			defer done.Done()
			m.Ack() // after the work
		})
	}
	working.Wait()
	fmt.Println("all done:", errors.Is(c.Err(), context.Canceled))
	// Output: all done: true
}

// Next never acknowledges: Ack does.
func ExampleConsumer_Next() {
	ctx := context.Background()
	send(ctx, "next", "one lamp", "two desks")
	s, err := streamer.Connect(ctx, "memory://next/orders?mode=resumable&group=billing&reset=earliest")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		m, err := c.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", m.Value)
		m.Ack()
	}
	if err := c.Commit(ctx); err != nil { // else within a second, and on Close
		log.Fatal(err)
	}
	// Output:
	// one lamp
	// two desks
}

// NextBatch takes what is there: one message at least.
func ExampleConsumer_NextBatch() {
	ctx := context.Background()
	send(ctx, "batch", "one lamp", "two desks", "three chairs")
	s, err := streamer.Connect(ctx, "memory://batch/orders?start=beginning")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for stored := 0; stored < 3; {
		batch, err := c.NextBatch(ctx, 100)
		if err != nil {
			log.Fatal(err)
		}
		for _, m := range batch { // one transaction
			fmt.Printf("%s\n", m.Value)
		}
		for _, m := range batch {
			m.Ack()
		}
		stored += len(batch)
	}
	// Output:
	// one lamp
	// two desks
	// three chairs
}

// Stream is a channel, for select.
func ExampleConsumer_Stream() {
	ctx := context.Background()
	send(ctx, "channel", "one lamp", "two desks")
	s, err := streamer.Connect(ctx, "memory://channel/orders?start=beginning")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, quiet := c.Stream(ctx), time.After(time.Minute)
	for range 2 {
		select {
		case m, ok := <-messages:
			if !ok {
				log.Fatal(c.Err())
			}
			fmt.Printf("%s\n", m.Value)
			m.Ack()
		case <-quiet:
			log.Fatal("nothing came")
		}
	}
	// Output:
	// one lamp
	// two desks
}

// After Rewind nothing from before arrives any more.
func ExampleConsumer_Rewind() {
	ctx := context.Background()
	send(ctx, "rewind", "one lamp", "two desks", "three chairs")
	s, err := streamer.Connect(ctx, "memory://rewind/orders?start=beginning")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	first, err := c.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, to := range []streamer.Position{streamer.Beginning(), streamer.At(first.Seq), streamer.After(first.Seq)} {
		if err := c.Rewind(ctx, to); err != nil {
			log.Fatal(err)
		}
		m, err := c.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", m.Value)
	}
	// Output:
	// one lamp
	// one lamp
	// two desks
}

// Seek goes to the first message of that time or later.
func ExampleConsumer_Seek() {
	ctx := context.Background()
	send(ctx, "seek", "one lamp", "two desks")
	s, err := streamer.Connect(ctx, "memory://seek/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{}) // from now on
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Seek(ctx, time.Now().Add(-time.Hour)); err != nil {
		log.Fatal(err)
	}
	m, err := c.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", m.Value)
	// Output: one lamp
}

// Send returns at once; the receipt says where the record is, or why it is not
// stored.
func ExampleProducer_Send() {
	ctx := context.Background()
	s, err := streamer.Connect(ctx, "memory://send/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	receipt := p.Send(ctx, streamer.Record{Key: []byte("alice"), Value: []byte("one lamp")})
	meta, err := receipt.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored in", meta.Stream, "shard", meta.Shard)
	// Output: stored in orders shard 0
}

// A program that reads, works and writes acknowledges its input when its output
// is stored: it loses nothing in a crash, and repeats nothing after a clean
// stop.
func ExampleReceipt_OnDone() {
	ctx := context.Background()
	send(ctx, "ondone", "one lamp", "two desks")
	s, err := streamer.Connect(ctx, "memory://ondone/orders?mode=resumable&group=invoices&reset=earliest&ack=manual")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: "invoices"})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		m, err := c.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		p.Send(ctx, streamer.Record{Key: m.Key, Value: m.Value}).OnDone(func(_ streamer.Meta, err error) {
			if err == nil {
				m.Ack()
			}
		})
	}
	fmt.Println(p.Flush(ctx))
	// Output: <nil>
}

// Shutdown stops delivery, flushes what was sent, commits what is acknowledged
// and closes: in that order.
func ExampleStreamer_Shutdown() {
	ctx, cancel := context.WithCancel(context.Background()) // in a program: signal.NotifyContext
	send(ctx, "shutdown", "one lamp", "two desks", "three chairs")
	s, err := streamer.Connect(ctx, "memory://shutdown/orders?mode=resumable&group=billing&reset=earliest")
	if err != nil {
		log.Fatal(err)
	}
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	var workers sync.WaitGroup
	workers.Go(func() {
		for m, err := range c.Messages(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s\n", m.Value)
			if string(m.Value) == "three chairs" {
				cancel() // the signal
			}
		}
	})
	workers.Wait()

	grace, done := context.WithTimeout(context.Background(), 10*time.Second) // ctx has ended
	defer done()
	fmt.Println("shutdown:", s.Shutdown(grace))
	// Output:
	// one lamp
	// two desks
	// three chairs
	// shutdown: <nil>
}

// Admin asks about streams and groups.
func ExampleStreamer_Admin() {
	ctx := context.Background()
	send(ctx, "admin", "one lamp", "two desks")
	s, err := streamer.Connect(ctx, "memory://admin/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	streams, err := s.Admin().Streams(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	for _, stream := range streams {
		info, err := s.Admin().Describe(ctx, stream)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(info.Name, "shards:", len(info.Shards))
	}
	// Output: orders shards: 1
}

// Each position of a stream that is kept elsewhere, for instance in the
// database that the output goes to, is a Position too.
func ExampleEach() {
	ctx := context.Background()
	send(ctx, "each", "one lamp", "two desks", "three chairs")
	s, err := streamer.Connect(ctx, "memory://each/orders?start=beginning")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := c.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	done := map[streamer.StreamShard]streamer.Position{
		{Stream: m.Stream, Shard: m.Shard}: streamer.After(m.Seq),
	}
	if err := c.Rewind(ctx, streamer.Each(done)); err != nil {
		log.Fatal(err)
	}
	if m, err = c.Next(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", m.Value)
	// Output: two desks
}

// A message for a test of one's own handler needs no backend.
func ExampleNewMessage() {
	acknowledged := false
	m := streamer.NewMessage(streamer.Meta{Stream: "orders"}, []byte("alice"), []byte("one lamp"), nil, func() { acknowledged = true })
	fmt.Println(m.Ack(), acknowledged)
	fmt.Println(m.Ack())
	// Output:
	// true true
	// false
}

// Errors wrap a sentinel, which says what happened whatever the backend is.
func ExampleError() {
	ctx := context.Background()
	s, err := streamer.Connect(ctx, "memory://error/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	_, err = s.Consumer(ctx, streamer.ConsumerOptions{}) // nobody has created the stream
	fmt.Println(errors.Is(err, streamer.ErrNotFound))
	var detail *streamer.Error
	if errors.As(err, &detail) {
		fmt.Println(detail.Op, detail.Backend, detail.Stream)
	}
	// Output:
	// true
	// consumer memory orders
}

// A position inside a shard survives as text.
func ExampleParseSeqNo() {
	seq, err := streamer.ParseSeqNo("1700000000000-0")
	if err != nil {
		log.Fatal(err)
	}
	next, err := streamer.ParseSeqNo("1700000000000-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(seq, seq.Compare(next))
	// Output: 1700000000000-0 -1
}
