package streamer

import "testing"

func TestAPendingOfABackendsTestNeedsNoProducer(t *testing.T) {
	pd := &Pending{Record: Record{Value: []byte("a")}}
	pd.Resolve(Meta{Stream: "s"}, ErrTooLarge)
	if m, err := pd.Receipt().Wait(t.Context()); m.Stream != "s" || err != ErrTooLarge {
		t.Errorf("Wait = %+v, %v", m, err)
	}
}
