package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// report is the generated part of the page.
type report struct {
	command string
	charts  string // their directory, as the page names it
	results []result
	idle    []footprint
	further []string // tables
}

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "```\n%s\n```\n\n%s\n", r.command, machine())
	names, of := sections(r.results)
	for _, name := range names {
		fmt.Fprintf(&b, "\n### %s\n\n![%s: messages per second](%s/%s.svg)\n\n%s", name, name, r.charts, name, tableHead)
		for _, x := range of[name] {
			b.WriteString(x.row())
		}
		b.WriteString(peersTable(of[name]))
	}
	if r.idle != nil {
		b.WriteString(idleTable(r.idle))
	}
	slices.Sort(r.further)
	b.WriteString(strings.Join(r.further, ""))
	return b.String()
}

const tableHead = "| case | control | messages/s | ns | control, ns | share, ns | ratio | CPU, ns | control's CPU, ns | allocations | bytes | goal | |\n" +
	"|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---|\n"

func (r result) row() string {
	_, name, _ := strings.Cut(r.of.name, "/")
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s× | %s | %s | %.2f | %.0f | %s | %s |\n",
		name, r.of.control, perSecond(r.subject.ns), figure(r.subject.ns), figure(r.control.ns), figure(r.share()), figure(r.ratio()),
		figure(r.subject.cpu), figure(r.control.cpu), r.subject.allocs, r.subject.bytes_, r.of.goal, verdict(r.of.goal, r))
}

// peersTable is empty where no case has peers.
func peersTable(all []result) string {
	var b strings.Builder
	for _, r := range all {
		_, name, _ := strings.Cut(r.of.name, "/")
		for _, p := range r.peers {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", name, p.name, perSecond(p.cost.ns), figure(p.cost.cpu), figure(p.speed), p.goal(), p.verdict())
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n| case | peer | its messages/s | its CPU, ns | streamer's speed, times the peer's | goal | |\n|---|---|---:|---:|---:|---|---|\n" + b.String()
}

func (s standing) goal() string {
	if s.least == 0 {
		return ""
	}
	return fmt.Sprintf("≥ %g", s.least)
}

func (s standing) verdict() string {
	if s.least == 0 {
		return ""
	}
	return met(!s.missed())
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "**missed**"
}

// verdict is empty where nothing is asked.
func verdict(g goal, r result) string {
	if g == (goal{}) {
		return ""
	}
	if missed := g.missed(r); missed != nil {
		return "**missed**: " + strings.Join(missed, ", ")
	}
	return "met"
}

func idleTable(all []footprint) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### idle\n\n%d idle shards on memory. Bytes are per shard, goroutines for all of them; the log's own are not counted.\n\n", idleShards)
	b.WriteString("| mode | bare source, bytes | with the engine, bytes | goroutines | goal | |\n|---|---:|---:|---:|---|---|\n")
	for _, f := range all {
		fmt.Fprintf(&b, "| %s | %.0f | %.0f | %d | ≤ %d bytes, ≤ %d goroutines | %s |\n",
			modeName(f.mode), f.bare, f.engine, f.goroutines, idleBytes, idleGoroutines, met(!f.missed()))
	}
	return b.String()
}

// perSecond turns ns into a rate.
func perSecond(ns float64) string {
	rate := 1e9 / ns
	switch {
	case rate >= 1e6:
		return figure(rate/1e6) + " M"
	case rate >= 1e3:
		return figure(rate/1e3) + " k"
	}
	return figure(rate)
}

// figure has three digits, or all of those before the point.
func figure(v float64) string {
	switch a := math.Abs(v); {
	case a < 9.995:
		return fmt.Sprintf("%.2f", v)
	case a < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
