package redis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/trials"
)

var groupModes = []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced}

// eachGroupMode runs a counterpart in the modes that have a group.
func eachGroupMode(t *testing.T, run func(*sea, streamer.ConsumerMode)) {
	for _, mode := range groupModes {
		t.Run(trials.NameOf(mode), func(t *testing.T) {
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
				first := sea.Consumer(s, o)
				late := o
				late.Group, late.AutoReset = "late", streamer.Latest
				latest := sea.Consumer(s, late)
				sea.Next(first, span(0, 5)...)
				ended, cancel := context.WithCancel(sea.Ctx)
				cancel()
				if _, err := first.Next(ended); !errors.Is(err, context.Canceled) {
					sea.Fatalf("Next with a cancelled context: %v", err)
				}
				sea.Must("Close", first.Close())
				sea.send(s, stream, 5, 10)
				sea.Next(latest, span(5, 10)...)
				again := sea.Consumer(s, o)
				sea.Next(again, span(5, 10)...)
				sea.quiet(again)
			})
		})
	}
}

// Rolling and Disabled of SeaStreamer are AckManual here, with and without
// commits of their own; Commit is allowed in both.
func TestSeaStreamerRollingAndDisabled(t *testing.T) {
	for name, every := range map[string]time.Duration{"rolling": 10 * time.Millisecond, "disabled": streamer.Never} {
		t.Run(name, func(t *testing.T) {
			eachGroupMode(t, func(sea *sea, mode streamer.ConsumerMode) {
				stream := sea.stream()
				s := sea.open(stream, "create=always")
				o := trials.Reader(mode)
				o.CommitEvery = every
				sea.send(s, stream, 0, 5)
				c := sea.Consumer(s, o)
				ackAll(sea.Next(c, span(0, 5)...)[:4])
				if every == streamer.Never {
					sea.Must("Commit", c.Commit(sea.Ctx))
				}
				sea.Must("Close", c.Close())
				sea.send(s, stream, 5, 10)
				again := sea.Consumer(s, o)
				sea.Next(again, span(4, 10)...) // and commits nothing
				never := o
				never.Group = "never"
				sea.Next(sea.Consumer(s, never), span(0, 10)...)
			})
		})
	}
}

// At is inclusive here; SeaStreamer's is exclusive on Redis alone.
func TestSeaStreamerSeekRewind(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable} {
		for _, prefetch := range []int{1, 5, 25} {
			t.Run(fmt.Sprintf("%s/prefetch=%d", trials.NameOf(mode), prefetch), func(t *testing.T) {
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
	o := trials.Reader(mode)
	o.Prefetch = prefetch
	metas := t.send(s, stream, 0, 100)
	c := t.Consumer(s, o)
	t.Next(c, span(0, 100)...)
	t.Must("Rewind", c.Rewind(t.Ctx, streamer.Beginning()))
	t.Next(c, span(0, 40)...)
	t.Must("Rewind", c.Rewind(t.Ctx, streamer.At(metas[29].Seq)))
	t.Next(c, span(29, 50)...)
	t.Must("Rewind", c.Rewind(t.Ctx, streamer.After(metas[29].Seq)))
	t.Next(c, span(30, 50)...)
	first := 29
	for first > 0 && metas[first-1].Time.Equal(metas[29].Time) {
		first--
	}
	t.Must("Seek", c.Seek(t.Ctx, metas[29].Time))
	t.Next(c, span(first, 100)...)
	t.Must("Rewind", c.Rewind(t.Ctx, streamer.End()))
	t.send(s, stream, 100, 110)
	t.Next(c, span(100, 110)...)
	t.quiet(c)
}

// SeaStreamer spreads records in turn; here they go by key, or where the sender
// says.
func TestSeaStreamerSharding(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable} {
		t.Run(trials.NameOf(mode), func(t *testing.T) {
			sea := newSea(t)
			if sea == nil {
				return
			}
			const shards = 3
			stream := sea.stream()
			p := sea.Producer(sea.open(stream, fmt.Sprint("shards=", shards)))
			send := func(from, to int) {
				for i := from; i < to; i++ {
					shard := streamer.ShardID(i % shards)
					m, err := p.Send(sea.Ctx, streamer.Record{Value: fmt.Append(nil, i), Shard: &shard}).Wait(sea.Ctx)
					sea.Must("Send", err)
					if m.Shard != shard {
						t.Fatalf("record %d went to shard %d", i, m.Shard)
					}
				}
			}
			send(0, 10)
			c := sea.Consumer(sea.open(stream, "shards=auto"), trials.Reader(mode))
			if found := c.Assignment(); len(found) != shards {
				t.Fatalf("found %v", found)
			}
			receive := func(from, to int) {
				got := map[int]bool{}
				for range to - from {
					m, err := c.Next(sea.Ctx)
					sea.Must("Next", err)
					n := trials.NumberOf(m.Value)
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
