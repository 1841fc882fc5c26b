package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// result is a case's medians.
type result struct {
	of               *benchCase
	subject, control cost
}

// share is what the case costs beyond its control, in ns.
func (r result) share() float64 { return r.subject.ns - r.control.ns }

func (r result) ratio() float64 { return r.subject.ns / r.control.ns }

// effort says how long to measure.
type effort struct {
	rounds   int
	budget   time.Duration // of each side, per round
	messages int           // per trial; zero: the case's own
}

// run measures both sides of c in turn.
func (c *benchCase) run(ctx context.Context, e effort) (r result, err error) {
	b, err := newBed(ctx, c.perTrial(e))
	if err != nil {
		return r, err
	}
	defer func() {
		if err = errors.Join(err, b.close()); err != nil {
			err = fmt.Errorf("%s: %w", c.name, err)
		}
	}()
	sides, err := c.setup(b)
	if err != nil {
		return r, err
	}
	return c.rounds(b, sides, e)
}

func (c *benchCase) perTrial(e effort) int {
	switch {
	case e.messages > 0:
		return e.messages
	case c.trial > 0:
		return c.trial
	}
	return perTrial
}

// rounds lets the sides take turns at going first. One trial of each before that finds the files and pages that the later ones find warm.
func (c *benchCase) rounds(b *bed, sides pair, e effort) (result, error) {
	var subject, control []cost
	tasks := []task{sides.control, sides.subject}
	into := []*[]cost{&control, &subject}
	for round := -1; round < e.rounds; round++ {
		for i := range tasks {
			side := (i + round&1) % 2
			budget := e.budget
			if round < 0 {
				budget = 0
			}
			s, err := b.measure(tasks[side], budget)
			if err != nil {
				return result{}, err
			}
			if round >= 0 {
				*into[side] = append(*into[side], s.perMessage())
			}
		}
	}
	return result{c, median(subject), median(control)}, nil
}
