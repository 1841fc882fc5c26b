package main

import (
	"strings"
	"testing"
)

func TestAccountsSeeEveryFault(t *testing.T) {
	orders := []order{{ID: 1, Cents: 100}, {ID: 2, Cents: 250}, {ID: 3, Cents: 5}}
	handed := func(ids ...int) (s shift) {
		for _, id := range ids {
			s = append(s, fact{what: got, who: "anna", id: id})
		}
		return s
	}
	done := func(ids ...int) (s shift) {
		for _, id := range ids {
			s = append(s, fact{what: got, who: "anna", id: id}, fact{what: finished, who: "anna", id: id, cents: orders[id-1].Cents})
		}
		return s
	}
	for name, c := range map[string]struct {
		before, after shift
		open          int
		fault         string // empty: none
	}{
		"all once":                 {done(1, 2), done(3), 0, ""},
		"one again, not committed": {done(1, 2), done(2, 3), 1, ""},
		"one again, committed":     {done(1, 2), done(2, 3), 0, "1 were redelivered, 0 may be"},
		"one lost":                 {done(1), done(3), 0, "1 order is lost"},
		"one handed out, lost":     {append(done(1), handed(2)...), done(3), 1, "1 order is lost"},
		"one twice, no crash":      {done(1, 2, 2), done(3), 1, "1 finished twice"},
		"another amount":           {done(1, 2), shift{{what: finished, who: "ben", id: 3, cents: 6}}, 2, "1 finished that were never written"},
		"an order nobody wrote":    {done(1, 2, 3), shift{{what: finished, who: "ben", id: 4, cents: 1}}, 3, "1 finished that were never written"},
	} {
		t.Run(name, func(t *testing.T) {
			err := settle(orders, stint{c.before, c.open}, stint{c.after, 0}).fault()
			switch {
			case c.fault == "" && err != nil:
				t.Error(err)
			case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
				t.Errorf("want %q, got %v", c.fault, err)
			}
		})
	}
}

func TestFactsSurviveTheirLine(t *testing.T) {
	for _, f := range []fact{{got, "anna", 17, 0}, {finished, "ben", 12_000, 99_999}, {left, "carl", 0, 0}} {
		if back, err := parseFact(f.String()); err != nil || back != f {
			t.Errorf("%v came back as %v, %v", f, back, err)
		}
	}
	for _, line := range []string{"", "got", "got anna", "got anna x 1", "panic: runtime error"} {
		if f, err := parseFact(line); err == nil {
			t.Errorf("%q is the fact %v", line, f)
		}
	}
}
