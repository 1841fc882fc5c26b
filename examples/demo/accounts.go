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
	again                       int // handed out before the crash and after it
	allowed                     int // how many of those there may be: handed out before the crash and not committed
}

// settle accounts for every order. committed is how many were noted as done when the crash came.
func settle(orders []order, before, after shift, committed int) accounts {
	a := accounts{written: len(orders)}
	amounts := map[int]int64{}
	for _, o := range orders {
		amounts[o.ID] = o.Cents
		a.writtenCents += o.Cents
	}
	done := map[int]bool{}
	for _, s := range []shift{before, after} {
		inShift := map[int]bool{}
		for _, f := range s {
			if f.what == finished {
				a.add(f, amounts, inShift, done)
			}
		}
	}
	a.lost = a.written - a.finished
	handedOut := before.orders(got)
	a.allowed = len(handedOut) - committed
	for id := range after.orders(got) {
		if handedOut[id] {
			a.again++
		}
	}
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
		faults = append(faults, fmt.Errorf("the totals differ: %d finished that nobody wrote", a.strange))
	}
	if a.doubled > 0 {
		faults = append(faults, fmt.Errorf("%d finished twice without a crash", a.doubled))
	}
	if a.again > a.allowed {
		faults = append(faults, fmt.Errorf("%d came again, %d may", a.again, a.allowed))
	}
	return errors.Join(faults...)
}

func numbered(orders int) string {
	if orders == 1 {
		return "1 order is"
	}
	return fmt.Sprintf("%d orders are", orders)
}
