package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gostreamer/streamer"
)

const (
	howMany = 12_000 // orders
	crashAt = howMany * 6 / 10
)

// story is one run of the demo.
type story struct {
	dir      string
	out      io.Writer
	patience time.Duration // without news from the workers
	orders   []order
	before   shift // until the crash
	after    shift // from the second start
}

func (s *story) say(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }

func (s *story) tell(ctx context.Context) error {
	s.say("Orders in a file, three workers, one crash: is any order lost?")
	if err := s.write(ctx); err != nil {
		return err
	}
	if err := s.workUntilTheCrash(ctx); err != nil {
		return err
	}
	committed, err := s.committed(ctx)
	if err != nil {
		return err
	}
	s.tellOfTheCrash(committed)
	if err := s.workToTheEnd(ctx); err != nil {
		return err
	}
	a := settle(s.orders, s.before, s.after, committed)
	s.tellAccounts(a)
	return a.fault()
}

// write stores the orders and shows the first ones.
func (s *story) write(ctx context.Context) error {
	s.say("\n1. A shop writes %s orders into the file orders.ss.", thousands(howMany))
	s.orders = newOrders(howMany)
	began := time.Now()
	size, err := writeOrders(ctx, s.dir, s.orders)
	if err != nil {
		return err
	}
	for _, o := range s.orders[:3] {
		s.say("     order %d   %-12s %-8s %9s", o.ID, o.Customer, o.Item, euros(o.Cents))
	}
	s.say("     ...")
	s.say("     %s orders stored, %.1f MB, in %v", thousands(howMany), float64(size)/1e6, time.Since(began).Round(time.Millisecond))
	return nil
}

// workUntilTheCrash starts the workers and kills their program when most of the orders are finished and the leaver's are taken over.
func (s *story) workUntilTheCrash(ctx context.Context) error {
	leaver := names[len(names)-1]
	s.say("\n2. Three workers share the orders. Each order goes to one of them.")
	s.say("   %s takes %d orders, finishes none of them and walks away.", title(leaver), holds)
	p, err := start(ctx, s.dir, leaver)
	if err != nil {
		return err
	}
	held := func() int { return holds - len(s.takenOver(leaver)) }
	err = s.listen(ctx, p, &s.before, func(f fact) bool {
		if f.what == left {
			s.say("     %s has left", title(leaver))
		}
		return len(s.before)%100 == 0 && s.before.finished() >= crashAt && held() == 0
	})
	rest, killed := p.kill()
	s.before = append(s.before, rest...)
	if err := errors.Join(err, killed); err != nil {
		return err
	}
	s.tellShares(s.before)
	over := s.takenOver(leaver)
	s.say("     %s's %d orders: %d were given to the others, %d are missing", title(leaver), holds, len(over), held())
	return nil
}

// takenOver are the orders that the leaver held and another worker was handed later.
func (s *story) takenOver(leaver string) map[int]bool {
	over := map[int]bool{}
	theirs := s.before.orders(got, leaver)
	for _, f := range s.before {
		if f.what == got && f.who != leaver && theirs[f.id] {
			over[f.id] = true
		}
	}
	return over
}

// committed asks the log how many orders the group has noted as done.
func (s *story) committed(ctx context.Context) (n int, err error) {
	conn, err := streamer.Connect(ctx, logURI(s.dir))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	groups, err := conn.Admin().Groups(ctx, "orders")
	if err != nil {
		return 0, err
	}
	for _, g := range groups {
		if g.Name == group && len(g.Lag) == 1 {
			return howMany - int(g.Lag[0].Messages), nil
		}
	}
	return 0, fmt.Errorf("the log knows no position of the group %q", group)
}

// workToTheEnd starts the workers again and stops them when every order is finished, or nothing more comes.
func (s *story) workToTheEnd(ctx context.Context) error {
	s.say("\n4. The program is started again.")
	p, err := start(ctx, s.dir, "")
	if err != nil {
		return err
	}
	done := s.before.orders(finished)
	err = s.listen(ctx, p, &s.after, func(f fact) bool {
		if f.what == finished {
			done[f.id] = true
		}
		return len(done) == howMany
	})
	if err != nil && !errors.Is(err, errSilent) {
		_, _ = p.kill()
		return err
	}
	rest, err := p.finish()
	s.after = append(s.after, rest...)
	s.tellShares(s.after)
	return err
}

// errSilent: the workers say nothing any more.
var errSilent = errors.New("the workers say nothing any more")

// listen collects what the workers say until enough says so.
func (s *story) listen(ctx context.Context, p *program, into *shift, enough func(fact) bool) error {
	silence := time.NewTimer(s.patience)
	defer silence.Stop()
	for {
		select {
		case f, ok := <-p.facts:
			if !ok {
				return errors.Join(errors.New("the workers' program has ended by itself"), p.err)
			}
			*into = append(*into, f)
			if enough(f) {
				return nil
			}
			silence.Reset(s.patience)
		case <-silence.C:
			return errSilent
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
