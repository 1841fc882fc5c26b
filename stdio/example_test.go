package stdio_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/stdio"
)

// A filter: what it reads is any reader's, what it writes goes to standard
// output.
func Example() {
	ctx := context.Background()
	in := strings.NewReader("[orders | 7] one lamp\n[invoices] not for us\n[orders] two desks\nfor everyone\n")
	s, err := stdio.Connect(ctx, stdio.Config{In: in}, streamer.StreamerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{Streams: []string{"orders"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for m, err := range c.Messages(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %v: %s\n", m.Stream, m.Seq, m.Value)
	}
	fmt.Println(c.Err() == io.EOF)
	// Output:
	// orders 7: one lamp
	// orders 8: two desks
	// broadcast 0: for everyone
	// true
}

// The line format has no place for a key: its receipt names the format that
// has.
func ExampleConnect() {
	ctx := context.Background()
	at := time.Date(2024, 5, 6, 7, 8, 9, 500_000_000, time.UTC)
	for _, f := range []stdio.Format{stdio.Line, stdio.JSON} {
		s, err := stdio.Connect(ctx, stdio.Config{Out: os.Stdout, Format: f}, streamer.StreamerOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: "orders"})
		if err != nil {
			fmt.Println(err)
			return
		}
		p.Send(ctx, streamer.Record{Value: []byte("one lamp"), Time: at}).Wait(ctx)
		_, err = p.Send(ctx, streamer.Record{Key: []byte("alice"), Value: []byte("one lamp"), Time: at}).Wait(ctx)
		if err != nil {
			fmt.Println(err)
		}
		s.Close()
	}
	// Output:
	// [2024-05-06T07:08:09.5 | orders | 0 | 0] one lamp
	// send stdio orders: the line format has no place for a key, format=json has: not supported by this backend
	// {"stream":"orders","shard":0,"seq":"1","time":"2024-05-06T07:08:09.5Z","value":"one lamp"}
	// {"stream":"orders","shard":0,"seq":"2","time":"2024-05-06T07:08:09.5Z","key":"alice","value":"one lamp"}
}
