package conformance

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
)

// outcome runs one case and says what came of it.
func outcome(run func(b *bed)) (failed bool, log string) {
	var all transcript
	h := Harness{}.withDefaults()
	all.run("")("case", func(t testing.TB, _ runner) {
		t.Cleanup(func() { failed = t.Failed() })
		runCase(t, &h, testCase{run: run})
	})
	return failed, all.String()
}

// TestALeakIsBlamedOnItsCase: two cases run side by side; one of them leaves a
// goroutine.
func TestALeakIsBlamedOnItsCase(t *testing.T) {
	release, waiting := make(chan struct{}), make(chan struct{})
	defer close(release)
	var both sync.WaitGroup
	both.Go(func() {
		failed, log := outcome(func(*bed) { go func() { close(waiting); <-release }() })
		if !failed || !strings.Contains(log, "goroutines left") {
			t.Errorf("a case that leaves a goroutine passes: %s", log)
		}
	})
	both.Go(func() {
		if failed, log := outcome(func(*bed) { <-waiting }); failed {
			t.Errorf("a case beside one that leaves a goroutine fails: %s", log)
		}
	})
	both.Wait()
}

func TestALeftDescriptorIsFound(t *testing.T) {
	before := descriptors()
	if before == nil {
		return // the system does not say
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all transcript
	failed := false
	all.run("")("descriptors", func(t testing.TB, _ runner) {
		checkDescriptors(t, before)
		failed = t.Failed()
	})
	if !failed || !strings.Contains(all.String(), os.DevNull) {
		t.Errorf("a descriptor that is left open is not found: %s", all.String())
	}
}

// TestSemanticsPageHasEveryVerdict: each kind of finding has its place on the
// page.
func TestSemanticsPageHasEveryVerdict(t *testing.T) {
	var page bytes.Buffer
	err := WriteSemantics(&page, []Column{{Name: "col", Findings: []Finding{
		{Promise: 1, Case: "a", Verdict: Kept},
		{Promise: 2, Case: "a", Verdict: Refused, Part: Keys, Why: "no room"},
		{Promise: 3, Case: "a", Verdict: Failed},
		{Promise: 3, Case: "b", Verdict: Kept},
		{Promise: 4, Case: "a", Verdict: Kept},
		{Promise: 4, Case: "b", Verdict: NotApplicable, Part: Restart, Why: "no server"},
		{Promise: 5, Case: "a", Verdict: NotApplicable, Part: Restart, Why: seePromise + "4"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| 1 shards and keys keep order | kept |", "| refused <sup>1</sup> |", "1. keys refused: no room", "| FAILED <sup>2</sup> |",
		"2. FAILED: a", "| kept <sup>3</sup> |", "3. restart of the server n/a: no server", "| n/a |",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
