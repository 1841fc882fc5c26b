package conformance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"sort"
	"strings"
	"testing"
	"time"
)

// leakLabel is the profiler label of a case's goroutines.
const leakLabel = "conformance-case"

// leakWait is how long what a case closed may take to end.
const leakWait = 5 * time.Second

// checkLeaks fails the case when goroutines that it started, or that were
// started for it, are still there.
func (b *bed) checkLeaks() {
	pprof.SetGoroutineLabels(context.Background()) // not this one
	for deadline, pause := time.Now().Add(leakWait), time.Millisecond; ; pause *= 2 {
		time.Sleep(pause)
		left := b.stacks()
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			b.Errorf("goroutines left %v after the end of the case:\n%s", leakWait, left)
			return
		}
	}
}

// stacks lists the goroutines of the case.
func (b *bed) stacks() string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return fmt.Sprintf("no profile of goroutines: %v", err)
	}
	var mine []string
	for group := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(group, b.label) {
			mine = append(mine, group)
		}
	}
	return strings.Join(mine, "\n\n")
}

// descriptors lists what this process has open; nil where the system does not
// say.
func descriptors() []string {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var open []string
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		if err == nil && !strings.HasPrefix(target, "anon_inode:[event") { // the runtime's poller opens those once
			open = append(open, target)
		}
	}
	sort.Strings(open)
	return open
}

// checkDescriptors fails when something is open that was not open before.
func checkDescriptors(t testing.TB, before []string) {
	t.Helper()
	for deadline := time.Now().Add(leakWait); ; time.Sleep(5 * time.Millisecond) {
		left := minus(descriptors(), before)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("descriptors left %v after the last case:\n%s", leakWait, strings.Join(left, "\n"))
			return
		}
	}
}

// minus is the multiset difference of two sorted lists.
func minus(a, b []string) []string {
	have := make(map[string]int, len(b))
	for _, s := range b {
		have[s]++
	}
	var rest []string
	for _, s := range a {
		if have[s]--; have[s] < 0 {
			rest = append(rest, s)
		}
	}
	return rest
}
