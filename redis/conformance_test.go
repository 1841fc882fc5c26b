package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/internal/faultproxy"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/redis"
	goredis "github.com/redis/go-redis/v9"
)

func TestConformance(t *testing.T) {
	h := harness("redis", openSingle)
	h.Ready = func(t testing.TB) bool { return testservers.Redis(t) != "" }
	conformance.Run(t, h)
}

func TestConformanceOnACluster(t *testing.T) {
	h := harness("redis-cluster", openCluster)
	h.Ready = func(t testing.TB) bool { return testservers.RedisCluster(t) != nil }
	conformance.Run(t, h)
}

func harness(name string, open func(testing.TB, conformance.Plan) *conformance.Place) conformance.Harness {
	return conformance.Harness{
		Name:       name,
		Backend:    "redis",
		Open:       open,
		Without:    []conformance.Part{conformance.NilValues, conformance.SenderTime},
		PerMessage: true,
		Groups:     conformance.Shared,
		Pauses:     true,
		Precision:  time.Millisecond,
		EmptyKeys:  true,
		Largest:    redis.MaxRecordBytes,
		Highest:    streamer.SeqPair(1<<64-1, 1<<64-1),
		Bad: func(r streamer.Record) streamer.Record {
			r.Value = nil
			return r
		},
		SecretURI: func(secret string) string {
			return "redis://user:" + url.QueryEscape(secret) + "@127.0.0.1:1/orders?db=0"
		},
		Hang: time.Minute,
	}
}

// Times that make what a member leaves behind reach another within a test.
const (
	claimIdle     = 5 * time.Second
	claimInterval = 200 * time.Millisecond
)

// place is a corner of a server that many cases share: keys with one prefix,
// and a user who may have nothing else.
type place struct {
	testing.TB
	user, prefix string
	shards       atomic.Uint64
	admin        []*goredis.Client // of every master, past all faults
	config       redis.Config
	client       func() goredis.UniversalClient // nil: config says where the server is
	each         func(func(*faultproxy.Proxy))
	restart      func()
}

func newPlace(t testing.TB, plan conformance.Plan, masters ...string) *place {
	p := &place{TB: t, user: "user-" + uuid.NewString(), prefix: "case-" + uuid.NewString()[:8] + "-"}
	p.shards.Store(uint64(plan.Shards))
	for _, addr := range masters {
		c := goredis.NewClient(&goredis.Options{Addr: addr, Protocol: 2})
		t.Cleanup(func() { c.Close() })
		p.admin = append(p.admin, c)
	}
	p.acl("reset", "on", ">"+password, "~"+p.prefix+"*", "~new-*", "~missing-*", "&*", "+@all")
	t.Cleanup(p.remove)
	p.config = redis.Config{
		Username: p.user, Password: password, Shards: redis.ShardsAuto,
		ClaimIdle: claimIdle, ClaimInterval: claimInterval, Block: 2 * time.Second,
	}
	return p
}

const password = "conformance"

// forgetful says that users do not outlive a restart.
func (p *place) forgetful(t testing.TB) {
	if isRestarted(t) {
		p.user, p.config.Username, p.config.Password = "default", "", ""
	}
}

func (p *place) made(plan conformance.Plan, hosts ...string) *conformance.Place {
	place := &conformance.Place{Connect: p.connect, Faults: p.faults()}
	for i := range plan.Streams {
		name := fmt.Sprintf("%sstream-%d", p.prefix, i)
		place.Streams = append(place.Streams, name)
		p.create(name)
	}
	place.URI = fmt.Sprintf("redis://%s:%s@%s/%s?shards=auto&claim_idle=%v&claim_interval=%v", p.user, password, strings.Join(hosts, ","),
		place.Streams[0], claimIdle, claimInterval)
	return place
}

