package conformance

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
)

// errand is what a child process does: it opens a consumer, takes messages one
// after the other, says what it got, and then holds still until it is killed.
type errand struct {
	URI     string
	Stream  string
	Produce bool // open a producer and send one record instead

	Mode        streamer.ConsumerMode
	Group       string
	Reset       streamer.AutoReset // default Earliest
	Policy      streamer.AckPolicy // default AckManual
	CommitEvery string             // default never

	Way         string // how messages are taken, default "next"
	Take        int    // how many
	Ack         int    // how many of the first are acknowledged, each in its body
	Commit      int    // in the body of which message Commit is called, counted from 1
	RewindTo    int    // to which message it moves after the last, counted from 1
	AwaitCommit bool   // wait for a commit that nothing asked for
}

// run does the errand and reports on out, a line for each event.
func (e errand) run(out io.Writer) error {
	ctx := context.Background()
	var commits atomic.Int64
	hooks := streamer.Hooks{Committed: func(c streamer.CommitEvent) {
		if c.Err == nil {
			commits.Add(1)
		}
	}}
	s, err := streamer.ConnectWith(ctx, e.URI, streamer.StreamerOptions{Hooks: hooks})
	if err != nil {
		return err
	}
	if e.Produce {
		return e.produce(ctx, s)
	}
	o, err := e.options()
	if err != nil {
		return err
	}
	c, err := s.Consumer(ctx, o)
	if err != nil {
		return err
	}
	return e.consume(ctx, c, &commits, out)
}

func (e errand) options() (streamer.ConsumerOptions, error) {
	o := streamer.ConsumerOptions{
		Streams: []string{e.Stream}, Mode: e.Mode, Group: e.Group, AutoReset: e.Reset, Ack: e.Policy, CommitEvery: streamer.Never,
	}
	if o.AutoReset == 0 {
		o.AutoReset = streamer.Earliest
	}
	if o.Ack == 0 {
		o.Ack = streamer.AckManual
	}
	if o.Ack == streamer.AckDelayed {
		o.AckDelay = time.Hour
	}
	var err error
	if e.CommitEvery != "" {
		o.CommitEvery, err = time.ParseDuration(e.CommitEvery)
	}
	return o, err
}

func (e errand) produce(ctx context.Context, s streamer.Streamer) error {
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: e.Stream})
	if err != nil {
		return err
	}
	_, err = p.Send(ctx, streamer.Record{Value: value(0)}).Wait(ctx)
	return err
}

// consume takes the messages. The last body does not return: it says that all
// is done and holds still.
func (e errand) consume(ctx context.Context, c streamer.Consumer, commits *atomic.Int64, out io.Writer) error {
	if e.Take == 0 {
		return nil
	}
	var failed error
	var taken []*streamer.Message
	loopOver(e.Way)(ctx, c, false, func(m *streamer.Message) bool {
		taken = append(taken, m)
		before := commits.Load()
		if len(taken) <= e.Ack {
			m.Ack()
		}
		fmt.Fprintf(out, "got %d\n", number(m))
		if failed = e.after(ctx, c, taken); failed != nil || len(taken) < e.Take {
			return failed == nil
		}
		for e.AwaitCommit && commits.Load() == before {
			time.Sleep(time.Millisecond)
		}
		hold(out)
		return false
	})
	if failed == nil {
		failed = fmt.Errorf("the loop ended after %d messages: %w", len(taken), c.Err())
	}
	return failed
}

// after does what the errand asks for in the body of the latest message.
func (e errand) after(ctx context.Context, c streamer.Consumer, taken []*streamer.Message) error {
	if len(taken) == e.Commit {
		if err := c.Commit(ctx); err != nil {
			return err
		}
	}
	if len(taken) == e.Take && e.RewindTo > 0 {
		return c.Rewind(ctx, streamer.At(taken[e.RewindTo-1].Seq))
	}
	return nil
}

// hold says that the errand is done and waits for the end of the parent, or for
// SIGKILL.
func hold(out io.Writer) {
	fmt.Fprintln(out, ready)
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}
