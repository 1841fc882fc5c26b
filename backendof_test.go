package streamer

import "testing"

type wrapped struct{ Streamer }

func (w wrapped) Unwrap() Streamer { return w.Streamer }

func TestBackendOfLooksThroughDecorators(t *testing.T) {
	b := &fakeBackend{}
	s, err := New(b, StreamerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Streamer{"plain": s, "decorated": wrapped{wrapped{s}}} {
		if got, ok := BackendOf(s); !ok || got != Backend(b) {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
	if _, ok := BackendOf(struct{ Streamer }{s}); ok {
		t.Error("what hides its Streamer has no Backend")
	}
}
