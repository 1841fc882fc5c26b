package main

import (
	"fmt"
	"strings"
)

// goal is what a case should cost at most. Zero fields ask for nothing.
type goal struct {
	share  float64 // ns beyond the control
	total  float64 // ns
	rate   float64 // messages per second, at least
	ratio  float64 // times the control's ns
	cpu    float64 // times the control's CPU
	speed  float64 // times the control's messages per second, at least
	allocs limit
}

// limit is a number of allocations per message. What a batch or slab allocates
// is spread over its messages: up to slack of it is not counted.
type limit struct {
	asked bool
	n     float64
}

const slack = 0.05

func allocs(n float64) limit { return limit{true, n} }

func (g goal) String() string {
	var parts []string
	add := func(asked bool, format string, v float64) {
		if asked {
			parts = append(parts, fmt.Sprintf(format, v))
		}
	}
	add(g.total > 0, "≤ %g ns", g.total)
	if g.rate > 0 {
		parts = append(parts, fmt.Sprintf("≥ %s/s", perSecond(1e9/g.rate)))
	}
	add(g.share > 0, "share ≤ %g ns", g.share)
	add(g.ratio > 0, "≤ %g×", g.ratio)
	add(g.cpu > 0, "≤ %g× the control's CPU", g.cpu)
	add(g.speed > 0, "≥ %g of the control's speed", g.speed)
	add(g.allocs.asked, "%g allocations", g.allocs.n)
	return strings.Join(parts, ", ")
}

// missed lists what of the goal r does not reach.
func (g goal) missed(r result) []string {
	var missed []string
	check := func(asked bool, what string, got, limit float64) {
		if asked && got > limit {
			missed = append(missed, what)
		}
	}
	check(g.total > 0, "ns", r.subject.ns, g.total)
	check(g.rate > 0, "messages/s", r.subject.ns, 1e9/g.rate)
	check(g.share > 0, "share", r.share(), g.share)
	check(g.ratio > 0, "ratio", r.ratio(), g.ratio)
	check(g.cpu > 0, "CPU", r.subject.cpu/r.control.cpu, g.cpu)
	check(g.speed > 0, "speed", -r.speed, -g.speed)
	check(g.allocs.asked, "allocations", r.subject.allocs, g.allocs.n+slack)
	return missed
}
