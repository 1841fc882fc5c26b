package redis_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/faultproxy"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
	"github.com/gostreamer/streamer/redis"
	goredis "github.com/redis/go-redis/v9"
)

const clusterShards = 3

// onCluster starts a cluster with a producer and a consumer of a stream of
// several shards.
func onCluster(t *trials.Trial, o testservers.ClusterOptions, mode streamer.ConsumerMode) (*testservers.Cluster, *trials.Flow, *trials.Intake) {
	t.Helper()
	c := testservers.StartRedisCluster(t.T, o)
	if c == nil {
		return nil, nil, nil
	}
	s := t.Connect(fmt.Sprintf("redis://%s/orders?create=always&shards=%d&block=1s", strings.Join(c.Addrs(), ","), clusterShards))
	in := t.Take(t.Consumer(s, trials.Reader(mode)))
	f := t.Flow(t.Producer(s), trials.Pace{Burst: 6, Every: 3 * time.Millisecond})
	in.Proceeds(100)
	return c, f, in
}

// clusterEntries reads every shard where it is now.
func clusterEntries(t *trials.Trial, c *testservers.Cluster) []trials.Entry {
	t.Helper()
	var all []trials.Entry
	for i := range clusterShards {
		key := fmt.Sprint("orders:", i)
		all = append(all, entries(t, c.Master(key), key)...)
	}
	return all
}

// TestSlotsMoveUnderLoad: every shard's slot moves to another master, again and
// again, while records are sent and read.
func TestSlotsMoveUnderLoad(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		c, f, in := onCluster(t, testservers.ClusterOptions{}, mode)
		if c == nil {
			return
		}
		moves := trials.Soak(9, 200)
		for i := range moves {
			key := fmt.Sprint("orders:", i%clusterShards)
			from := c.Master(key)
			to := c.Nodes[rand.IntN(len(c.Nodes))]
			for to == from {
				to = c.Nodes[rand.IntN(len(c.Nodes))]
			}
			c.MoveSlot(testservers.Slot(key), to)
			f.Proceeds(20)
			in.Proceeds(20)
		}
		f.Stop()
		t.Settle(f, in, clusterEntries(t, c), false)
		t.Logf("%d slots moved", moves)
	})
}

// TestAMasterHandsOverToItsReplica: CLUSTER FAILOVER, in which the server loses
// nothing.
func TestAMasterHandsOverToItsReplica(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		c, f, in := onCluster(t, testservers.ClusterOptions{Replicas: 1}, mode)
		if c == nil {
			return
		}
		var longest time.Duration
		times := trials.Soak(3, 30)
		for i := range times {
			key := fmt.Sprint("orders:", i%clusterShards)
			before := time.Now()
			c.HandOver(key)
			f.Proceeds(20)
			in.Proceeds(20)
			longest = max(longest, time.Since(before))
		}
		f.Stop()
		t.Settle(f, in, clusterEntries(t, c), false)
		t.Logf("%d hand-overs, the longest took %v until both sides had gone on", times, longest)
	})
}

// TestAMasterOfAClusterDies: a replica takes over. What the master had stored
// and not replicated is lost by the server; all that is left is delivered, and
// both sides continue by themselves.
func TestAMasterOfAClusterDies(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		c, f, in := onCluster(t, testservers.ClusterOptions{Replicas: 1}, mode)
		if c == nil {
			return
		}
		old := c.Master("orders:0")
		old.Kill()
		c.AwaitFailover("orders:0", old)
		noticed := in.AwaitShard(streamer.StreamShard{Stream: "orders"})
		old.Restart()
		f.Proceeds(100)
		in.Proceeds(100)
		f.Stop()
		t.Settle(f, in, clusterEntries(t, c), true)
		t.Logf("the consumer had a message of the shard %v after the fail-over", noticed)
	})
}

// TestTheMasterBehindSentinelsDies: the sentinels make a replica the master.
func TestTheMasterBehindSentinelsDies(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		group := testservers.StartRedisSentinel(t.T, testservers.RedisOptions{})
		if group == nil {
			return
		}
		s := t.Connect(fmt.Sprintf("redis://%s/orders?create=always&block=1s&sentinel=%s", strings.Join(group.Addrs(), ","), testservers.SentinelMaster))
		in := t.Take(t.Consumer(s, trials.Reader(mode)))
		f := t.Flow(t.Producer(s), trials.Pace{Burst: 6, Every: 3 * time.Millisecond})
		in.Proceeds(100)
		old := group.Master()
		old.Kill()
		master := group.AwaitFailover(old)
		noticed := in.AwaitShard(streamer.StreamShard{Stream: "orders"})
		old.Restart()
		f.Proceeds(100)
		in.Proceeds(100)
		f.Stop()
		t.Settle(f, in, entries(t, master, "orders"), true)
		t.Logf("the consumer went on %v after the fail-over", noticed)
	})
}

// TestConnectionsCutInTheMiddleOfACluster is TestConnectionsCutInTheMiddle for
// every connection to the nodes of a cluster, with a client that the program
// brings and that would, by itself, send what failed once more.
func TestConnectionsCutInTheMiddleOfACluster(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		c := testservers.StartRedisCluster(t.T, testservers.ClusterOptions{})
		if c == nil {
			return
		}
		var network faultproxy.Net
		defer network.Close()
		client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: c.Addrs(), Dialer: network.DialContext})
		defer client.Close()
		s, err := redis.Connect(t.Ctx, redis.Config{Client: client, Create: streamer.CreateAlways, Shards: clusterShards, Block: time.Second}, streamer.StreamerOptions{
			Consumer: streamer.ConsumerOptions{Streams: []string{"orders"}}, Producer: streamer.ProducerOptions{Stream: "orders"},
			Hooks: t.Hooks(), Logger: slog.New(slog.DiscardHandler),
		})
		t.Must("Connect", err)
		defer s.Close()
		in := t.Take(t.Consumer(s, trials.Reader(mode)))
		f := t.Flow(t.Producer(s), trials.Pace{Burst: 6, Every: 3 * time.Millisecond})
		in.Proceeds(100)
		seed := uint64(time.Now().UnixNano())
		random := rand.New(rand.NewPCG(seed, 0))
		rounds := trials.Soak(10, 200)
		for range rounds {
			network.Each(func(p *faultproxy.Proxy) { p.CutAfter(faultproxy.Direction(random.IntN(2)), 1+random.Int64N(5000)) })
			f.Proceeds(30)
			in.Proceeds(30)
		}
		f.Stop()
		t.Settle(f, in, clusterEntries(t, c), false)
		cuts := 0
		network.Each(func(p *faultproxy.Proxy) { _, _, n := p.Connections(); cuts += n })
		t.Logf("seed %d: %d connections cut", seed, cuts)
	})
}
