package kafka_test

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer/internal/trials"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var errDropped = errors.New("the connection is dropped")

// fault makes a cluster do something once, or a few times; happened says
// whether it has.
type fault func(c *kfake.Cluster, random *rand.Rand) (happened func() bool)

// refuse answers the next requests of these kinds with an error. An answer that
// says that the time is over, or that replicas are missing, is a lie: the
// broker has done what it was asked for.
func refuse(n int, code *kerr.Error, keys ...kmsg.Key) fault {
	return func(c *kfake.Cluster, _ *rand.Rand) func() bool {
		h := c.Fault(kfake.Fault{Keys: keys, Err: code, Count: n})
		return func() bool { return h.Hits() > 0 }
	}
}

// drop breaks the connection at the next request of a kind.
func drop(key kmsg.Key) fault {
	return func(c *kfake.Cluster, _ *rand.Rand) func() bool {
		var dropped atomic.Bool
		c.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			dropped.Store(true)
			return nil, errDropped, true
		})
		return dropped.Load
	}
}

// throttle makes a reader wait, as a quota does: with an answer that is empty.
func throttle(c *kfake.Cluster, random *rand.Rand) func() bool {
	var throttled atomic.Bool
	pause := 20 + random.Int32N(100)
	c.ControlKey(kmsg.Fetch.Int16(), func(k kmsg.Request) (kmsg.Response, error, bool) {
		throttled.Store(true)
		resp := k.ResponseKind().(*kmsg.FetchResponse) //nolint:forcetypeassert // it is one of Fetch
		resp.ThrottleMillis = pause
		return resp, nil, true
	})
	return throttled.Load
}

func moveLeader(c *kfake.Cluster, random *rand.Rand) func() bool {
	err := c.MoveTopicPartition(orders, random.Int32N(int32(pace.Shards)), random.Int32N(fakeBrokers)) //nolint:gosec // a few
	return func() bool { return err == nil }
}

// moveCoordinator also keeps the new one from being found at first.
func moveCoordinator(c *kfake.Cluster, _ *rand.Rand) func() bool {
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable, Count: 2})
	c.RehashCoordinators()
	return func() bool { return h.Hits() > 0 }
}

// both makes two faults, of which the first leads to the second.
func both(first, second fault) fault {
	return func(c *kfake.Cluster, random *rand.Rand) func() bool {
		then := second(c, random)
		first(c, random)
		return then
	}
}

// faults are what a cluster does now and then.
var faults = map[string][]fault{
	"acknowledgements are lost": {
		refuse(2, kerr.RequestTimedOut, kmsg.Produce), refuse(2, kerr.NotEnoughReplicasAfterAppend, kmsg.Produce), drop(kmsg.Produce),
	},
	"leaders move": {
		refuse(2, kerr.NotLeaderForPartition, kmsg.Produce), refuse(2, kerr.NotLeaderForPartition, kmsg.Fetch),
		refuse(1, kerr.FencedLeaderEpoch, kmsg.Fetch), moveLeader,
	},
	"coordinators move": {
		moveCoordinator,
		refuse(3, kerr.NotCoordinator, kmsg.OffsetCommit), refuse(3, kerr.CoordinatorLoadInProgress, kmsg.OffsetCommit),
		refuse(2, kerr.NotCoordinator, kmsg.Heartbeat), refuse(2, kerr.CoordinatorLoadInProgress, kmsg.Heartbeat),
	},
	"a member is shut out": {
		refuse(1, kerr.UnknownMemberID, kmsg.Heartbeat), refuse(1, kerr.IllegalGeneration, kmsg.Heartbeat), refuse(1, kerr.RebalanceInProgress, kmsg.Heartbeat),
		both(refuse(1, kerr.RebalanceInProgress, kmsg.Heartbeat), drop(kmsg.JoinGroup)),
		both(refuse(1, kerr.RebalanceInProgress, kmsg.Heartbeat), drop(kmsg.SyncGroup)),
		both(refuse(1, kerr.UnknownMemberID, kmsg.Heartbeat), refuse(3, kerr.CoordinatorNotAvailable, kmsg.OffsetFetch)),
	},
	"commits fail": {
		refuse(1, kerr.RequestTimedOut, kmsg.OffsetCommit), refuse(3, kerr.UnknownServerError, kmsg.OffsetCommit), drop(kmsg.OffsetCommit), drop(kmsg.OffsetFetch),
	},
	"readers are throttled": {throttle, drop(kmsg.Fetch)},
}

const fakeBrokers = 3

// TestFaultsUnderLoad: whatever a cluster does now and then, all is stored and
// delivered, once and in order.
func TestFaultsUnderLoad(t *testing.T) {
	for name, list := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulty(trials.New(t), list)
		})
	}
}

func faulty(t *trials.Trial, list []fault) {
	c, err := kfake.NewCluster(kfake.NumBrokers(fakeBrokers), kfake.GroupMinSessionTimeout(time.Second))
	t.Must("NewCluster", err)
	t.Cleanup(c.Close)
	past, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	t.Must("NewClient", err)
	t.Cleanup(past.Close)
	l := underLoad(newSite(t, c.ListenAddrs(), past, pace.Shards), "session_timeout=3s")
	random, seed := trials.Random()
	rounds := trials.Soak(12, 500)
	for range rounds {
		happened := list[random.IntN(len(list))](c, random)
		t.Eventually("the fault", happened)
		l.flow.Proceeds(50)
		l.proceed(50)
	}
	l.finish()
	t.Logf("seed %d: %d faults", seed, rounds)
}
