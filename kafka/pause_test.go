package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
)

// fillWindow takes the n messages that fill every shard's window, and waits for
// another, in vain: that one is put aside and its shard paused.
func (r *rig) fillWindow(c streamer.Consumer, n int) []*streamer.Message {
	r.Helper()
	var held []*streamer.Message
	for len(held) < n {
		m, err := c.Next(r.ctx())
		r.must(err)
		held = append(held, m)
	}
	ctx, cancel := context.WithTimeout(r.ctx(), 2*quick)
	defer cancel()
	if m, err := c.Next(ctx); err == nil {
		r.Fatalf("%s came beyond the windows", m.Value)
	}
	return held
}

// takeAll acknowledges until every value from 0 to n-1 was there.
func (r *rig) takeAll(c streamer.Consumer, seen map[string]bool, n int) {
	r.Helper()
	ctx := r.ctx()
	for len(seen) < n {
		m, err := c.Next(ctx)
		if err != nil {
			r.Fatalf("%d of %d messages, then %v", len(seen), n, err)
		}
		seen[string(m.Value)] = true
		m.Ack()
	}
}

// A member whose windows are full loses a shard to a second member, and gets it
// back when that one leaves: the shard continues.
func TestAPausedShardThatComesBackGoesOn(t *testing.T) {
	for _, balancer := range []kafka.Balancer{kafka.CooperativeSticky, kafka.Sticky, kafka.Range} {
		t.Run(fmt.Sprint("balancer ", balancer), func(t *testing.T) {
			t.Parallel()
			const each, early, window, shards = 40, 30, 20, 2
			r := onReal(t, shards, nil)
			if r == nil {
				return
			}
			for p := range int32(shards) {
				r.must(r.storeFrom(p, int(p)*each, early))
			}
			config := kafka.Config{Balancers: []kafka.Balancer{balancer}}
			o := streamer.ConsumerOptions{
				Mode: streamer.LoadBalanced, Group: r.topic, AutoReset: streamer.Earliest,
				Ack: streamer.AckManual, MaxInFlight: window, CommitEvery: 50 * time.Millisecond,
			}
			c := r.consumer(r.connect(config, streamer.StreamerOptions{}), o)
			held := r.fillWindow(c, shards*window)
			for p := range int32(shards) { // a fetch ends, and the engine pauses what is full
				r.must(r.storeFrom(p, int(p)*each+early, each-early))
			}

			second := r.connect(config, streamer.StreamerOptions{})
			other := r.consumer(second, o)
			r.until("the shards to be shared", func() bool { return len(c.Assignment()) == 1 && len(other.Assignment()) == 1 })
			r.must(second.Close())
			r.until("the shard to come back", func() bool { return len(c.Assignment()) == shards })

			seen := make(map[string]bool)
			for _, m := range held {
				if m.Ack() {
					seen[string(m.Value)] = true
				}
			}
			r.takeAll(c, seen, shards*each)
		})
	}
}

// The same with create=always and a topic that is deleted and recreated.
func TestAPausedShardOfARecreatedTopicGoesOn(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		const n, window = 60, 20
		if o.Group == "" { // its windows are never full
			return
		}
		o.MaxInFlight, o.CommitEvery = window, streamer.Never
		s := r.connect(kafka.Config{Create: streamer.CreateAlways}, streamer.StreamerOptions{})
		r.must(r.storeFrom(0, 0, n/2))
		c := r.consumer(s, o)
		r.fillWindow(c, window)
		r.must(r.storeFrom(0, n/2, n/2))
		r.delete()
		r.create(2, nil)
		r.must(r.storeFrom(0, n, n))
		seen := make(map[string]bool)
		for ctx := r.ctx(); len(seen) < n; {
			m, err := c.Next(ctx)
			if err != nil {
				r.Fatalf("%d of %d messages, then %v", len(seen), n, err)
			}
			seen[string(m.Value)] = true
			m.Ack()
		}
	})
}
