package memory

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestSharedMessagesGoToWhoAsksFirstAndComeBackFromTheDead(t *testing.T) {
	r := newRig(t, Config{Acks: ByMessage})
	r.create("s", 2)
	r.send("s", 0, 0, 600)
	a, b, c := r.member("g", "a", streamer.LoadBalanced), r.member("g", "b", streamer.LoadBalanced), r.member("g", "c", streamer.LoadBalanced)
	fromA, fromB, fromC := a.read(100), b.read(100), c.read(100)
	equal(t, values(fromA), numbers(0, 100))
	equal(t, values(fromB), numbers(100, 100))
	equal(t, values(fromC), numbers(200, 100))
	r.ok(a.ack(fromA[:50]...))
	r.ok(b.ack(fromB[10:]...))
	r.ok(b.ack(fromA[60])) // not b's: nothing happens
	a.close()
	r.ok(r.log.Expel("g", "b"))
	r.is(b.ack(fromB[:10]...), streamer.ErrFenced)
	equal(t, c.values(100), append(append(numbers(50, 50), numbers(100, 10)...), numbers(300, 40)...))
	c.close()
	b.close()
	again := r.member("g", "d", streamer.LoadBalanced)
	var got []string
	for len(got) < 460 {
		got = append(got, values(fetched(again))...)
	}
	equal(t, got, append(append(numbers(50, 50), numbers(100, 10)...), numbers(200, 400)...))
}

func fetched(rd *reader) []streamer.Message {
	rd.Helper()
	slab, err := rd.fetch()
	rd.ok(err)
	return slab
}

func TestAMemberTakesNoMoreThanItHasRoomFor(t *testing.T) {
	r := newRig(t, Config{Acks: ByMessage})
	r.create("s", 1)
	r.send("s", 0, 0, 50)
	a := r.open(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.LoadBalanced, Group: "g", Room: func() int { return 7 }})
	b := r.member("g", "b", streamer.LoadBalanced)
	equal(t, values(fetched(a)), numbers(0, 7))
	equal(t, values(fetched(b)), numbers(7, 43))
}

func TestReleasedMessagesGoToAnotherMember(t *testing.T) {
	r := newRig(t, Config{Acks: ByMessage})
	r.create("s", 1)
	r.send("s", 0, 0, 20)
	a, b := r.member("g", "a", streamer.LoadBalanced), r.member("g", "b", streamer.LoadBalanced)
	got := a.read(20)
	back := ackedOf(got[5:])
	for range 2 {
		r.ok(a.src.(driver.Releaser).Release(t.Context(), back))
	}
	equal(t, b.values(15), numbers(5, 15))
	r.ok(a.ack(got...))
	r.ok(b.ack(got[5:]...))
	a.close()
	b.close()
	r.member("g", "c", streamer.LoadBalanced).nothing()
}

func TestAcksInAnyOrderLeaveExactlyTheRest(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		r := newRig(t, Config{Acks: ByMessage})
		r.create("s", 1)
		r.send("s", 0, 0, 100)
		rd := r.member("g", "a", mode)
		got := rd.read(100)
		var rest []string
		for i := 99; i >= 0; i-- {
			if i%7 == 3 {
				rest = append(rest, fmt.Sprint(i))
				continue
			}
			r.ok(rd.ack(got[i]))
		}
		rd.close()
		slices.Reverse(rest)
		rd = r.member("g", "a", mode)
		var again []streamer.Message
		for len(again) < len(rest) {
			again = append(again, fetched(rd)...)
		}
		equal(t, values(again), rest)
		r.ok(rd.ack(again...))
		rd.nothing()
		rd.close()
		Drop(t.Name())
	}
}