// openSingle opens a place on the shared server, or, to be restarted, on one of
// its own.
func openSingle(t testing.TB, plan conformance.Plan) *conformance.Place {
	addr := testservers.Redis(t)
	restart := func() { t.Fatal("only a case with restart in its name has a server to restart") }
	if isRestarted(t) {
		s := testservers.StartRedis(t, testservers.RedisOptions{AOF: true})
		addr, restart = s.Addr(), func() { s.Kill(); s.Restart() }
	}
	p := newPlace(t, plan, addr)
	p.forgetful(t)
	proxy := faultproxy.New(t, addr)
	p.config.Addrs = []string{proxy.Addr()}
	p.each = func(f func(*faultproxy.Proxy)) { f(proxy) }
	p.restart = restart
	return p.made(plan, proxy.Addr())
}

// openCluster opens a place on the shared cluster, or, to be restarted, on one
// of its own. The client learns of the nodes from the cluster, so the faults
// are in its dialler.
func openCluster(t testing.TB, plan conformance.Plan) *conformance.Place {
	addrs := testservers.RedisCluster(t)
	restart := func() { t.Fatal("only a case with restart in its name has a cluster to restart") }
	if isRestarted(t) {
		c := testservers.StartRedisCluster(t, testservers.ClusterOptions{Server: testservers.RedisOptions{AOF: true}})
		addrs, restart = c.Addrs(), func() {
			for _, n := range c.Nodes {
				n.Kill()
				n.Restart()
			}
		}
	}
	p := newPlace(t, plan, addrs...)
	p.forgetful(t)
	network := new(faultproxy.Net)
	t.Cleanup(network.Close)
	p.each = network.Each
	p.restart = restart
	options := goredis.ClusterOptions{
		Addrs: addrs, Username: p.config.Username, Password: string(p.config.Password), Dialer: network.DialContext, Protocol: 2, MaxRetries: -1, DialerRetries: 1,
		ContextTimeoutEnabled: true, ClusterStateReloadInterval: time.Second,
	}
	p.config.Username, p.config.Password = "", ""
	p.client = func() goredis.UniversalClient {
		client := goredis.NewClusterClient(&options)
		t.Cleanup(func() { client.Close() })
		return client
	}
	return p.made(plan, addrs...)
}

func isRestarted(t testing.TB) bool { return strings.Contains(t.Name(), "/restart") }

func (p *place) connect(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return p.connectTo(ctx, p.config, o)
}

func (p *place) always(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
	c := p.config
	c.Create = streamer.CreateAlways
	return p.connectTo(ctx, c, o)
}

// direct is a Streamer past all faults.
func (p *place) direct() streamer.Streamer {
	c := redis.Config{Shards: redis.ShardsAuto}
	for _, a := range p.admin {
		c.Addrs = append(c.Addrs, a.Options().Addr)
	}
	s, err := redis.Connect(context.Background(), c, streamer.StreamerOptions{})
	p.must(err)
	return s
}

func (p *place) faults() conformance.Faults {
	ctx := context.Background()
	return conformance.Faults{
		Cut:      func() { p.each((*faultproxy.Proxy).Cut) },
		Mend:     func() { p.each((*faultproxy.Proxy).Mend) },
		Slow:     func(d time.Duration) { p.each(func(x *faultproxy.Proxy) { x.Delay(d / 2) }) },
		Restart:  func() { p.restart() },
		AddShard: p.addShard,
		Trim: func(s streamer.StreamShard, upTo streamer.SeqNo) {
			ms, seq := upTo.Pair()
			p.on(key(s), func(c *goredis.Client) error { return c.XTrimMinID(ctx, key(s), fmt.Sprintf("%d-%d", ms, seq+1)).Err() })
		},
		Poison: func(s streamer.StreamShard) streamer.StreamShard {
			p.on(key(s), func(c *goredis.Client) error {
				return c.XAdd(ctx, &goredis.XAddArgs{Stream: key(s), Values: []string{"no", "message"}}).Err()
			})
			return s
		},
		Delete: p.delete,
		Create: p.create,
		Always: p.always,
		DropGroup: func(stream, group string) {
			p.eachKey(stream, func(c *goredis.Client, key string) error { return c.XGroupDestroy(ctx, key, group).Err() })
		},
		Lose: func(stream, group string) {
			p.eachKey(stream, func(c *goredis.Client, key string) error { return dropOwners(c, key, group) })
		},
		Deny: func(denied bool) {
			p.acl(map[bool]string{true: "-@all", false: "+@all"}[denied])
		},
		WrongType: func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, string, error) {
			stream := p.prefix + "text"
			for _, key := range []string{stream, stream + ":0"} {
				p.on(key, func(c *goredis.Client) error { return c.Set(ctx, key, "not a stream", 0).Err() })
			}
			c := p.config
			c.Shards = redis.ShardsNone
			s, err := p.connectTo(ctx, c, o)
			return s, stream, err
		},
		Missing: func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, string, error) {
			s, err := p.connectTo(ctx, p.config, o)
			return s, p.prefix + "missing", err
		},
	}
}

