package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/alecthomas/kong"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/ndjson"
)

type consumeCmd struct {
	URI      string `arg:"" name:"uri" help:"The streams, such as file:///data/log.ss/orders."`
	Output   string `short:"o" enum:"text,json" default:"text" help:"text: one value per line. json: one JSON object per line, with key, headers, time, stream, shard and number."`
	Count    int64  `short:"n" default:"-1" placeholder:"N" help:"Stop after N messages."`
	UntilEnd bool   `help:"Stop at the end as it is now. Reads from the beginning where neither start nor reset is set."`
	uriFlags

	Options kong.Plugins `embed:""`
	flags   *optionFlags
}

func (c *consumeCmd) init() {
	c.flags = newConsumerFlags()
	c.Options = c.flags.plugins()
}

// Help is printed below the one line that the list of commands shows.
func (c *consumeCmd) Help() string {
	return "Without options it prints the messages that arrive from now on and keeps no position. With a group, or mode=resumable, a message is acknowledged " +
		"when its line was written to standard output, so unwritten messages are redelivered. With ack=manual nothing is acknowledged."
}

func (c *consumeCmd) Run(ctx context.Context, e *env) error {
	ctx, stop := e.watchOutput(ctx)
	defer stop()
	inURI, err := consumerOptions(c.URI)
	if err != nil {
		return err
	}
	var given streamer.StreamerOptions
	if err := c.flags.apply(&given); err != nil {
		return err
	}
	// Every other policy acknowledges elsewhere, or not at all.
	policy := cmp.Or(given.Consumer.Ack, inURI.Ack, streamer.AckOnReturn)
	p := &printer{meter: e.meter, out: bufio.NewWriterSize(e.out, 64<<10), json: c.Output == "json", acks: policy == streamer.AckOnReturn}
	s, err := e.connect(ctx, c.in(c.URI), p.acked.hooks())
	if err != nil {
		return e.finish(ctx, err)
	}
	err = e.finish(ctx, c.print(ctx, s, inURI, given.Consumer, p), s)
	e.conclude("consume", err, p.summary(), false)
	return err
}

func (c *consumeCmd) open(ctx context.Context, s streamer.Streamer, inURI, o streamer.ConsumerOptions) (streamer.Consumer, error) {
	if c.UntilEnd {
		return openFromBeginning(ctx, s, inURI, o)
	}
	return s.Consumer(ctx, o)
}

func (c *consumeCmd) print(ctx context.Context, s streamer.Streamer, inURI, o streamer.ConsumerOptions, p *printer) error {
	in, err := c.open(ctx, s, inURI, o)
	if err != nil {
		return err
	}
	err = causeOf(ctx, c.printAll(ctx, s, in, p))
	return also(err, p.acked.close(in))
}

func (c *consumeCmd) printAll(ctx context.Context, s streamer.Streamer, in streamer.Consumer, p *printer) (err error) {
	t := &intake{from: in, meter: p.meter, left: c.Count}
	if c.UntilEnd {
		if t.until, err = newBound(ctx, s, in, p.meter); err != nil {
			return err
		}
	}
	if end := p.meter.end.Load(); c.Count > 0 && (end == 0 || end > c.Count) {
		p.meter.end.Store(c.Count)
	}
	for {
		batch, err := t.next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.print(batch); err != nil {
			return err
		}
	}
}

// printer writes messages to standard output and acknowledges them.
type printer struct {
	meter *meter
	out   *bufio.Writer
	json  bool
	acks  bool // acknowledge what is written

	acked acknowledged
	buf   []byte
}

// print writes batch, and acknowledges it when all of it is written.
func (p *printer) print(batch []*streamer.Message) error {
	for _, m := range batch {
		if _, err := p.out.Write(p.line(m)); err != nil {
			return err
		}
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	for _, m := range batch {
		p.meter.add(len(m.Key) + len(m.Value))
		if p.acks {
			p.acked.ack(m)
		}
	}
	return nil
}

// line is valid until the next call.
func (p *printer) line(m *streamer.Message) []byte {
	if p.json {
		l := ndjson.Of(m)
		p.buf = ndjson.Append(p.buf[:0], &l)
	} else {
		p.buf = append(p.buf[:0], m.Value...)
	}
	p.buf = append(p.buf, '\n')
	return p.buf
}

// summary is what was done, for a user who stopped it.
func (p *printer) summary() string {
	return p.meter.total() + " printed" + p.acked.summary()
}
