package redis_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/faultproxy"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
	"github.com/gostreamer/streamer/redis"
	goredis "github.com/redis/go-redis/v9"
)

// bulky adds entries of a size, numbered from 0, to the keys in turn.
func bulky(t *trials.Trial, s *testservers.RedisServer, n, size int, keys ...string) {
	t.Helper()
	padding := strings.Repeat("x", size)
	for i := range n {
		s.Do("XADD", keys[i%len(keys)], "*", "msg", fmt.Sprint(i, " ", padding))
	}
}

// takeAll takes n messages, each once, and acknowledges them.
func takeAll(t *trials.Trial, c streamer.Consumer, n int) {
	t.Helper()
	seen := map[int]int{}
	for len(seen) < n {
		m, err := c.Next(t.Ctx)
		t.Must(fmt.Sprintf("Next after %d messages", len(seen)), err)
		m.Ack()
		number := trials.NumberOf(m.Value)
		if seen[number]++; seen[number] > 1 {
			t.Fatalf("message %d came twice", number)
		}
	}
}

// TestAReplyThatTakesLongIsProgress: what counts is that bytes come, however
// long the whole takes.
func TestAReplyThatTakesLongIsProgress(t *testing.T) {
	for name, x := range map[string]struct{ entries, size, rate int }{
		"many entries on a slow link": {400, 1000, 40_000},
		"large entries":               {6, 4 << 20, 2 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				server := alone(t)
				if server == nil {
					return
				}
				bulky(t, server, x.entries, x.size, "orders")
				proxy := faultproxy.New(t.T, server.Addr())
				proxy.Throttle(faultproxy.Replies, x.rate)
				s := t.Connect("redis://" + proxy.Addr() + "/orders?block=100ms&claim_interval=500ms")
				takeAll(t, t.Consumer(s, trials.Reader(mode)), x.entries)
				if n := proxy.Bytes(faultproxy.Replies); n > int64(x.entries*x.size*3/2) {
					t.Errorf("%d bytes were fetched for %d entries of %d", n, x.entries, x.size)
				}
			})
		})
	}
}

// TestOneEntryMayTakeLongerThanAnyReplyMayStandStill: also one that another
// member left behind, or that the consumer itself had not acknowledged.
func TestOneEntryMayTakeLongerThanAnyReplyMayStandStill(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		t.Run(trials.NameOf(mode), func(t *testing.T) {
			t.Parallel()
			trial := trials.New(t)
			server := alone(trial)
			if server == nil {
				return
			}
			bulky(trial, server, 2, 4<<20, "orders")
			server.Do("XGROUP", "CREATE", "orders", "g", "0")
			dead := map[streamer.ConsumerMode]string{streamer.Resumable: "g", streamer.LoadBalanced: "dead"}[mode]
			server.Do("XREADGROUP", "GROUP", "g", dead, "COUNT", "2", "STREAMS", "orders", ">")
			proxy := faultproxy.New(t, server.Addr())
			proxy.Throttle(faultproxy.Replies, 600_000)
			s := trial.Connect("redis://" + proxy.Addr() + "/orders?block=100ms&claim_idle=1s&claim_interval=100ms")
			c := trial.Consumer(s, trials.Reader(mode))
			takeAll(trial, c, 2)
			trial.Must("Commit", c.Commit(trial.Ctx))
		})
	}
}

// TestAServerThatBoundsRepliesIsReadInSmallerOnes: a reply beyond
// client-output-buffer-limit ends the connection.
func TestAServerThatBoundsRepliesIsReadInSmallerOnes(t *testing.T) {
	for name, x := range map[string]struct {
		entries, size int
		keys          []string
	}{
		"one shard":      {60, 200_000, []string{"orders"}},
		"several shards": {40, 400_000, []string{"orders:0", "orders:1", "orders:2", "orders:3"}},
		"small entries":  {5000, 1000, []string{"orders"}},
	} {
		t.Run(name, func(t *testing.T) {
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				server := testservers.StartRedis(t.T, testservers.RedisOptions{Config: []string{"client-output-buffer-limit normal 1mb 0 0"}})
				if server == nil {
					return
				}
				bulky(t, server, x.entries, x.size, x.keys...)
				options := "block=200ms"
				if len(x.keys) > 1 {
					options += fmt.Sprint("&shards=", len(x.keys))
				}
				s := t.Connect("redis://" + server.Addr() + "/orders?" + options)
				c := t.Consumer(s, trials.Reader(mode))
				takeAll(t, c, x.entries)
				for range 3 { // while it waits
					bulky(t, server, 8, x.size, x.keys...)
					takeAll(t, c, 8)
				}
			})
		})
	}
}

