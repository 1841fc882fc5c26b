package main

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The measures of a chart, in pixels.
const (
	chartWidth = 760
	nameWidth  = 270 // of the column with what a bar stands for
	barLength  = 390 // of the longest
	barHeight  = 14
	lineHeight = 20
	caseGap    = 14
	baseline   = 11 // of a text beside a bar, below the bar's top
)

// chartStyle follows what the reader's system prefers.
const chartStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.case { font-weight: 600 }
.ours { fill: #0969da }
.control { fill: #8c959f }
.peer { fill: #bf8700 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ours { fill: #4493f8 }
.control { fill: #6e7681 }
.peer { fill: #d29922 }
}
</style>
`

// bar is one side of a case.
type bar struct {
	class, name string
	ns          float64 // per message
}

func (r result) bars() []bar {
	all := []bar{{"ours", "streamer", r.subject.ns}, {"control", r.of.control, r.control.ns}}
	for _, p := range r.peers {
		all = append(all, bar{"peer", p.name, p.cost.ns})
	}
	return all
}

// chart is an SVG of one section's cases. A bar is as long as its side is fast,
// and the longest of each case fills the width: the cases of a section can lie
// far apart.
func chart(section string, cases []result) string {
	var b strings.Builder
	y := lineHeight
	for _, r := range cases {
		_, name, _ := strings.Cut(r.of.name, "/")
		fmt.Fprintf(&b, "<text class=\"case\" x=\"0\" y=\"%d\">%s</text>\n", y, escaped(name))
		y += lineHeight / 2
		y = drawBars(&b, r.bars(), y) + caseGap
	}
	title := escaped(section + ": messages per second, each case on a scale of its own")
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n<title>%s</title>\n%s%s</svg>\n",
		chartWidth, y, chartWidth, y, title, chartStyle, b.String())
}

// drawBars draws a case from y on and returns where it ends.
func drawBars(b *strings.Builder, all []bar, y int) int {
	fastest := slices.MinFunc(all, func(x, y bar) int { return cmp.Compare(x.ns, y.ns) }).ns
	for _, x := range all {
		length := max(barLength*fastest/x.ns, 1)
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", nameWidth-8, y+baseline, escaped(x.name))
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", x.class, nameWidth, y, length, barHeight)
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\">%s/s</text>\n", nameWidth+length+6, y+baseline, perSecond(x.ns))
		y += lineHeight
	}
	return y
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

// sections are the results by the first part of their names, in the order of
// their first.
func sections(all []result) (names []string, of map[string][]result) {
	of = map[string][]result{}
	for _, r := range all {
		name, _, _ := strings.Cut(r.of.name, "/")
		if of[name] == nil {
			names = append(names, name)
		}
		of[name] = append(of[name], r)
	}
	return names, of
}

// chartDir is where a page has its charts: beside it, in a directory of its
// name.
func chartDir(page string) string { return strings.TrimSuffix(page, filepath.Ext(page)) }

// updateCharts writes the charts of a page, and removes those of sections that
// are no more.
func updateCharts(page string, all []result) error {
	dir := chartDir(page)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil {
		return err
	}
	names, of := sections(all)
	for _, name := range names {
		path := filepath.Join(dir, name+".svg")
		if err := os.WriteFile(path, []byte(chart(name, of[name])), 0o644); err != nil {
			return err
		}
		old = slices.DeleteFunc(old, func(o string) bool { return o == path })
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
