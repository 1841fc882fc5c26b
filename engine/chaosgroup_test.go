package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// groupChaos is a group inside a process whose members come and go, take
// messages in every way, and acknowledge in any order.
type groupChaos struct {
	*rig
	o       streamer.ConsumerOptions
	members []*chaosMember
	acked   map[string]bool
	copies  map[string]int
}

type chaosMember struct {
	*consumer
	held []*streamer.Message
	last map[string]uint64 // by shard and key
}

const groupChaosMessages = 400

// take has a member take a few messages.
func (x *groupChaos) take(c *chaosMember) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+rand.IntN(5))*time.Millisecond)
	defer cancel()
	switch rand.IntN(3) {
	case 0:
		if m, err := c.Next(ctx); err == nil {
			x.got(c, m)
		}
	case 1:
		batch, _ := c.NextBatch(ctx, 1+rand.IntN(5))
		for _, m := range batch {
			x.got(c, m)
		}
	default:
		n := 1 + rand.IntN(3)
		for m := range c.Stream(ctx) {
			x.got(c, m)
			if n--; n == 0 {
				cancel()
			}
		}
	}
}

func (x *groupChaos) got(c *chaosMember, m *streamer.Message) {
	v := string(m.Value)
	if x.copies[v]++; x.o.Ack == streamer.AckOnDelivery && x.copies[v] > 1 {
		x.t.Errorf("%s is delivered twice", v)
	}
	if x.acked[v] {
		x.t.Errorf("%s was acknowledged and is delivered again", v)
	}
	if k := fmt.Sprint(m.Shard, string(m.Key)); m.Key != nil {
		if m.Seq.Uint() <= c.last[k] {
			x.t.Errorf("key %s: %d after %d", k, m.Seq.Uint(), c.last[k])
		}
		c.last[k] = m.Seq.Uint()
	}
	c.held = append(c.held, m)
	n := 0
	for _, c := range x.members {
		for _, h := range c.held {
			if h.Shard == m.Shard {
				n++
			}
		}
	}
	if x.o.Ack == streamer.AckManual && n > x.o.MaxInFlight {
		x.t.Errorf("%d of shard %d are in flight, the window is %d", n, m.Shard, x.o.MaxInFlight)
	}
}

// ack acknowledges some of what a member holds, in any order.
func (x *groupChaos) ack(c *chaosMember, all bool) {
	rand.Shuffle(len(c.held), func(i, j int) { c.held[i], c.held[j] = c.held[j], c.held[i] })
	n := len(c.held)
	if !all {
		n = rand.IntN(n + 1)
	}
	for _, m := range c.held[:n] {
		m.Ack()
		x.acked[string(m.Value)] = true
	}
	c.held = slices.Clone(c.held[n:])
}

func (x *groupChaos) join() {
	for _, c := range x.members {
		c.last = map[string]uint64{} // keys move
	}
	x.members = append(x.members, &chaosMember{consumer: x.consumer(x.o), last: map[string]uint64{}})
}

func (x *groupChaos) leave() {
	i := rand.IntN(len(x.members))
	c := x.members[i]
	x.members = slices.Delete(x.members, i, i+1)
	c.held = nil // what it held and did not acknowledge goes to others
	if err := c.Close(); err != nil {
		x.t.Errorf("Close = %v", err)
	}
	for _, c := range x.members {
		c.last = map[string]uint64{}
	}
}

func (x *groupChaos) step() {
	switch n := rand.IntN(100); {
	case n < 2 && len(x.members) < 5:
		x.join()
	case n < 4 && len(x.members) > 1:
		x.leave()
	case n < 6:
		x.change(func() { x.faults["commit"] = []error{driver.Transient(errors.New("away"), 0)} })
	case n < 30:
		x.ack(x.members[rand.IntN(len(x.members))], false)
	default:
		x.take(x.members[rand.IntN(len(x.members))])
	}
}

func TestAGroupInAProcessDeliversAllWhateverItsMembersDo(t *testing.T) {
	for range 60 {
		can := abilities{cursor: true, dealt: true, room: rand.IntN(2) == 0, pauser: rand.IntN(2) == 0}
		inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.shards = 1 + rand.IntN(3)
			for i := range groupChaosMessages {
				var key []byte
				if rand.IntN(2) == 0 {
					key = fmt.Append(nil, "k", rand.IntN(6))
				}
				r.addKeyed(streamer.ShardID(i%r.shards), key, 1)
			}
			x := &groupChaos{rig: r, acked: map[string]bool{}, copies: map[string]int{}}
			x.o = streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckManual, MaxInFlight: 1 + rand.IntN(12), Prefetch: 1 + rand.IntN(50)}
			if rand.IntN(3) == 0 {
				x.o.Ack = streamer.AckOnDelivery
			}
			x.join()
			for range 300 {
				x.step()
			}
			for still := 0; len(x.copies) < groupChaosMessages; still++ {
				was := len(x.copies)
				for _, c := range x.members {
					x.ack(c, true)
					x.take(c)
				}
				if len(x.copies) > was {
					still = 0
				}
				if still == 200 {
					t.Fatalf("%+v, %+v: stands still after %d of %d messages, %d members", can, x.o, len(x.copies), groupChaosMessages, len(x.members))
				}
				if still%20 == 19 {
					r.sleep(time.Second)
				}
			}
			for len(x.members) > 0 {
				x.ack(x.members[0], true)
				if err := x.members[0].Close(); err != nil {
					t.Error(err)
				}
				x.members = x.members[1:]
			}
			synctest.Wait()
			for id := range r.shards {
				if got, want := r.mark(streamer.ShardID(id)), len(r.log[streamer.StreamShard{Stream: "s", Shard: streamer.ShardID(id)}]); got != uint64(want) {
					t.Errorf("shard %d: committed %d, want all %d", id, got, want)
				}
			}
		})
	}
}
