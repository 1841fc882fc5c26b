package main

import (
	"errors"
	"fmt"
)

// accounts compare what was written with what the workers report.
type accounts struct {
	written, finished           int // orders, each counted once
	writtenCents, finishedCents int64
	lost                        int // written and never finished
	strange                     int // finished and never written, or with another amount
	doubled                     int // finished twice without a crash in between
	again                       int // handed out by one program and by another after it
	allowed                     int // how many of those there may be: handed out by one that was killed and not noted as done
}

// stint is what one run of a workers' program did.
type stint struct {
	shift
	open int // orders that were handed out and not noted as done when it was killed
}

// settle accounts for every order.
func settle(orders []order, stints ...stint) accounts {
	a := accounts{written: len(orders)}
	amounts := map[int]int64{}
	for _, o := range orders {
		amounts[o.ID] = o.Cents
		a.writtenCents += o.Cents
	}
	done := map[int]bool{}
	handedOut := map[int]bool{}
	for _, r := range stints {
		inShift := map[int]bool{}
		for _, f := range r.shift {
			if f.what == finished {
				a.add(f, amounts, inShift, done)
			}
		}
		for id := range r.orders(got) {
			if handedOut[id] {
				a.again++
			}
			handedOut[id] = true
		}
		a.allowed += r.open
	}
	a.lost = a.written - a.finished
	return a
}

// add accounts for one finished order.
func (a *accounts) add(f fact, amounts map[int]int64, inShift, done map[int]bool) {
	if cents, ok := amounts[f.id]; !ok || cents != f.cents {
		a.strange++
		return
	}
	if inShift[f.id] {
		a.doubled++
	}
	inShift[f.id] = true
	if !done[f.id] {
		done[f.id] = true
		a.finished++
		a.finishedCents += f.cents
	}
}

// fault is nil when nothing is lost and no promise is broken.
func (a accounts) fault() error {
	var faults []error
	if a.lost > 0 {
		faults = append(faults, fmt.Errorf("%s lost", numbered(a.lost)))
	}
	if a.strange > 0 || a.lost == 0 && a.finishedCents != a.writtenCents {
		faults = append(faults, fmt.Errorf("the totals differ: %d finished that were never written", a.strange))
	}
	if a.doubled > 0 {
		faults = append(faults, fmt.Errorf("%d finished twice without a crash", a.doubled))
	}
	if a.again > a.allowed {
		faults = append(faults, fmt.Errorf("%d were redelivered, %d may be", a.again, a.allowed))
	}
	return errors.Join(faults...)
}

func numbered(orders int) string {
	if orders == 1 {
		return "1 order is"
	}
	return fmt.Sprintf("%d orders are", orders)
}
