package memory_test

import (
	"testing"

	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/internal/memoryharness"
	"github.com/gostreamer/streamer/memory"
)

func TestConformance(t *testing.T) {
	for _, acks := range []memory.Acks{memory.ByCursor, memory.ByMessage} {
		for _, groups := range []memory.Groups{memory.Native, memory.Dealt} {
			h := memoryharness.New(acks, groups)
			t.Run(h.Name, func(t *testing.T) { conformance.Run(t, h) })
		}
	}
}
