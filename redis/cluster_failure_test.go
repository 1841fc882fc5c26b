package redis_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/faultproxy"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/redis"
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
			before := time.Now()
			c.HandOver(key)
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

// TestConnectionsCutInTheMiddleOfACluster is TestConnectionsCutInTheMiddle for every connection to the nodes of a cluster, with a client that
// the program brings and that would, by itself, send what failed once more.
func TestConnectionsCutInTheMiddleOfACluster(t *testing.T) {
	eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
		c := testservers.StartRedisCluster(t.T, testservers.ClusterOptions{})
		if c == nil {
			return
		}
		var network faultproxy.Net
		defer network.Close()
		client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: c.Addrs(), Dialer: network.DialContext})
		defer client.Close()
		s, err := redis.Connect(t.ctx, redis.Config{Client: client, Create: streamer.CreateAlways, Shards: clusterShards, Block: time.Second}, streamer.StreamerOptions{
			Consumer: streamer.ConsumerOptions{Streams: []string{"orders"}}, Producer: streamer.ProducerOptions{Stream: "orders"},
			Hooks: t.hooks(), Logger: slog.New(slog.DiscardHandler),
		})
		t.must("Connect", err)
		defer s.Close()
		in := t.take(t.consumer(s, reader(mode)))
		f := t.flow(t.producer(s), pace{burst: 6, every: 3 * time.Millisecond})
		in.proceeds(100)
		seed := uint64(time.Now().UnixNano())
		random := rand.New(rand.NewPCG(seed, 0))
		rounds := soak(10, 200)
		for range rounds {
			network.Each(func(p *faultproxy.Proxy) { p.CutAfter(faultproxy.Direction(random.IntN(2)), 1+random.Int64N(5000)) })
			f.proceeds(30)
			in.proceeds(30)
		}
		f.stop()
		t.settle(f, in, clusterEntries(t, c), false)
		cuts := 0
		network.Each(func(p *faultproxy.Proxy) { _, _, n := p.Connections(); cuts += n })
		t.Logf("seed %d: %d connections cut", seed, cuts)
	})
}
