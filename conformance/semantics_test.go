package conformance

import (
	"os"
	"strings"
	"testing"
)

// TestSemanticsPageIsUpToDate: what the page says beside the verdicts is what
// the suite says now.
func TestSemanticsPageIsUpToDate(t *testing.T) {
	text, err := os.ReadFile("../docs/semantics.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for name, section := range map[string]string{
		"introduction": introduction, "promises": promiseSection(), "what is redelivered": policySection(), "exceptions": exceptionSection(),
	} {
		if !strings.Contains(page, section) {
			t.Errorf("docs/semantics.md is not what the suite says (%s): run make docs", name)
		}
	}
	if strings.Contains(page, Failed.String()) {
		t.Error("docs/semantics.md has a FAILED cell")
	}
}

func TestEveryPromiseHasCases(t *testing.T) {
	if len(promises()) != len(Promises()) {
		t.Fatalf("%d promises have cases, %d have a text", len(promises()), len(Promises()))
	}
	for i, p := range promises() {
		if p.number != i+1 || len(p.cases()) == 0 {
			t.Errorf("promise %d: number %d, %d cases", i+1, p.number, len(p.cases()))
		}
		names := make(map[string]bool)
		for _, c := range p.cases() {
			if names[c.name] {
				t.Errorf("promise %d has two cases %q", p.number, c.name)
			}
			names[c.name] = true
		}
	}
}

// TestEveryGrantedRefusalIsShown: what a backend may refuse has a case that
// shows it, and belongs to a promise.
func TestEveryGrantedRefusalIsShown(t *testing.T) {
	for _, e := range exceptions() {
		if e.promise < 1 || e.promise > len(promises()) || e.why == "" {
			t.Errorf("exception %+v", e)
		}
		if e.verdict == Refused && refusals[e.part] == nil {
			t.Errorf("no case shows that %s refuses %s", e.backend, e.part)
		}
	}
}
