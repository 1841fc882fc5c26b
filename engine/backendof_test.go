package engine

import (
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

type wrapped struct{ streamer.Streamer }

func (w wrapped) Unwrap() streamer.Streamer { return w.Streamer }

func TestBackendOfLooksThroughDecorators(t *testing.T) {
	b := &fakeBackend{}
	s, err := New(b, streamer.StreamerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]streamer.Streamer{"plain": s, "decorated": wrapped{wrapped{s}}} {
		if got, ok := BackendOf(s); !ok || got != driver.Backend(b) {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
	if _, ok := BackendOf(struct{ streamer.Streamer }{s}); ok {
		t.Error("what hides its Streamer has no Backend")
	}
}
