package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/list"
	"github.com/gostreamer/streamer/internal/wait"
)

// chaos reads a log by every method in turn while shards come and go and
// commits fail, and keeps its own account of what was delivered and
// acknowledged.
type chaos struct {
	*rig
	c *consumer

	mu    sync.Mutex
	acked map[streamer.StreamShard]map[uint64]bool // Ack was called
	last  map[*ledger]uint64                       // delivered; a ledger is one assignment
}

const chaosMessages = 300

func newChaos(r *rig, c *consumer) *chaos {
	x := &chaos{rig: r, c: c, acked: map[streamer.StreamShard]map[uint64]bool{}, last: map[*ledger]uint64{}}
	for _, at := range shardList(0, 1, 2) {
		x.acked[at] = map[uint64]bool{}
	}
	return x
}

// got checks a delivery and acknowledges it some time later, or not at all.
func (x *chaos) got(m *streamer.Message) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at, seq, assignment := shardOf(m), m.Seq.Uint(), runOf(m).led
	if last, ok := x.last[assignment]; ok && seq != last+1 {
		x.t.Errorf("shard %d: %d came after %d in one assignment", at.Shard, seq, last)
	}
	x.last[assignment] = seq
	x.acked[at][seq] = true
	if rand.IntN(10) > 0 {
		m.Ack()
		return
	}
	time.AfterFunc(time.Duration(rand.IntN(3000))*time.Millisecond, func() { m.Ack() })
}

// read takes a few messages by one method, within a short time.
func (x *chaos) read(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(1+rand.IntN(20))*time.Millisecond)
	defer cancel()
	switch rand.IntN(4) {
	case 0:
		if m, err := x.c.Next(ctx); err == nil {
			x.got(m)
		}
	case 1:
		batch, _ := x.c.NextBatch(ctx, 1+rand.IntN(20))
		for _, m := range batch {
			x.got(m)
		}
	case 2:
		n := 0
		for m := range x.c.Stream(ctx) {
			x.got(m)
			if n++; n == 5 {
				cancel() // the Stream may have the sixth in hand
				break
			}
		}
	default:
		for m, err := range x.c.Messages(ctx) {
			if err != nil {
				return
			}
			if x.got(m); rand.IntN(5) == 0 {
				break
			}
		}
	}
}

// rebalance takes a shard away and gives it back at what is committed.
func (x *chaos) rebalance() {
	at := shardList(0, 1, 2)[rand.IntN(3)]
	f := x.source(0)
	x.change(func() { f.all = list.Without(slices.Clone(f.all), at) })
	f.c.Revoked([]streamer.StreamShard{at}, rand.IntN(2) == 0)
	x.change(func() { f.next[at] = int(f.b.committed[at].Uint()) }) // a pause outlasts it, as kgo's does
	f.c.Assigned(shardList(0, 1, 2))
	x.change(func() { f.all = append(f.all, at) })
}

// check compares the committed positions with what was acknowledged.
func (x *chaos) check() (done bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	done = true
	for at, acked := range x.acked {
		mark := x.mark(at.Shard)
		for seq := uint64(1); seq <= mark; seq++ {
			if !acked[seq] {
				x.t.Errorf("shard %d: committed %d over %d, which was not acknowledged", at.Shard, mark, seq)
				return true
			}
		}
		done = done && mark == chaosMessages
	}
	return done
}

func TestNothingIsSkippedWhateverHappens(t *testing.T) {
	for range 10 {
		inBubble(t, abilities{cursor: true, pauser: rand.IntN(2) == 0}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.shards = 3
			for id := range 3 {
				r.add(streamer.ShardID(id), chaosMessages)
			}
			c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckManual, Prefetch: 1 + rand.IntN(50), MaxInFlight: 1 + rand.IntN(50)})
			x := newChaos(r, c)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			rebalances := background(func() error {
				for range 20 {
					wait.Pause(ctx, time.Duration(rand.IntN(2000))*time.Millisecond)
					if rand.IntN(2) == 0 {
						r.fails("commit", errors.New("lost"))
					}
					x.rebalance()
				}
				return nil
			})
			for !x.check() {
				if x.read(ctx); ctx.Err() != nil {
					t.Fatal("the log was not worked off in an hour")
				}
			}
			_ = rebalances()
			synctest.Wait()
		})
	}
}
