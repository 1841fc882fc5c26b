package kafka

import (
	"slices"
	"testing"
	"time"
)

// TestWhatTheClientSaysOfAnAnswerIsRead: its words are not part of its API.
func TestWhatTheClientSaysOfAnAnswerIsRead(t *testing.T) {
	var got []string
	d := &delay{retrying: func(_ string, err error, _ time.Duration) { got = append(got, err.Error()[:20]) }}
	d.listening.Store(true)
	for range 2 { // the second time nothing is new
		d.Log(4, "produced", "broker", "1", "to",
			"a[0{1=>2}, 1{retrying@-1,1(NOT_ENOUGH_REPLICAS: few)}], b[12{retrying@-1,3(REQUEST_TIMED_OUT: late)}, 3{0=>1}]")
	}
	if want := []string{"a shard 1: NOT_ENOU", "b shard 12: REQUEST_"}; !slices.EqualFunc(got, want, func(g, w string) bool { return g[:len(w)] == w }) {
		t.Errorf("read %q", got)
	}
}
