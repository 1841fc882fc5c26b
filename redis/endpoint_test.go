package redis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
	"github.com/gostreamer/streamer/redis"
	goredis "github.com/redis/go-redis/v9"
)

// endpoints are clusters as services give them: one address, which is that of
// some node.
func endpoints(t *testing.T, run func(*trials.Trial, *testservers.Cluster, func(options string) string)) {
	const user = "app:" + secret
	for name, o := range map[string]testservers.RedisOptions{
		"plain": {},
		"ACL": {Password: "owner", Users: []string{
			"app on >" + secret + " resetchannels ~* +ping +@stream +scan +del +multi +exec +cluster|slots +command +asking",
		}},
		"TLS":    {TLS: testservers.ServerOnly},
		"mutual": {TLS: testservers.Mutual},
	} {
		t.Run(name, func(t *testing.T) {
			trial := trials.New(t)
			c := testservers.StartRedisCluster(t, testservers.ClusterOptions{Server: o})
			if c == nil {
				return
			}
			node := c.Nodes[1]
			uri := func(options string) string {
				switch {
				case o.TLS != testservers.Plain:
					return fmt.Sprintf("rediss://%s/orders?tls_ca=%s&tls_cert=%s&tls_key=%s&%s", node.Addr(),
						node.Certificates.CA, node.Certificates.Cert, node.Certificates.Key, options)
				case len(o.Users) > 0:
					return fmt.Sprintf("redis://%s@%s/orders?%s", user, node.Addr(), options)
				}
				return fmt.Sprintf("redis://%s/orders?%s", node.Addr(), options)
			}
			run(trial, c, uri)
		})
	}
}

// TestOneEndpointOfAClusterIsTheWholeCluster: consumers, producers and
// administration see every shard, wherever its slot is.
func TestOneEndpointOfAClusterIsTheWholeCluster(t *testing.T) {
	const shards, records = 12, 240
	endpoints(t, func(t *trials.Trial, c *testservers.Cluster, uri func(string) string) {
		made := t.Connect(uri("shards=12"))
		t.Must("Create", made.Admin().Create(t.Ctx, "orders", shards))
		s := t.Connect(uri("shards=auto"))
		p := t.Producer(s)
		perShard := map[streamer.ShardID]int{}
		for i := range records {
			m, err := p.Send(t.Ctx, streamer.Record{Key: fmt.Append(nil, "key-", i), Value: fmt.Append(nil, i)}).Wait(t.Ctx)
			t.Must("Send", err)
			perShard[m.Shard]++
		}
		if len(perShard) != shards {
			t.Errorf("keyed records are in shards %v, want %d", perShard, shards)
		}
		for name, mode := range trials.Modes() {
			o := trials.Reader(mode)
			if o.Group != "" {
				o.Group = name
			}
			in := t.Consumer(s, o)
			if n := len(in.Assignment()); n != shards {
				t.Errorf("%s reads %d shards, want %d", name, n, shards)
			}
			seen := map[int]int{}
			for len(seen) < records {
				m, err := in.Next(t.Ctx)
				t.Must("Next", err)
				m.Ack()
				seen[trials.NumberOf(m.Value)]++
			}
			t.Must("Close", in.Close())
		}
		info, err := s.Admin().Describe(t.Ctx, "orders")
		t.Must("Describe", err)
		streams, err := s.Admin().Streams(t.Ctx, "")
		t.Must("Streams", err)
		groups, err := s.Admin().Groups(t.Ctx, "orders")
		t.Must("Groups", err)
		if len(info.Shards) != shards || len(streams) != 1 || len(groups) != 2 || len(groups[0].Lag) != shards {
			t.Errorf("%d shards, streams %q, groups %v", len(info.Shards), streams, groups)
		}
		t.Must("Delete", s.Admin().Delete(t.Ctx, "orders"))
	})
}

// TestAnAddressThatIsOfAnotherKindIsToldWithARemedy: a sentinel, a node of a
// cluster, a server that is in none; each is one typed error of Connect.
func TestAnAddressThatIsOfAnotherKindIsToldWithARemedy(t *testing.T) {
	trial := trials.New(t)
	c := testservers.StartRedisCluster(t, testservers.ClusterOptions{Masters: 1})
	watched := testservers.StartRedisSentinel(t, testservers.RedisOptions{})
	if c == nil || watched == nil {
		return
	}
	node, server := c.Nodes[0].Addr(), watched.Master().Addr()
	for name, try := range map[string]struct{ uri, says string }{
		"cluster with db":         {"redis://" + node + "/orders?db=2", "db="},
		"database out of range":   {"redis://" + server + "/orders?db=99", "db="},
		"sentinel as a server":    {"redis://" + watched.Addrs()[0] + "/orders", "sentinel="},
		"servers as a cluster":    {"redis://" + server + "," + server + "/orders", "one host"},
		"a server as a sentinel":  {"redis://" + server + "/orders?sentinel=mymaster", "sentinel"},
		"a sentinel's wrong name": {"redis://" + watched.Addrs()[0] + "/orders?sentinel=other", "sentinel="},
	} {
		t.Run(name, func(t *testing.T) {
			err := attempt(trial, try.uri, nil)
			t.Log(err)
			mustBe(t, err, streamer.ErrInvalid, try.says)
		})
	}
	t.Run("a client of one node", func(t *testing.T) {
		client := goredis.NewClient(&goredis.Options{Addr: node})
		defer client.Close()
		_, err := redis.Connect(trial.Ctx, redis.Config{Client: client}, streamer.StreamerOptions{})
		t.Log(err)
		mustBe(t, err, streamer.ErrInvalid, "ClusterClient")
	})
}

// TestAClusterThatDoesNotSayHello: it is known by its slots; a user who may not
// see these has MOVED as one typed error, in each mode and from a producer.
func TestAClusterThatDoesNotSayHello(t *testing.T) {
	trial := trials.New(t)
	c := testservers.StartRedisCluster(t, testservers.ClusterOptions{Server: testservers.RedisOptions{
		Users:  []string{"blind on >" + secret + " ~* +@all -cluster -hello"},
		Config: []string{`rename-command HELLO ""`},
	}})
	if c == nil {
		return
	}
	away := "orders" // a stream whose slot is at another node
	owner := c.Master(away)
	node := c.Nodes[0]
	if node == owner {
		node = c.Nodes[1]
	}
	_, err := trial.Producer(trial.Connect("redis://"+node.Addr()+"/"+away)).Send(trial.Ctx, streamer.Record{Value: []byte("0")}).Wait(trial.Ctx)
	trial.Must("Send", err)
	check := func(name string, o *streamer.ConsumerOptions) {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			err := attempt(trial, "redis://blind:"+secret+"@"+node.Addr()+"/"+away, o)
			t.Logf("after %v: %v", time.Since(begin).Round(time.Millisecond), err)
			mustBe(t, err, streamer.ErrInvalid, "MOVED")
			mustBe(t, err, streamer.ErrInvalid, "several of the cluster")
		})
	}
	check("producer", nil)
	for name, mode := range trials.Modes() {
		o := trials.Reader(mode)
		check(name, &o)
	}
}
