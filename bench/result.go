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
	speed            float64 // times the control's
	peers            []standing
}

// standing is how a case compares with a peer.
type standing struct {
	peer
	cost  cost
	speed float64 // of the case, times the peer's
}

func (s standing) missed() bool { return s.speed < s.least }

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

// rounds lets the sides take turns at going first. One trial of each before
// that finds the files and pages that the later ones find warm.
func (c *benchCase) rounds(b *bed, p pair, e effort) (result, error) {
	tasks := []task{p.subject, p.control}
	for i := range p.peers {
		tasks = append(tasks, p.peers[i].task)
	}
	costs := make([][]cost, len(tasks))
	for round := -1; round < e.rounds; round++ {
		budget := e.budget
		if round < 0 {
			budget = 0
		}
		for i := range tasks {
			side := (i + round + len(tasks)) % len(tasks)
			s, err := b.measure(tasks[side], budget)
			if err != nil {
				return result{}, err
			}
			if round >= 0 {
				costs[side] = append(costs[side], s.perMessage())
			}
		}
	}
	r := result{of: c, subject: median(costs[0]), control: median(costs[1]), speed: speed(costs[0], costs[1])}
	for i, p := range p.peers {
		r.peers = append(r.peers, standing{p, median(costs[2+i]), speed(costs[0], costs[2+i])})
	}
	return r, nil
}

// speed is how many times as fast as other subject is: the median of the
// rounds, as what a round was disturbed by hit both.
func speed(subject, other []cost) float64 {
	values := make([]float64, len(subject))
	for i := range subject {
		values[i] = other[i].ns / subject[i].ns
	}
	return middle(values)
}
