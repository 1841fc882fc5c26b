package redis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

var groupModes = []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced}

// eachGroupMode runs a counterpart in the modes that have a group.
func eachGroupMode(t *testing.T, run func(*sea, streamer.ConsumerMode)) {
	for _, mode := range groupModes {
		t.Run(nameOf(mode), func(t *testing.T) {
			if sea := newSea(t); sea != nil {
				run(sea, mode)
			}
		})
	}
}

// Immediate and Delayed of SeaStreamer are AckOnDelivery and AckDelayed here.
func TestSeaStreamerImmediateAndDelayed(t *testing.T) {
	for name, policy := range map[string]streamer.AckPolicy{"immediate": streamer.AckOnDelivery, "delayed": streamer.AckDelayed} {
		t.Run(name, func(t *testing.T) {
			eachGroupMode(t, func(sea *sea, mode streamer.ConsumerMode) {
				stream := sea.stream()
				s := sea.open(stream, "create=always")
				o := streamer.ConsumerOptions{Mode: mode, Group: "g", AutoReset: streamer.Earliest, Ack: policy}
				sea.send(s, stream, 0, 5)
				first := sea.consumer(s, o)
				late := o
				late.Group, late.AutoReset = "late", streamer.Latest
				latest := sea.consumer(s, late)
				sea.next(first, span(0, 5)...)
				ended, cancel := context.WithCancel(sea.ctx)
				cancel()
				if _, err := first.Next(ended); !errors.Is(err, context.Canceled) {
					sea.Fatalf("Next with a cancelled context: %v", err)
				}
				sea.must("Close", first.Close())
				sea.send(s, stream, 5, 10)
				sea.next(latest, span(5, 10)...)
				again := sea.consumer(s, o)
				sea.next(again, span(5, 10)...)
				sea.quiet(again)
			})
		})
	}
}

// Rolling and Disabled of SeaStreamer are AckManual here, with and without commits of their own; Commit is allowed in both.
func TestSeaStreamerRollingAndDisabled(t *testing.T) {
	for name, every := range map[string]time.Duration{"rolling": 10 * time.Millisecond, "disabled": streamer.Never} {
		t.Run(name, func(t *testing.T) {
			eachGroupMode(t, func(sea *sea, mode streamer.ConsumerMode) {
				stream := sea.stream()
				s := sea.open(stream, "create=always")
				o := reader(mode)
				o.CommitEvery = every
				sea.send(s, stream, 0, 5)
				c := sea.consumer(s, o)
				ackAll(sea.next(c, span(0, 5)...)[:4])
				if every == streamer.Never {
					sea.must("Commit", c.Commit(sea.ctx))
				}
				sea.must("Close", c.Close())
				sea.send(s, stream, 5, 10)
				again := sea.consumer(s, o)
				sea.next(again, span(4, 10)...) // and commits nothing
				never := o
				never.Group = "never"
				sea.next(sea.consumer(s, never), span(0, 10)...)
			})
		})
	}
}

// At is inclusive here; SeaStreamer's is exclusive on Redis alone.
func TestSeaStreamerSeekRewind(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable} {
		for _, prefetch := range []int{1, 5, 25} {
			t.Run(fmt.Sprintf("%s/prefetch=%d", nameOf(mode), prefetch), func(t *testing.T) {
				sea := newSea(t)
				if sea == nil {
					return
				}
				seekRewind(sea, mode, prefetch)
			})
		}
	}
}

func seekRewind(t *sea, mode streamer.ConsumerMode, prefetch int) {
	stream := t.stream()
	s := t.open(stream, "create=always")
	o := reader(mode)
	o.Prefetch = prefetch
	metas := t.send(s, stream, 0, 100)
	c := t.consumer(s, o)
	t.next(c, span(0, 100)...)
	t.must("Rewind", c.Rewind(t.ctx, streamer.Beginning()))
	t.next(c, span(0, 40)...)
	t.must("Rewind", c.Rewind(t.ctx, streamer.At(metas[29].Seq)))
	t.next(c, span(29, 50)...)
	t.must("Rewind", c.Rewind(t.ctx, streamer.After(metas[29].Seq)))
	t.next(c, span(30, 50)...)
	first := 29
	for first > 0 && metas[first-1].Time.Equal(metas[29].Time) {
		first--
	}
	t.must("Seek", c.Seek(t.ctx, metas[29].Time))
	t.next(c, span(first, 100)...)
	t.must("Rewind", c.Rewind(t.ctx, streamer.End()))
	t.send(s, stream, 100, 110)
	t.next(c, span(100, 110)...)
	t.quiet(c)
}

// SeaStreamer spreads records in turn; here they go by key, or where the sender says.
func TestSeaStreamerSharding(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable} {
		t.Run(nameOf(mode), func(t *testing.T) {
			sea := newSea(t)
			if sea == nil {
				return
			}
			const shards = 3
			stream := sea.stream()
			p := sea.producer(sea.open(stream, fmt.Sprint("shards=", shards)))
			send := func(from, to int) {
				for i := from; i < to; i++ {
					shard := streamer.ShardID(i % shards)
					m, err := p.Send(sea.ctx, streamer.Record{Value: fmt.Append(nil, i), Shard: &shard}).Wait(sea.ctx)
					sea.must("Send", err)
					if m.Shard != shard {
						t.Fatalf("record %d went to shard %d", i, m.Shard)
					}
				}
			}
			send(0, 10)
			c := sea.consumer(sea.open(stream, "shards=auto"), reader(mode))
			if found := c.Assignment(); len(found) != shards {
				t.Fatalf("found %v", found)
			}
			receive := func(from, to int) {
				got := map[int]bool{}
				for range to - from {
					m, err := c.Next(sea.ctx)
					sea.must("Next", err)
					n := numberOf(m.Value)
					if n < from || n >= to || got[n] || m.Shard != streamer.ShardID(n%shards) {
						t.Fatalf("message %d of shard %d among %d to %d", n, m.Shard, from, to-1)
					}
					got[n] = true
				}
			}
			receive(0, 10)
			send(10, 20)
			receive(10, 20)
			sea.quiet(c)
		})
	}
}
