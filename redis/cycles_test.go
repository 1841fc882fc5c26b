package redis_test

import (
	"testing"
	"time"

	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// TestMember is a member of the group of TestMembersComeAndGo.
func TestMember(t *testing.T) { trials.RunMember(t) }

// TestMembersComeAndGo: members of one group join, leave and are killed, all
// with messages in hand, while records are sent. No message is lost, and only
// what was uncommitted at a SIGKILL is redelivered.
func TestMembersComeAndGo(t *testing.T) {
	trial := trials.New(t)
	server := testservers.StartRedis(t, testservers.RedisOptions{})
	if server == nil {
		return
	}
	base := "redis://" + server.Addr() + "/orders?create=always"
	c := &trials.Crew{Trial: trial, URI: base + "&claim_idle=2s&claim_interval=100ms", Group: "g"}
	c.Uncommitted = func(m *trials.Member, _ []trials.Entry) []trials.Entry { return pendingOf(server, m) }
	f := trial.Flow(trial.Producer(trial.Connect(base)), trials.Pace{Burst: 5, Every: 5 * time.Millisecond})
	c.Join(3)
	random, seed := trials.Random()
	cycles := trials.Soak(50, 1000)
	for range cycles {
		c.LoseOne(random)
		c.Join(1)
	}
	f.Stop()
	t.Logf("seed %d: %d cycles", seed, cycles)
	trial.Eventually("the group is done", func() bool {
		group := server.Do("XINFO", "GROUPS", "orders").([]any)[0].([]any)
		pending, lag := group[5], group[11]
		return lag == int64(0) && pending == int64(0)
	})
	all := entries(trial, server, "orders")
	c.Settle(all)
	_, stored := f.Counts()
	if pending := server.Do("XPENDING", "orders", "g").([]any)[0]; pending != int64(0) || len(all) != stored {
		t.Errorf("%v are pending; %d are stored, of which %d are there", pending, stored, len(all))
	}
}

// pendingOf is what is pending in a member's name. When it is dead others take
// that over, no sooner than it was idle for claim_idle.
func pendingOf(server *testservers.RedisServer, m *trials.Member) []trials.Entry {
	var list []trials.Entry
	for _, p := range server.Do("XPENDING", "orders", "g", "-", "+", "100000", m.Name).([]any) {
		list = append(list, trials.Entry{Seq: p.([]any)[0].(string)})
	}
	return list
}
