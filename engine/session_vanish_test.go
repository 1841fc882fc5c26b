package engine

import (
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestAShardThatVanishedIsNotWaitedForAndLeavesNothingToReport(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 10)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, CommitEvery: streamer.Never})
		list := r.take(c, 4)
		ackAll(list[:2])
		from := time.Now()
		r.source(0).c.Vanished(shardList(0))
		if d := time.Since(from); d != 0 {
			t.Errorf("Vanished took %v", d)
		}
		if list[2].Ack() {
			t.Error("an Ack after the shard vanished counted")
		}
		r.nothing(c, time.Second)
		if err := c.Commit(t.Context()); err != nil {
			t.Errorf("Commit = %v, though nothing of the shard is redelivered", err)
		}
		r.called([]string{"open"})
	})
}
