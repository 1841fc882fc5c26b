package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
)

func TestFlushCutsLingerShort(t *testing.T) {
	for _, records := range []int{1, 2, 3, 10} {
		inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			p := r.producer(streamer.ProducerOptions{Linger: time.Hour})
			for range records {
				p.Send(t.Context(), streamer.Record{Value: []byte("v")})
			}
			synctest.Wait()
			if n := len(r.values()); n != 0 {
				t.Fatalf("%d records are written though they may linger", n)
			}
			from := time.Now()
			if err := p.Flush(t.Context()); err != nil || len(r.values()) != records {
				t.Fatalf("Flush = %v, %d of %d records are stored", err, len(r.values()), records)
			}
			if waited := time.Since(from); waited != 0 {
				t.Fatalf("Flush of %d records waited %v, Linger is an hour", records, waited)
			}
			p.Send(t.Context(), streamer.Record{Value: []byte("v")})
			synctest.Wait()
			if n := len(r.values()); n != records {
				t.Fatalf("what is sent after Flush does not linger: %d are stored", n)
			}
		})
	}
}
