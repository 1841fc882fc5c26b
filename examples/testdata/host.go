// Host runs the examples as goroutines of one process, for backends whose data
// does not leave the process. The test compiles it together with the examples,
// which an overlay presents as the packages imported below.
//
// stdin: one command per line; stdout: one event per line.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log"
	"os"
	"sync"

	"github.com/gostreamer/streamer/examples/inprocess/batching"
	"github.com/gostreamer/streamer/examples/inprocess/consumer"
	"github.com/gostreamer/streamer/examples/inprocess/fanout"
	"github.com/gostreamer/streamer/examples/inprocess/processor"
	"github.com/gostreamer/streamer/examples/inprocess/producer"
	"github.com/gostreamer/streamer/examples/inprocess/resumable"
	"github.com/gostreamer/streamer/examples/inprocess/tail"
	"github.com/gostreamer/streamer/examples/inprocess/workers"
)

var examples = map[string]func(context.Context, []string, io.Writer) error{
	"batching":  batching.Run,
	"consumer":  consumer.Run,
	"fanout":    fanout.Run,
	"processor": processor.Run,
	"producer":  producer.Run,
	"resumable": resumable.Run,
	"tail":      tail.Run,
	"workers":   workers.Run,
}

// command starts an example, or stops the one with its ID.
type command struct {
	ID      int
	Example string
	Args    []string
	Stop    bool
}

// event is output of an example, a line of the process's log, or an example's
// end.
type event struct {
	ID       int
	Out, Log string
	Ended    bool
	Err      string
}

type host struct {
	mu     sync.Mutex // guards events
	events *json.Encoder
}

func (h *host) emit(e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.events.Encode(e); err != nil {
		panic(err)
	}
}

type writer func(string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}

func (h *host) run(ctx context.Context, c command) {
	err := examples[c.Example](ctx, c.Args, writer(func(s string) { h.emit(event{ID: c.ID, Out: s}) }))
	e := event{ID: c.ID, Ended: true}
	if err != nil {
		e.Err = err.Error()
	}
	h.emit(e)
}

func main() {
	h := &host{events: json.NewEncoder(os.Stdout)}
	log.SetOutput(writer(func(s string) { h.emit(event{Log: s}) }))
	var running sync.WaitGroup
	stop := map[int]context.CancelFunc{}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var c command
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		if c.Stop {
			stop[c.ID]()
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		stop[c.ID] = cancel
		running.Go(func() { h.run(ctx, c) })
	}
	running.Wait()
}
