package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/produce"
)

func TestTheCallWinsOverWhatIsInherited(t *testing.T) {
	base := streamer.StreamerOptions{
		Consumer: streamer.ConsumerOptions{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "base", Prefetch: 4, AutoReset: streamer.Earliest},
		Producer: streamer.ProducerOptions{Stream: "base", MaxBuffered: 3},
	}
	inBubble(t, abilities{cursor: true}, base, func(t *testing.T, r *rig) {
		c, err := r.s.Consumer(t.Context(), streamer.ConsumerOptions{Group: "call"})
		if err != nil {
			t.Fatal(err)
		}
		got := c.(*consumer).o
		if got.Group != "call" || got.Mode != streamer.Resumable || got.Prefetch != 4 || got.AutoReset != streamer.Earliest {
			t.Errorf("the consumer has %+v", got)
		}
		p, err := r.s.Producer(t.Context(), streamer.ProducerOptions{Stream: "call"})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.(*produce.Producer).Options(); got.Stream != "call" || got.MaxBuffered != 3 {
			t.Errorf("the producer has %+v", got)
		}
	})
}

func TestANegativeNumberIsInvalidAtEveryDoor(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		if _, err := r.s.Producer(t.Context(), streamer.ProducerOptions{Stream: "s", Linger: -time.Millisecond}); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("Producer: %v", err)
		}
		if _, err := r.s.Consumer(t.Context(), streamer.ConsumerOptions{Streams: []string{"s"}, Prefetch: -1}); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("Consumer: %v", err)
		}
		if _, err := New(newFake(abilities{}), streamer.StreamerOptions{CloseTimeout: -1}); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("New: %v", err)
		}
	})
}
