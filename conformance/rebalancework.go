package conformance

import (
	"time"

	"github.com/gostreamer/streamer"
)

// workOutlastsRebalance: what a member works on while it gives shards up is
// acknowledged before they go: the next owner does not get it.
func workOutlastsRebalance(b *bed) {
	const shards, n = 2, 100
	b.open(Plan{Shards: shards})
	if b.Groups != Owned {
		return // no shard is given up
	}
	owner := b.consumer(b.balanced())
	b.settle(owner)
	b.sendN(0, n, shards)
	inWork := b.take(owner, n/4)
	copies := make(map[int]bool)
	for _, m := range inWork {
		copies[number(m)] = true
	}
	done := b.background("work in progress", func() error {
		time.Sleep(moment)
		for _, m := range inWork {
			m.Ack()
		}
		return nil
	})
	other := b.consumerOn(b.connect(), b.balanced())
	done()
	b.gather(n-len(inWork), func(_ int, m *streamer.Message) error {
		if copies[number(m)] {
			b.Errorf("message %d was being worked on, was acknowledged, and reached another member", number(m))
		}
		m.Ack()
		return nil
	}, owner, other)
}
