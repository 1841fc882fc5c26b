package engine

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestStalledAfterTenSecondsAndEveryTen(t *testing.T) {
	type report struct {
		at time.Duration
		e  streamer.StallEvent
	}
	var reports seen[report]
	var from time.Time
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{Stalled: func(e streamer.StallEvent) { reports.add(report{time.Since(from), e}) }}}
	inBubble(t, abilities{cursor: true, pauser: true}, o, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 3})
		from = time.Now()
		list := r.take(c, 3)
		list[1].Ack() // not the oldest: the window stays full
		r.sleep(9900 * time.Millisecond)
		if got := reports.all(); len(got) != 0 {
			t.Fatalf("reported %+v before 10 s", got)
		}
		r.sleep(25200 * time.Millisecond)
		list[0].Ack()
		r.sleep(time.Minute)
		want := streamer.StallEvent{StreamShard: streamer.StreamShard{Stream: "s", Shard: 0}, Group: "g", InFlight: 3, Oldest: streamer.SeqUint(1)}
		if got := reports.all(); len(got) != 3 {
			t.Fatalf("reported %+v, want 3 times in 35 s", got)
		}
		for i, rep := range reports.all() {
			due := time.Duration(i+1) * stallAfter
			if rep.e != want || rep.at < due || rep.at > due+time.Duration(i+1)*time.Second {
				t.Errorf("report %d after %v: %+v; want %+v", i, rep.at, rep.e, want)
			}
		}
	})
}

func TestAWindowThatIsFullForAMomentIsNotStalled(t *testing.T) {
	var reports seen[streamer.StallEvent]
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{Stalled: reports.add}}
	inBubble(t, abilities{cursor: true, pauser: true}, o, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 1})
		for range 5 {
			m := r.take(c, 1)[0]
			r.sleep(9 * time.Second)
			m.Ack()
		}
		if got := reports.all(); len(got) != 0 {
			t.Fatalf("reported %+v", got)
		}
	})
}

func TestFetchedCountsByShard(t *testing.T) {
	var events seen[streamer.FetchEvent]
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{Fetched: events.add}}
	inBubble(t, abilities{}, o, func(t *testing.T, r *rig) {
		r.shards = 2
		r.add(0, 2)
		r.add(1, 3)
		r.consumer(streamer.ConsumerOptions{})
		want := []string{"0: 2, 6 bytes", "1: 3, 9 bytes"}
		var got []string
		for _, e := range events.all() {
			got = append(got, fmt.Sprintf("%d: %d, %d bytes", e.Shard, e.Messages, e.Bytes))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("reported %v, want %v", got, want)
		}
	})
}

func TestFetchedSaysHowLongItTook(t *testing.T) {
	var events seen[streamer.FetchEvent]
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{Fetched: events.add}}
	inBubble(t, abilities{}, o, func(t *testing.T, r *rig) {
		r.consumer(streamer.ConsumerOptions{})
		r.sleep(3 * time.Second)
		r.add(0, 1)
		r.sleep(time.Second)
		if got := events.all(); len(got) != 1 || got[0].Took != 3*time.Second {
			t.Fatalf("reported %+v, want 3s", got)
		}
	})
}

func TestGoneAndRetryingComeFromTheSource(t *testing.T) {
	var gone seen[streamer.GoneEvent]
	var retries seen[streamer.RetryEvent]
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{
		Gone:     gone.add,
		Retrying: retries.add,
	}}
	inBubble(t, abilities{}, o, func(t *testing.T, r *rig) {
		r.consumer(streamer.ConsumerOptions{})
		at, lost := streamer.StreamShard{Stream: "s", Shard: 0}, errors.New("lost")
		r.source(0).c.Gone(at, streamer.SeqUint(3), streamer.SeqUint(9))
		r.source(0).c.Retrying("reconnect", lost, time.Second)
		if got := gone.all(); len(got) != 1 || got[0] != (streamer.GoneEvent{StreamShard: at, Wanted: streamer.SeqUint(3), Got: streamer.SeqUint(9)}) {
			t.Errorf("Gone reported %+v", got)
		}
		if got := retries.all(); len(got) != 1 || got[0] != (streamer.RetryEvent{Op: "reconnect", Err: lost, After: time.Second}) {
			t.Errorf("Retrying reported %+v", got)
		}
	})
}

func TestWrittenReportsEveryWrite(t *testing.T) {
	var writes seen[streamer.WriteEvent]
	o := streamer.StreamerOptions{Hooks: streamer.Hooks{Written: writes.add}}
	inBubble(t, abilities{}, o, func(t *testing.T, r *rig) {
		lost := errors.New("lost")
		r.fails("write", driver.Transient(lost, time.Second))
		p := r.producer(streamer.ProducerOptions{})
		p.Send(t.Context(), streamer.Record{Value: []byte("abc"), Key: []byte("k")})
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		events := writes.all()
		if len(events) != 2 || !errors.Is(events[0].Err, lost) || events[1].Err != nil {
			t.Fatalf("reported %+v", events)
		}
		if e := events[1]; e.Stream != "s" || e.Records != 1 || e.Bytes != 4 {
			t.Errorf("reported %+v", e)
		}
	})
}
