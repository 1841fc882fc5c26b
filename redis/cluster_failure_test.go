package redis_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
)

const clusterShards = 3

// onCluster starts a cluster with a producer and a consumer of a stream of several shards.
func onCluster(t *trial, o testservers.ClusterOptions, mode streamer.ConsumerMode) (*testservers.Cluster, *flow, *intake) {
	t.Helper()
	c := testservers.StartRedisCluster(t.T, o)
	if c == nil {
		return nil, nil, nil
	}
	s := t.connect(fmt.Sprintf("redis://%s/orders?create=always&shards=%d&block=1s", strings.Join(c.Addrs(), ","), clusterShards))
	in := t.take(t.consumer(s, reader(mode)))
	f := t.flow(t.producer(s), pace{burst: 6, every: 3 * time.Millisecond})
	in.proceeds(100)
	return c, f, in
}

// clusterEntries reads every shard where it is now.
func clusterEntries(t *trial, c *testservers.Cluster) []entry {
	t.Helper()
	var all []entry
	for i := range clusterShards {
		key := fmt.Sprint("orders:", i)
		all = append(all, entries(t, c.Master(key), key)...)
	}
	return all
}

// TestSlotsMoveUnderLoad: every shard's slot moves to another master, again and again, while records are sent and read.
func TestSlotsMoveUnderLoad(t *testing.T) {
	eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
		c, f, in := onCluster(t, testservers.ClusterOptions{}, mode)
		if c == nil {
			return
		}
		moves := soak(9, 200)
		for i := range moves {
			key := fmt.Sprint("orders:", i%clusterShards)
			from := c.Master(key)
			to := c.Nodes[rand.IntN(len(c.Nodes))]
			for to == from {
				to = c.Nodes[rand.IntN(len(c.Nodes))]
			}
			c.MoveSlot(testservers.Slot(key), to)
			f.proceeds(20)
			in.proceeds(20)
		}
		f.stop()
		t.settle(f, in, clusterEntries(t, c), false)
		t.Logf("%d slots moved", moves)
	})
}

// TestAMasterHandsOverToItsReplica: CLUSTER FAILOVER, in which the server loses nothing.
func TestAMasterHandsOverToItsReplica(t *testing.T) {
	eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
		c, f, in := onCluster(t, testservers.ClusterOptions{Replicas: 1}, mode)
		if c == nil {
			return
		}
		var longest time.Duration
		times := soak(3, 30)
		for i := range times {
			key := fmt.Sprint("orders:", i%clusterShards)
			old, replica := c.Master(key), c.Replica(key)
			before := time.Now()
			replica.Do("CLUSTER", "FAILOVER")
			c.AwaitFailover(key, old)
			f.proceeds(20)
			in.proceeds(20)
			longest = max(longest, time.Since(before))
		}
		f.stop()
		t.settle(f, in, clusterEntries(t, c), false)
		t.Logf("%d hand-overs, the longest took %v until both sides had gone on", times, longest)
	})
}

// TestAMasterOfAClusterDies: a replica takes over. What the master had stored and not replicated is lost by the server; all that is left is
// delivered, and both sides go on by themselves.
func TestAMasterOfAClusterDies(t *testing.T) {
	eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
		c, f, in := onCluster(t, testservers.ClusterOptions{Replicas: 1}, mode)
		if c == nil {
			return
		}
		old := c.Master("orders:0")
		old.Kill()
		c.AwaitFailover("orders:0", old)
		noticed := awaitShard(t, in, 0)
		old.Restart()
		f.proceeds(100)
		in.proceeds(100)
		f.stop()
		t.settle(f, in, clusterEntries(t, c), true)
		t.Logf("the consumer had a message of the shard %v after the fail-over", noticed)
	})
}

// awaitShard waits until a shard's next message is delivered.
func awaitShard(t *trial, in *intake, shard streamer.ShardID) time.Duration {
	t.Helper()
	begin := time.Now()
	s := streamer.StreamShard{Stream: "orders", Shard: shard}
	last := func() streamer.SeqNo {
		in.mu.Lock()
		defer in.mu.Unlock()
		return in.last[s]
	}
	before := last()
	t.eventually(fmt.Sprint("a message of shard ", shard), func() bool { return last() != before || t.failedTaking(in) })
	return time.Since(begin)
}

// TestTheMasterBehindSentinelsDies: the sentinels make a replica the master.
func TestTheMasterBehindSentinelsDies(t *testing.T) {
	eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
		group := testservers.StartRedisSentinel(t.T, testservers.RedisOptions{})
		if group == nil {
			return
		}
		s := t.connect(fmt.Sprintf("redis://%s/orders?create=always&block=1s&sentinel=%s", strings.Join(group.Addrs(), ","), testservers.SentinelMaster))
		in := t.take(t.consumer(s, reader(mode)))
		f := t.flow(t.producer(s), pace{burst: 6, every: 3 * time.Millisecond})
		in.proceeds(100)
		old := group.Master()
		old.Kill()
		master := group.AwaitFailover(old)
		noticed := awaitShard(t, in, 0)
		old.Restart()
		f.proceeds(100)
		in.proceeds(100)
		f.stop()
		t.settle(f, in, entries(t, master, "orders"), true)
		t.Logf("the consumer went on %v after the fail-over", noticed)
	})
}
