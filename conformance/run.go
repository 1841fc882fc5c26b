package conformance

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// Run tests a backend against every promise. Each case is a subtest, named
// after its promise, with a place of its own. Up to h.Parallel of them run at a
// time. Run returns when all have ended.
func Run(t *testing.T, h Harness) {
	if runChild() || h.Ready != nil && !h.Ready(t) {
		return
	}
	open := descriptors()
	column, complete := judge(testRunner(t), h)
	t.Log("\n" + column.text())
	if !complete {
		return // -run chose some of the cases: no verdicts
	}
	checkDescriptors(t, open)
	if dir := os.Getenv("STREAMER_VERDICTS"); dir != "" {
		if err := column.save(dir); err != nil {
			t.Errorf("verdicts: %v", err)
		}
	}
}

// runner runs one named test and returns when it has ended, saying whether it
// ran at all. It may be called from several goroutines.
type runner func(name string, body func(t testing.TB, sub runner)) (ran bool)

func testRunner(t *testing.T) runner {
	return func(name string, body func(testing.TB, runner)) bool {
		ran := false
		t.Run(name, func(t *testing.T) {
			ran = true
			body(t, testRunner(t))
		})
		return ran
	}
}

// judge runs every case of every promise and collects the findings. complete is
// false when the runner left some out.
func judge(run runner, h Harness) (column Column, complete bool) {
	h = h.withDefaults()
	j := &judgement{harness: h, slots: make(chan struct{}, h.Parallel), findings: make(map[[2]int]Finding)}
	j.checkExceptions(run)
	var all sync.WaitGroup
	for _, p := range promises() {
		all.Go(func() {
			run(p.name(), func(_ testing.TB, sub runner) { j.promise(sub, p) })
		})
	}
	all.Wait()
	return j.column()
}

// judgement is one run of the suite. Its goroutines, one per promise and case,
// are joined by judge.
type judgement struct {
	harness Harness
	slots   chan struct{} // one per case that runs

	mu       sync.Mutex
	findings map[[2]int]Finding // by promise and case, so that their order is the suite's
}

// exceptionsCase is the index of the finding that a harness claims what it is
// not granted.
const exceptionsCase = -1

// checkExceptions fails a harness that claims more exceptions than its backend
// is granted.
func (j *judgement) checkExceptions(run runner) {
	for _, part := range j.harness.Without {
		if _, ok := consequence(j.harness.Backend, part); ok {
			continue
		}
		run("00-exceptions", func(t testing.TB, _ runner) {
			t.Errorf("nothing grants backend %q to be without %s", j.harness.Backend, part)
		})
		for _, p := range promises() {
			j.record(p.number, exceptionsCase, Finding{p.number, "exceptions", Failed, part, "not granted"}, true)
		}
	}
}

func (j *judgement) promise(run runner, p promise) {
	var cases sync.WaitGroup
	for i, c := range p.all(&j.harness) {
		cases.Go(func() {
			run(c.name, func(t testing.TB, _ runner) { j.try(t, p, i, c) })
		})
	}
	cases.Wait()
}

// try runs one case, unless an exception stands in its way. What came of it is
// recorded when its last cleanup has run.
func (j *judgement) try(t testing.TB, p promise, i int, c testCase) {
	f := Finding{Promise: p.number, Case: c.name, Part: c.refuses}
	t.Cleanup(func() { j.record(p.number, i, f, t.Failed()) })
	for _, part := range c.needs {
		if j.harness.lacks(part) {
			f.Part = part
			f.Verdict, f.Why = j.excuse(p, part)
			t.Logf("%s: %s (%s)", f.Verdict, part, f.Why)
			return
		}
	}
	if c.refuses != "" {
		f.Verdict, f.Why = j.excuse(p, c.refuses)
	}
	if !c.idle || j.harness.Parallel == 1 {
		j.slots <- struct{}{}
		t.Cleanup(func() { <-j.slots })
	}
	runCase(t, &j.harness, c)
}

// seePromise marks a reason that is only the consequence of another one.
const seePromise = "see promise "

func (j *judgement) excuse(p promise, part Part) (Verdict, string) {
	if e, ok := exceptionFor(j.harness.Backend, p.number, part); ok {
		return e.verdict, e.why
	}
	e, _ := consequence(j.harness.Backend, part)
	return NotApplicable, fmt.Sprint(seePromise, e.promise)
}

func (j *judgement) record(promise, i int, f Finding, failed bool) {
	if failed {
		f.Verdict = Failed
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.findings[[2]int{promise, i}] = f
}

func (j *judgement) column() (c Column, complete bool) {
	c = Column{Name: j.harness.Name, Backend: j.harness.Backend}
	complete = true
	for _, p := range promises() {
		for i := -1; i < len(p.all(&j.harness)); i++ {
			f, ok := j.findings[[2]int{p.number, i}]
			if ok {
				c.Findings = append(c.Findings, f)
			}
			complete = complete && (ok || i == exceptionsCase)
		}
	}
	return c, complete
}

// text is the column for a terminal.
func (c *Column) text() string {
	var b strings.Builder
	for _, p := range promises() {
		cell := c.Cell(p.number)
		fmt.Fprintf(&b, "%2d %-8s %s\n", p.number, cell.Verdict, strings.Join(cell.Notes, "; "))
	}
	return b.String()
}
