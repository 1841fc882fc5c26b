package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
	"github.com/gostreamer/streamer"
)

type relayCmd struct {
	Source   string `arg:"" name:"src" help:"The streams to read, such as file:///data/log.ss/orders."`
	Target   string `arg:"" name:"dst" help:"The stream to write. When it names none, messages keep the names of theirs."`
	UntilEnd bool   `help:"Stop at the end of the source as it is now."`
	Window   int    `default:"10000" placeholder:"N" help:"Messages sent and not yet stored before reading waits (10000)."`
	uriFlags

	ConsumerOptions kong.Plugins `embed:""`
	ProducerOptions kong.Plugins `embed:""`
	consumer        *optionFlags
	producer        *optionFlags
}

func (c *relayCmd) init() {
	c.consumer = newConsumerFlags("ack", "ack_delay") // what the target stored is acknowledged, nothing else
	c.producer = newProducerFlags()
	c.ConsumerOptions, c.ProducerOptions = c.consumer.plugins(), c.producer.plugins()
}

// Help is printed below the one line that the list of commands shows.
func (c *relayCmd) Help() string {
	return "Key, headers and time are kept where the target can keep them; what it cannot keep is reported once. A message is acknowledged when the target has stored it. " +
		"A source that can resume is read with mode=resumable under a group made of this host and the target, unless --mode and --group or the URI say otherwise " +
		"(a group without a mode is load-balanced: relays of one group share the work), " +
		"and from the beginning where no position is committed, unless --start or --reset is given. So a relay resumes where it stopped, also after it was killed; " +
		"messages that were stored and not yet committed are then stored again. --create applies to the target."
}

func (c *relayCmd) Run(ctx context.Context, e *env) error {
	ctx, stop := e.watchTarget(ctx, c.Target)
	defer stop()
	o, err := c.plan()
	if err != nil {
		return err
	}
	f := newForwarder(e, o, c.Window)
	from, err := e.connect(ctx, withOption(c.Source, closeOption, c.CloseTimeout), f.acked.hooks())
	if err != nil {
		return e.finish(ctx, err)
	}
	to, err := e.connect(ctx, c.in(c.Target))
	if err != nil {
		return e.finish(ctx, err, from)
	}
	err = e.finish(ctx, c.copy(ctx, from, to, o, f), from, to)
	e.conclude("relay", err, f.summary(), true)
	return err
}

// copy forwards messages until the source ends, ctx ends or the target fails.
// What was taken is stored, and committed, when it returns.
func (c *relayCmd) copy(ctx context.Context, from, to streamer.Streamer, o *relayOptions, f *forwarder) error {
	in, err := o.consumer(ctx, from)
	if err != nil {
		return err // before the target is made
	}
	if f.to, err = to.Producer(ctx, o.producer); err != nil {
		return err
	}
	err = c.forward(ctx, from, in, f)
	late, cancel := lingering(ctx)
	defer cancel()
	err = also(err, f.drain(late))
	err = also(err, f.acked.close(in))
	return also(err, f.to.Close())
}

func (c *relayCmd) forward(ctx context.Context, from streamer.Streamer, in streamer.Consumer, f *forwarder) (err error) {
	ctx, f.giveUp = context.WithCancelCause(ctx)
	defer f.giveUp(nil)
	late, cancel := lingering(ctx)
	defer cancel()
	t := &intake{from: in, meter: f.meter, left: -1}
	if c.UntilEnd {
		if t.until, err = newBound(ctx, from, in, f.meter); err != nil {
			return err
		}
	}
	for {
		batch, err := t.next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return causeOf(ctx, err)
		}
		for _, m := range batch {
			if err := f.send(late, m); err != nil {
				return err
			}
		}
	}
}

// relayOptions are what relay decides from the flags and the URIs.
type relayOptions struct {
	read     streamer.ConsumerOptions
	inURI    streamer.ConsumerOptions // what the source's URI sets
	implicit bool                     // Resumable is the default, not the user's choice
	producer streamer.ProducerOptions
	named    bool // the target's URI names the stream
	stdout   bool // the target is standard output
}

func (c *relayCmd) plan() (*relayOptions, error) {
	var given streamer.StreamerOptions
	if err := also(c.consumer.apply(&given), c.producer.apply(&given)); err != nil {
		return nil, err
	}
	if c.Window <= 0 {
		return nil, usageError{errors.New("--window: want a number of messages above 0")}
	}
	stream, err := oneStream(c.Target)
	if err != nil {
		return nil, err
	}
	o := &relayOptions{read: given.Consumer, producer: given.Producer, named: stream != "", stdout: isStdio(c.Target)}
	return o, o.resume(c.Source, c.Target)
}

// resume chooses mode and group where neither flag nor URI does.
func (o *relayOptions) resume(source, target string) error {
	from, err := streamer.ParseURI(source)
	if err != nil {
		return err
	}
	to, err := streamer.ParseURI(target)
	if err != nil {
		return err
	}
	if place(from) == place(to) && from.Scheme != "stdio" {
		return usageError{fmt.Errorf("source and target are the same, %s: the relay would read what it writes", place(to))}
	}
	if o.inURI, err = consumerOptions(source); err != nil {
		return err
	}
	o.read.Ack = streamer.AckManual
	grouped := o.read.Group != "" || o.inURI.Group != ""
	if o.read.Mode == 0 && o.inURI.Mode == 0 && !grouped {
		o.read.Mode, o.implicit = streamer.Resumable, true
	}
	if cmp.Or(o.read.Mode, o.inURI.Mode) == streamer.Resumable && !grouped {
		o.read.Group = relayGroup(place(to))
	}
	return nil
}

// consumer opens the source, from where the last relay stopped if it can
// resume.
func (o *relayOptions) consumer(ctx context.Context, s streamer.Streamer) (streamer.Consumer, error) {
	in, err := openFromBeginning(ctx, s, o.inURI, o.read)
	if o.implicit && errors.Is(err, streamer.ErrUnsupported) {
		o.read.Mode, o.read.Group = streamer.RealTime, ""
		return openFromBeginning(ctx, s, o.inURI, o.read)
	}
	return in, err
}

// relayGroup is one group for each target, so that two relays of one source do
// not take each other's place. Where the host has no name that lasts, as in a
// container, the target alone makes it.
func relayGroup(target string) string {
	sum := sha256.Sum256([]byte(target))
	name := "relay-" + hex.EncodeToString(sum[:4])
	if host, err := streamer.DefaultGroup(); err == nil {
		return host + "-" + name
	}
	return name
}
