package conformance

import (
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// onDeliverySlow: a member whose handler is slow has others do what it fetched.
// None of that was acknowledged, so none is lost, and none is delivered twice,
// also not after everything was closed in order.
func onDeliverySlow(b *bed) {
	const shards, n, slowOnes, pause = 2, 60, 3, 500 * time.Millisecond
	b.open(Plan{Shards: shards})
	o := b.balanced()
	o.Ack = streamer.AckOnDelivery
	first := b.connect()
	members := []streamer.Consumer{b.consumer(o), b.consumerOn(first, o)}
	b.settle(members...)
	b.sendN(0, n, shards)
	copies := make(map[int]int)
	for range slowOnes {
		copies[number(b.next(members[0], "a message for the slow handler"))]++
		time.Sleep(pause)
	}
	var mu sync.Mutex
	b.gather(n/2, func(_ int, m *streamer.Message) error {
		mu.Lock()
		defer mu.Unlock()
		copies[number(m)]++
		return nil
	}, members...)
	for _, m := range members {
		b.close(m)
	}
	if b.lacks(Resuming) {
		return
	}
	for _, m := range b.rest(b.consumer(o), shards) {
		copies[number(m)]++
	}
	// Where members are dealt one position's messages, that may pass what
	// another of them had not taken: the policy promises at most once.
	if lost := n - len(copies); lost > 0 && b.Groups != Dealt {
		b.Errorf("%d of %d messages are lost", lost, n)
	}
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages were delivered twice", d)
	}
}