// TestALargeRecordIsSentOverASlowLink: what counts is that bytes go.
func TestALargeRecordIsSentOverASlowLink(t *testing.T) {
	for name, x := range map[string]struct{ records, size int }{"one": {1, 16 << 20}, "a batch": {4000, 1000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trial := trials.New(t)
			server := alone(trial)
			if server == nil {
				return
			}
			proxy := faultproxy.New(t, server.Addr())
			rate := x.records * x.size / 12 // twelve seconds
			proxy.Throttle(faultproxy.Requests, rate)
			p := trial.Producer(trial.Connect("redis://" + proxy.Addr() + "/orders"))
			value := []byte(strings.Repeat("x", x.size))
			for range x.records {
				p.Send(trial.Ctx, streamer.Record{Value: value})
			}
			trial.Must("Flush", p.Flush(trial.Ctx))
			if n := server.Int("XLEN", "orders"); n != x.records {
				t.Errorf("%d entries, want %d", n, x.records)
			}
		})
	}
}

// TestALinkThatBreaksInEveryReplyIsReadAllTheSame: the entries that have come
// are taken, and the next reply is smaller.
func TestALinkThatBreaksInEveryReplyIsReadAllTheSame(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		server := alone(t)
		if server == nil {
			return
		}
		const entries, size = 100, 100_000
		bulky(t, server, entries, size, "orders")
		proxy := faultproxy.New(t.T, server.Addr())
		s := t.Connect("redis://" + proxy.Addr() + "/orders?block=200ms")
		c := t.Consumer(s, trials.Reader(mode))
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				case <-proxy.CutAfter(faultproxy.Replies, 4*size):
				}
			}
		}()
		takeAll(t, c, entries)
		close(stop)
		<-done
	})
}

// TestAShardThatIsQuickCutsNoReplyOffOfASlowOne: each shard of a cluster has a
// connection of its own. Messages that come of one all the time do not have the
// others begin again.
func TestAShardThatIsQuickCutsNoReplyOffOfASlowOne(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		c := testservers.StartRedisCluster(t.T, testservers.ClusterOptions{})
		if c == nil {
			return
		}
		const large, size = 3, 2 << 20
		slow, quick := c.Master("orders:0"), c.Master("orders:1")
		if slow == quick {
			t.Fatal("both shards are on one node")
		}
		bulky(t, slow, large, size, "orders:0")
		quick.Do("XADD", "orders:1", "*", "msg", "1000")
		network := new(faultproxy.Net)
		t.Cleanup(network.Close)
		client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: c.Addrs(), Dialer: network.DialContext, MaxRetries: -1, DialerRetries: 1})
		t.Cleanup(func() { client.Close() })
		proxy, err := network.Proxy(slow.Addr())
		t.Must("proxy", err)
		proxy.Throttle(faultproxy.Replies, 1<<20)
		s, err := redis.Connect(t.Ctx, redis.Config{Client: client, Shards: 2, Block: time.Second}, streamer.StreamerOptions{Hooks: t.Hooks()})
		t.Must("connect", err)
		t.Cleanup(func() { _ = s.Close() })
		o := trials.Reader(mode)
		o.Streams = []string{"orders"}
		consumer := t.Consumer(s, o)
		done := make(chan struct{})
		var trickle sync.WaitGroup
		trickle.Go(func() {
			for n := 1001; ; n++ {
				select {
				case <-done:
					return
				case <-time.After(20 * time.Millisecond):
					_, _ = quick.Try("XADD", "orders:1", "*", "msg", fmt.Sprint(n))
				}
			}
		})
		defer trickle.Wait()
		defer close(done)
		small := 0
		for got := 0; got < large; {
			m, err := consumer.Next(t.Ctx)
			t.Must("Next", err)
			m.Ack()
			if m.Shard == 0 {
				got++
			} else {
				small++
			}
		}
		if n := proxy.Bytes(faultproxy.Replies); n > large*size*3/2 {
			t.Errorf("%d bytes were fetched for %d entries of %d", n, large, size)
		}
		t.Logf("%d messages of the quick shard came meanwhile", small)
		if small < large && mode != streamer.LoadBalanced { // whose member keeps nothing on its way while it works
			t.Errorf("the slow shard held up the quick one: %d messages came of it", small)
		}
	})
}
