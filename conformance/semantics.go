package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteSemantics renders docs/semantics.md: the promises, the verdicts of each
// column, the table of promise 17, and the exceptions.
func WriteSemantics(w io.Writer, columns []Column) error {
	page := strings.Join([]string{introduction, promiseSection(), verdictSection(columns), policySection(), exceptionSection()}, "\n")
	_, err := io.WriteString(w, page)
	return err
}

const introduction = `<!-- Written by "make docs" from what the conformance suite found. Do not edit. -->

# Semantics

What every backend promises, and what the suite in [conformance](../conformance) found when it held each of them to it.
Within one assignment means: between a consumer's getting a shard and losing, moving or closing it.
`

func promiseSection() string {
	var b strings.Builder
	b.WriteString("## Promises\n\n| # | promise |\n|---|---|\n")
	for _, p := range Promises() {
		fmt.Fprintf(&b, "| %d | %s |\n", p.Number, p.Text)
	}
	return b.String()
}

// verdictSection is a table of promises and columns, with a footnote for each
// exception that was met.
func verdictSection(columns []Column) string {
	var b strings.Builder
	b.WriteString("## Backends\n\n**kept**: shown by the suite. **refused**: ErrUnsupported from the call that asks, which is shown too. **n/a**: cannot arise.\n\n")
	b.WriteString("| |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.Name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	var notes footnotes
	for _, p := range promises() {
		fmt.Fprintf(&b, "| %d %s |", p.number, strings.ReplaceAll(p.title, "-", " "))
		for _, c := range columns {
			cell := c.Cell(p.number)
			fmt.Fprintf(&b, " %s%s |", cell.Verdict, notes.refer(cell.Notes))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for i, note := range notes {
		fmt.Fprintf(&b, "%d. %s\n", i+1, note)
	}
	return b.String()
}

// footnotes are the notes of a table, each once.
type footnotes []string

func (f *footnotes) refer(notes []string) string {
	var refs []string
	for _, note := range notes {
		if strings.Contains(note, seePromise) {
			continue // a consequence of what is noted there
		}
		i := slices.Index(*f, note)
		if i < 0 {
			i = len(*f)
			*f = append(*f, note)
		}
		refs = append(refs, fmt.Sprint(i+1))
	}
	if refs == nil {
		return ""
	}
	return " <sup>" + strings.Join(refs, " ") + "</sup>"
}

// policySection is promise 17's table, as the suite plays it.
func policySection() string {
	var b strings.Builder
	b.WriteString(policyIntroduction)
	b.WriteString("| policy | taken with |")
	for _, e := range endings() {
		fmt.Fprintf(&b, " %s |", e)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(endings())) + "\n")
	for _, row := range policyTable() {
		fmt.Fprintf(&b, "| %s | %s |", policyName(row.policy), methodName(row.way))
		for _, again := range row.again {
			fmt.Fprintf(&b, " %s |", again)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const policyIntroduction = `## What is redelivered

Three of six messages are handled one after the other. The body of the first calls Ack and returns; the body of the second returns; the
body of the third ends as the column says. Then the consumer is closed and opened again; for SIGKILL, the third body calls Commit and the
process is killed. The cell lists which of the three are redelivered. The other three, which the program never saw, are always delivered, except
after SIGKILL with AckOnDelivery: there what was fetched and not handed out is lost, at most one fetch per shard and Prefetch.
AckDelayed has not reached AckDelay when the loop ends: Close acknowledges what was handed out, SIGKILL does not.

`

func methodName(way string) string {
	return map[string]string{"messages": "Messages", "next": "Next", "next-batch": "NextBatch", "stream": "Stream"}[way]
}

func exceptionSection() string {
	var b strings.Builder
	b.WriteString("## What a backend may be without\n\nNothing else excuses one from a case.\n\n| backend | promise | what | |\n|---|---|---|---|\n")
	for _, e := range exceptions() {
		fmt.Fprintf(&b, "| %s | %d | %s | %s: %s |\n", e.backend, e.promise, e.part, e.verdict, e.why)
	}
	return b.String()
}
