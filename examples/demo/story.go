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
	howMany = 12_000           // orders
	joinAt  = howMany * 2 / 10 // finished: then another process joins
	crashAt = howMany * 6 / 10
	alone   = 1_000 // orders that the other process finishes before it is killed
)

// story is one run of the demo.
type story struct {
	dir      string
	out      io.Writer
	patience time.Duration // without news from the workers
	orders   []order
	places   map[int]streamer.Meta // of the orders in the log
	programs []*program
}

func (s *story) say(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }

func (s *story) tell(ctx context.Context) (err error) {
	s.say("Orders in a file, four workers, two crashes: is any order lost?")
	defer func() {
		if err != nil {
			s.end()
		}
	}()
	for _, chapter := range []func(context.Context) error{s.write, s.share, s.loseProcess, s.loseProgram, s.workToTheEnd} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	var stints []stint
	for _, p := range s.programs {
		stints = append(stints, p.did)
	}
	a := settle(s.orders, stints...)
	s.tellAccounts(a)
	return a.fault()
}

// end ends what runs after a failure.
func (s *story) end() {
	for _, p := range s.programs {
		_ = p.kill()
	}
}

// start starts a workers' program.
func (s *story) start(ctx context.Context, crew, leaver string) (*program, error) {
	p, err := start(ctx, s.dir, crew, leaver)
	if err == nil {
		s.programs = append(s.programs, p)
	}
	return p, err
}

// write stores the orders and shows the first ones.
func (s *story) write(ctx context.Context) error {
	s.say("\n1. A shop writes %s orders into the file orders.ss.", thousands(howMany))
	s.orders = newOrders(howMany)
	began := time.Now()
	var err error
	if s.places, err = writeOrders(ctx, s.dir, s.orders); err != nil {
		return err
	}
	took := time.Since(began)
	size, err := sizeOf(s.dir)
	if err != nil {
		return err
	}
	for _, o := range s.orders[:3] {
		s.say("     order %d   %-12s %-8s %9s", o.ID, o.Customer, o.Item, euros(o.Cents))
	}
	s.say("     ...")
	s.say("     %s orders stored in %d shards, %.1f MB, in %v", thousands(howMany), shards, float64(size)/1e6, took.Round(time.Millisecond))
	return nil
}

// share starts three workers in one process, until the quitter's orders are
// taken over.
func (s *story) share(ctx context.Context) error {
	s.say("\n2. Three workers of one program share the orders. Each order goes to one.")
	s.say("   %s takes %d orders, finishes none of them and walks away.", title(quitter), holds)
	p, err := s.start(ctx, team, quitter)
	if err != nil {
		return err
	}
	held := func() int { return holds - len(p.takenOver(quitter)) }
	err = s.listen(ctx, func(_ *program, f fact) bool {
		if f.what == left {
			s.say("     %s has left", title(quitter))
		}
		return len(p.did.shift)%100 == 0 && p.did.finished() >= joinAt && held() == 0
	}, p)
	if err != nil {
		return err
	}
	s.tellShares(team, p.did.shift)
	over := p.takenOver(quitter)
	s.say("     %s's %d orders: %d were given to the others, %d are missing", title(quitter), holds, len(over), held())
	return nil
}

// loseProcess has another process share the orders, and kills it: the first one
// goes on with what it had.
func (s *story) loseProcess(ctx context.Context) error {
	s.say("\n3. %s joins, in a process of her own: she is given %d of the %d shards.", title(loner), shards/2, shards)
	first := s.programs[0]
	p, err := s.start(ctx, loner, "")
	if err != nil {
		return err
	}
	err = s.listen(ctx, func(from *program, f fact) bool { return from == p && f.what == finished && p.did.finished() >= alone }, first, p)
	if err != nil {
		return err
	}
	before, err := noted(ctx, s.dir, s.places) // while she lives: once she is dead others go on, and note
	if err != nil {
		return err
	}
	if err := p.kill(); err != nil {
		return err
	}
	killed := time.Now()
	p.leaves(before)
	hers := map[streamer.ShardID]bool{}
	for id := range p.did.orders(got) {
		hers[s.places[id].Shard] = true
	}
	s.tellShares(loner, p.did.shift)
	s.say("   %s's process is killed (SIGKILL).", title(loner))
	s.tellOfTheCrash(p.did)
	err = s.listen(ctx, func(_ *program, f fact) bool { return f.what == got && hers[s.places[f.id].Shard] }, first)
	s.say("     the others have taken over her %d shards, after %.1f s", len(hers), time.Since(killed).Seconds())
	return err
}

// loseProgram kills the program that is left when most of the orders are
// finished.
func (s *story) loseProgram(ctx context.Context) error {
	first, second := s.programs[0], s.programs[1]
	err := s.listen(ctx, func(*program, fact) bool {
		return len(first.did.shift)%100 == 0 && first.did.finished()+second.did.finished() >= crashAt
	}, first)
	if err != nil {
		return err
	}
	if err := first.kill(); err != nil {
		return err
	}
	done, err := noted(ctx, s.dir, s.places)
	if err != nil {
		return err
	}
	first.leaves(done)
	s.say("\n4. The program is killed (SIGKILL). It gets no chance to save anything.")
	s.tellOfTheCrash(first.did)
	return nil
}

// workToTheEnd starts the workers again and stops them when every order is
// finished, or nothing more comes.
func (s *story) workToTheEnd(ctx context.Context) error {
	s.say("\n5. The program is started again.")
	done := map[int]bool{}
	for _, p := range s.programs {
		for id := range p.did.orders(finished) {
			done[id] = true
		}
	}
	p, err := s.start(ctx, team, "")
	if err != nil {
		return err
	}
	err = s.listen(ctx, func(_ *program, f fact) bool {
		if f.what == finished {
			done[f.id] = true
		}
		return len(done) == howMany
	}, p)
	if err != nil && !errors.Is(err, errSilent) {
		return err
	}
	err = p.finish()
	s.tellShares(team, p.did.shift)
	return err
}

// errSilent: the workers say nothing any more.
var errSilent = errors.New("the workers say nothing any more")

// listen collects what one or two programs say until enough says so.
func (s *story) listen(ctx context.Context, enough func(*program, fact) bool, programs ...*program) error {
	silence := time.NewTimer(s.patience)
	defer silence.Stop()
	one, two := programs[0], &program{}
	if len(programs) > 1 {
		two = programs[1]
	}
	for {
		var from *program
		var f fact
		var ok bool
		select {
		case f, ok = <-one.facts:
			from = one
		case f, ok = <-two.facts:
			from = two
		case <-silence.C:
			return errSilent
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !ok {
			return errors.Join(errors.New("the workers' program has ended by itself"), from.err)
		}
		from.did.shift = append(from.did.shift, f)
		if enough(from, f) {
			return nil
		}
		silence.Reset(s.patience)
	}
}
