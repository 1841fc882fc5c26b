package kafka_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

const (
	crewSize = 4 // members of each group
	crewTurn = 3 // who leaves or is killed at once
)

// TestMembersAreKilledUnderLoad: members of two groups join, leave and are
// killed, all with messages in hand, while records are sent. Each group gets
// every message, and only what was uncommitted at a SIGKILL is redelivered.
func TestMembersAreKilledUnderLoad(t *testing.T) {
	t.Parallel()
	trial := trials.New(t)
	at := onBrokers(trial, testservers.KafkaOptions{}, 2*crewSize)
	if at == nil {
		return
	}
	crews := []*trials.Crew{at.crew("billing"), at.crew("shipping")}
	f := trial.Flow(trial.Producer(trial.Connect(at.uri())), trials.Pace{Burst: 4, Every: 4 * time.Millisecond, Shards: at.shards})
	for _, c := range crews {
		c.Start(crewSize)
	}
	random, seed := trials.Random()
	rounds, cycles := trials.Soak(9, 200), 0
	for range rounds {
		for _, c := range crews {
			c.AwaitAll()
			for range crewTurn {
				c.LoseOne(random)
				cycles++
			}
			c.Start(crewTurn)
		}
	}
	for _, c := range crews {
		c.AwaitAll()
	}
	f.Stop()
	t.Logf("seed %d: %d cycles", seed, cycles)
	all := at.entries()
	for _, c := range crews {
		trial.Eventually("the group has had everything", func() bool { return c.Missing(all) == 0 })
		c.Settle(all)
		for shard, end := range ends(all) {
			if got := at.committed(c.Group)[shard]; got != end {
				t.Errorf("group %s has committed %d of %d messages of shard %d", c.Group, got, end, shard)
			}
		}
	}
}

// crew is a group of processes. Their session is as short as a busy machine
// allows: until it is over no member has the shards of a killed one.
func (s *realSite) crew(group string) *trials.Crew {
	return &trials.Crew{Trial: s.Trial, URI: s.uri("session_timeout=3s"), Group: group, Uncommitted: func(_ *trials.Member, got []trials.Entry) []trials.Entry {
		committed := s.committed(group)
		var left []trials.Entry
		for _, e := range got {
			if offset(e) >= committed[e.Shard] {
				left = append(left, e)
			}
		}
		return left
	}}
}

func offset(e trials.Entry) (n int64) {
	_, _ = fmt.Sscan(e.Seq, &n)
	return n
}

// ends are the offsets behind the last entries.
func ends(all []trials.Entry) map[streamer.ShardID]int64 {
	list := map[streamer.ShardID]int64{}
	for _, e := range all {
		list[e.Shard] = max(list[e.Shard], offset(e)+1)
	}
	return list
}
