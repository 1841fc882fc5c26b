package testservers

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
)

// Runner is what [testing.M] and goleak know of each other.
type Runner interface{ Run() int }

// Main makes a package's tests end with the shared servers:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Main(m)) }
//
// It also says how many tests were left out, and why.
func Main(m Runner) Runner { return runner{m} }

type runner struct{ tests Runner }

func (r runner) Run() int {
	code := r.tests.Run()
	leftOut.print()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, "testservers:", err)
		code = max(code, 1)
	}
	return code
}

// leftOut counts the tests of this process that were left out, by reason.
var leftOut tally

type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func (t *tally) add(why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = map[string]int{}
	}
	t.count[why]++
}

func (t *tally) print() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, why := range slices.Sorted(maps.Keys(t.count)) {
		fmt.Printf("left out: %d × %s\n", t.count[why], why)
	}
}
