package main

import (
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestSubsetsAreAllOfThemSmallOnesFirst(t *testing.T) {
	subsets := (withTime | withKey | withHeaders).subsets()
	if len(subsets) != 8 {
		t.Fatalf("%d subsets", len(subsets))
	}
	want := []attributes{0, withTime, withHeaders, withKey, withTime | withHeaders, withTime | withKey, withHeaders | withKey, withTime | withHeaders | withKey}
	for i, s := range subsets {
		if s != want[i] {
			t.Errorf("subset %d is %q, want %q", i, s, want[i])
		}
	}
}

func TestAttributesOfAMessage(t *testing.T) {
	now := time.Unix(1, 0)
	for _, c := range []struct {
		m    streamer.Message
		want attributes
	}{
		{streamer.Message{Value: []byte{}}, 0},
		{streamer.Message{}, withoutValue},
		{streamer.Message{Meta: streamer.Meta{Time: now}, Key: []byte{}, Value: []byte("v")}, withTime | withKey},
		{streamer.Message{Key: []byte{0xff}, Value: []byte("v"), Headers: []streamer.Header{{}}}, withBinaryKey | withHeaders},
	} {
		if got := attributesOf(&c.m); got != c.want {
			t.Errorf("%+v: %q, want %q", c.m, got, c.want)
		}
	}
}
