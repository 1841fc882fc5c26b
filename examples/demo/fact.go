package main

import (
	"fmt"
	"strings"
)

// fact is one line of the workers' report.
type fact struct {
	what  kind
	who   string
	id    int   // of the order; 0 when the worker left
	cents int64 // finished only
}

type kind string

const (
	got      kind = "got"      // the worker was handed the order
	finished kind = "finished" // the worker has finished it
	left     kind = "left"     // the worker walks away
)

func (f fact) String() string { return fmt.Sprint(f.what, " ", f.who, " ", f.id, " ", f.cents) }

// parseFact is String's inverse.
func parseFact(line string) (fact, error) {
	var f fact
	n, err := fmt.Sscan(line, &f.what, &f.who, &f.id, &f.cents)
	if err != nil || n != 4 {
		return fact{}, fmt.Errorf("the workers said %q", strings.TrimSpace(line))
	}
	return f, nil
}

// shift is what one run of the workers' program reported.
type shift []fact

// count counts the facts of one kind about one worker.
func (s shift) count(what kind, who string) int {
	n := 0
	for _, f := range s {
		if f.what == what && f.who == who {
			n++
		}
	}
	return n
}

// finished is the number of reports of a finished order.
func (s shift) finished() int {
	n := 0
	for _, f := range s {
		if f.what == finished {
			n++
		}
	}
	return n
}

// orders is the set of orders of which a fact is true, and the worker that it
// concerns.
func (s shift) orders(what kind, who ...string) map[int]bool {
	set := map[int]bool{}
	for _, f := range s {
		if f.what == what && (len(who) == 0 || who[0] == f.who) {
			set[f.id] = true
		}
	}
	return set
}
