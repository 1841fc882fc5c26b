package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/memory"
)

// TestATimeThatTheTargetCannotHoldIsLeftOutAndCounted, message by message: the
// others keep theirs.
func TestATimeThatTheTargetCannotHoldIsLeftOutAndCounted(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 5, 6, 0, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct{ from, to int }{"a file": {1970, 9999}, "Kafka": {1678, 2261}, "with a window": {2020, 2200}} {
		t.Run(name, func(t *testing.T) {
			holds := func(at time.Time) bool { return at.Year() >= c.from && at.Year() <= c.to }
			to := newFakeTarget(t, func(r streamer.Record) error {
				if !r.Time.IsZero() && !holds(r.Time) {
					return refuse("such a time")
				}
				return nil
			})
			r := newRelayed(to, 50)
			rnd := rand.New(rand.NewPCG(1, 2))
			var times []time.Time
			without := int64(0)
			for range 500 {
				at := year([]int{2024, 2023, 2021, 1850, 1969, 3000, 53872825, 1, 2025, 10000}[rnd.IntN(10)])
				if times = append(times, at); !holds(at) {
					without++
				}
				if err := r.send(t.Context(), r.message(streamer.Message{Meta: streamer.Meta{Time: at}})); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(to.stored) != len(times) || r.ackedCount() != len(times) {
				t.Fatalf("%d stored and %d acknowledged of %d", len(to.stored), r.ackedCount(), len(times))
			}
			for i, record := range to.stored {
				recent := time.Since(record.Time) < hang
				if holds(times[i]) && !record.Time.Equal(times[i]) || !holds(times[i]) && !record.Time.IsZero() && !recent {
					t.Errorf("message %d has the time %v, and was stored with %v", i, times[i], record.Time)
				}
			}
			if want := thousands(without) + " without the time"; !strings.Contains(r.summary(), want) || strings.Count(r.said.String(), "\n") != 1 {
				t.Errorf("summary %q, want %s; said %q", r.summary(), want, r.said.String())
			}
		})
	}
}

// TestRelayOfTimesThatAFileCannotHold ends with all messages, and a second
// relay has nothing to do.
func TestRelayOfTimesThatAFileCannotHold(t *testing.T) {
	drop(t, "odd-times")
	s, err := memory.Connect(t.Context(), memory.Config{Log: "odd-times"}, streamer.StreamerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Producer(t.Context(), streamer.ProducerOptions{Stream: "s"})
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range []time.Time{
		time.UnixMilli(1700000000000000000), time.UnixMilli(-1), time.UnixMilli(1700000000000), {}, time.UnixMilli(1700000000001000000), time.UnixMilli(1700000000001),
	} {
		if _, err := p.Send(t.Context(), streamer.Record{Time: at, Value: []byte{byte('a' + i)}}).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	defer s.Close()
	target := fileLog(t) + "/s"
	here(t, "", "-v", "relay", "memory://odd-times/s", target, "--until-end").want(t, exitOK, "", "relay: 6 messages, 6 bytes stored, 3 without the time")
	out := here(t, "", "consume", target, "--until-end", "-o", "json").stdout
	if strings.Count(out, "\n") != 6 || strings.Count(out, `"time":"2023-11-14T22:13:20Z"`) != 1 || strings.Count(out, `"time":"2023-11-14T22:13:20.001Z"`) != 1 {
		t.Error(out)
	}
	here(t, "", "-v", "relay", "memory://odd-times/s", target, "--until-end").want(t, exitOK, "", "relay: 0 messages, 0 bytes stored")
}
