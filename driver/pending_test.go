package driver

import (
	"testing"

	"github.com/gostreamer/streamer"
)

func TestAPendingOfABackendsTestNeedsNoProducer(t *testing.T) {
	pd := &Pending{Record: streamer.Record{Value: []byte("a")}}
	pd.Resolve(streamer.Meta{Stream: "s"}, streamer.ErrTooLarge)
	if m, err := pd.Receipt().Wait(t.Context()); m.Stream != "s" || err != streamer.ErrTooLarge {
		t.Errorf("Wait = %+v, %v", m, err)
	}
}
