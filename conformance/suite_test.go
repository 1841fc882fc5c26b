package conformance_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/internal/memoryharness"
	"github.com/gostreamer/streamer/memory"
)

// TestAHarnessCannotExcuseItself: what is claimed and not granted, left out and
// not explained, or refused and yet there, is FAILED.
func TestAHarnessCannotExcuseItself(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for _, lie := range []struct {
		name    string
		change  func(h *conformance.Harness)
		promise int    // one that must be FAILED
		said    string // and why
	}{
		{"an-exception-that-is-not-granted", func(h *conformance.Harness) {
			h.Without = append(h.Without, conformance.Headers)
		}, 9, "nothing grants"},
		{"a-fault-that-is-left-out", func(h *conformance.Harness) {
			h.Open = places(h, func(p *conformance.Place) { p.Trim = nil })
		}, 8, "neither gives trimming"},
		{"a-fault-that-is-there-after-all", func(h *conformance.Harness) {
			h.Open = places(h, func(p *conformance.Place) { p.Restart = func() {} })
		}, 12, "and yet gives it"},
		{"a-refusal-that-works", func(h *conformance.Harness) {
			h.Backend = "redis"
			h.Without = append(h.Without, conformance.NilValues)
		}, 9, "refuses-nil-values"},
		{"sharing-that-is-not", func(h *conformance.Harness) { h.Groups = conformance.Owned }, 4, "to own the shards"},
		{"commits-that-are-of-the-other-kind", func(h *conformance.Harness) { h.PerMessage = false }, 7, "what is redelivered"},
	} {
		all.Go(func() {
			t.Run(lie.name, func(t *testing.T) {
				h := memoryharness.New(memory.ByMessage, memory.Native)
				h.Messages, h.Hang = 200, 5*time.Second
				lie.change(&h)
				column, log := conformance.Judge(h, true)
				if cell := column.Cell(lie.promise); cell.Verdict != conformance.Failed || !strings.Contains(log, lie.said) {
					t.Errorf("promise %d is %v and nothing says %q:\n%s", lie.promise, cell.Verdict, lie.said, log)
				}
			})
		})
	}
	all.Wait()
}

// places changes what the harness opens.
func places(h *conformance.Harness, change func(p *conformance.Place)) func(testing.TB, conformance.Plan) *conformance.Place {
	open := h.Open
	return func(t testing.TB, plan conformance.Plan) *conformance.Place {
		p := open(t, plan)
		change(p)
		return p
	}
}

// TestASecretThatIsKept is the sound counterpart of promise 20's mutant.
func TestASecretThatIsKept(t *testing.T) {
	t.Parallel()
	h := memoryharness.New(memory.ByCursor, memory.Native)
	takesSecrets("mum")(&h)
	_, err := streamer.Connect(context.Background(), h.SecretURI("hunter2"))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("Connect: %v", err)
	}
	h.Messages = 200
	column, log := conformance.Judge(h, true)
	if cell := column.Cell(20); cell.Verdict != conformance.Kept {
		t.Errorf("promise 20 is %v: %q\n%s", cell.Verdict, cell.Notes, log)
	}
}
