package memory

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// Members come and go while messages flow: every message is committed once, and
// what comes twice was delivered and not committed.
func TestGroupsSurviveComingAndGoing(t *testing.T) {
	const shards, each = 8, 400
	for _, acks := range []Acks{ByCursor, ByMessage} {
		t.Run(acks.String(), func(t *testing.T) {
			r := newRig(t, Config{Acks: acks})
			r.create("s", shards)
			var writers sync.WaitGroup
			for id := range streamer.ShardID(shards) {
				writers.Go(func() { r.send("s", id, 0, each) })
			}
			seen := newTally()
			var members sync.WaitGroup
			for i := range 4 {
				members.Go(func() {
					for round := range 5 {
						m := r.open(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.LoadBalanced, Group: "g", Name: fmt.Sprint(i), MaxBatch: 50})
						seen.consume(m, (round+1)*shards*each/6)
						m.close()
					}
				})
			}
			writers.Wait()
			members.Wait()
			last := r.member("g", "last", streamer.LoadBalanced)
			seen.consume(last, shards*each)
			last.nothing()
			if len(seen.committed) != shards*each {
				t.Errorf("%d committed, want %d", len(seen.committed), shards*each)
			}
			if n := seen.twice; n > 0 {
				t.Errorf("%d committed twice", n)
			}
		})
	}
}

// tally counts what was committed, over all members.
type tally struct {
	mu        sync.Mutex
	committed map[string]bool
	twice     int
}

func newTally() *tally { return &tally{committed: map[string]bool{}} }

// consume reads and commits, batch by batch, until n messages are committed in
// all. A revocation waits for the batch.
func (y *tally) consume(rd *reader, n int) {
	for y.count() < n {
		y.batch(rd)
	}
}

func (y *tally) batch(rd *reader) {
	rd.working.Lock()
	defer rd.working.Unlock()
	slab, _ := rd.fetchShort()
	for _, m := range slab {
		if rd.finish(m) == nil {
			y.add(fmt.Sprintf("%d/%v", m.Shard, m.Seq))
		}
	}
}

func (y *tally) count() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.committed)
}

func (y *tally) add(key string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.committed[key] {
		y.twice++
	}
	y.committed[key] = true
}