// connectTo connects as c says.
func (p *place) connectTo(ctx context.Context, c redis.Config, o streamer.StreamerOptions) (streamer.Streamer, error) {
	if p.client != nil {
		c.Client = p.client()
	}
	return redis.Connect(ctx, c, o)
}

// dropOwners takes the place of a group's owner away, as the next owner does
// when the last has been silent for long. It is done soon after the owner was
// heard, so that the next one is there before the owner finds its place empty.
func dropOwners(c *goredis.Client, key, group string) error {
	ctx := context.Background()
	for {
		all, err := c.XInfoConsumers(ctx, key, group).Result()
		if err != nil {
			return err
		}
		waiting := false
		for _, m := range all {
			switch owner := strings.HasPrefix(m.Name, "streamer:owner:"); {
			case owner && m.Idle < time.Second:
				err = errors.Join(err, c.XGroupDelConsumer(ctx, key, group, m.Name).Err())
			case owner:
				waiting = true
			}
		}
		if !waiting || err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func key(s streamer.StreamShard) string { return fmt.Sprintf("%s:%d", s.Stream, s.Shard) }

func (p *place) create(stream string) {
	s := p.direct()
	err := s.Admin().Create(context.Background(), stream, int(p.shards.Load()))
	if !errors.Is(err, streamer.ErrExists) { // a consumer with create=always may have been quicker
		p.must(err)
	}
	p.must(s.Close())
}

func (p *place) addShard(stream string) streamer.ShardID {
	n := streamer.ShardID(p.shards.Add(1) - 1)
	k := key(streamer.StreamShard{Stream: stream, Shard: n})
	p.on(k, func(c *goredis.Client) error {
		if err := c.XGroupCreateMkStream(context.Background(), k, "none", "0").Err(); err != nil {
			return err
		}
		return c.XGroupDestroy(context.Background(), k, "none").Err()
	})
	return n
}

func (p *place) delete(stream string) {
	p.eachKey(stream, func(c *goredis.Client, key string) error { return c.Del(context.Background(), key).Err() })
}

func (p *place) eachKey(stream string, f func(*goredis.Client, string) error) {
	p.Helper()
	for n := range streamer.ShardID(p.shards.Load()) {
		k := key(streamer.StreamShard{Stream: stream, Shard: n})
		p.on(k, func(c *goredis.Client) error { return f(c, k) })
	}
}

// on runs f on the server that has the key.
func (p *place) on(key string, f func(*goredis.Client) error) {
	p.Helper()
	var err error
	for _, c := range p.admin {
		if err = f(c); err == nil || !strings.HasPrefix(err.Error(), "MOVED") {
			break
		}
	}
	p.must(err)
}

func (p *place) acl(rules ...string) {
	p.Helper()
	for _, c := range p.admin {
		p.must(c.ACLSetUser(context.Background(), p.user, rules...).Err())
	}
}

// remove takes the case's keys and its user off the servers.
func (p *place) remove() {
	ctx := context.Background()
	for _, c := range p.admin {
		iter := c.Scan(ctx, 0, p.prefix+"*", 1000).Iterator()
		for iter.Next(ctx) {
			c.Del(ctx, iter.Val())
		}
		if p.user != "default" {
			c.ACLDelUser(ctx, p.user)
		}
	}
}

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}
