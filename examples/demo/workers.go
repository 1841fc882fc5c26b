package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"golang.org/x/sync/errgroup"
)

const (
	team      = "anna,ben,carl" // three workers in one process
	loner     = "dora"          // and one in another
	quitter   = "carl"          // who walks away
	group     = "billing"
	holds     = 200              // orders that the leaver takes and does not finish
	workTakes = time.Millisecond // per order
)

// runWorkers is the program that is killed: a crew shares the orders, among
// themselves and with other such programs, until ctx ends. It reports on
// stdout, one line per fact.
func runWorkers(ctx context.Context, dir, crew, leaver string, stdout io.Writer) (err error) {
	s, err := streamer.Connect(ctx, logURI(dir)+"?mode=load-balanced&group="+group+"&reset=earliest&commit=100ms")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }() // commits what is finished
	names := strings.Split(crew, ",")
	members := make([]streamer.Consumer, len(names))
	for i, name := range names {
		if members[i], err = s.Consumer(ctx, streamer.ConsumerOptions{Name: name}); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range members {
		w := worker{names[i], c, stdout}
		if w.name == leaver {
			g.Go(func() error { return w.walkAway(ctx) })
			continue
		}
		g.Go(func() error { return w.work(ctx) })
	}
	return g.Wait()
}

type worker struct {
	name     string
	consumer streamer.Consumer
	report   io.Writer
}

// work finishes one order after the other. An order counts as finished when the
// body of the loop returns.
func (w worker) work(ctx context.Context) error {
	for m, err := range w.consumer.Messages(ctx) {
		if err != nil {
			return err
		}
		o, err := parseOrder(m)
		if err != nil {
			return err
		}
		if err := w.say(fact{what: got, id: o.ID}); err != nil {
			return err
		}
		time.Sleep(workTakes) // stands for the call that charges the customer
		if err := w.say(fact{what: finished, id: o.ID, cents: o.Cents}); err != nil {
			return err
		}
	}
	return nil
}

// walkAway takes orders, finishes none of them and closes its consumer.
func (w worker) walkAway(ctx context.Context) error {
	for range holds {
		m, err := w.consumer.Next(ctx)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := parseOrder(m)
		if err != nil {
			return err
		}
		if err := w.say(fact{what: got, id: o.ID}); err != nil {
			return err
		}
	}
	if err := w.say(fact{what: left}); err != nil {
		return err
	}
	return w.consumer.Close()
}

// say reports a fact in one write, which outlives the process.
func (w worker) say(f fact) error {
	f.who = w.name
	_, err := fmt.Fprintln(w.report, f)
	return err
}
