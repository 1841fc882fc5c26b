package redis_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// limited are servers, and a cluster, that take values up to 1 MiB.
func limited(t *testing.T, run func(t *trials.Trial, uri string)) {
	o := testservers.RedisOptions{Config: []string{"proto-max-bulk-len 1mb"}}
	t.Run("server", func(t *testing.T) {
		if s := testservers.StartRedis(t, o); s != nil {
			run(trials.New(t), "redis://"+s.Addr()+"/orders?")
		}
	})
	t.Run("TLS", func(t *testing.T) {
		o := o
		o.TLS = testservers.ServerOnly
		if s := testservers.StartRedis(t, o); s != nil {
			run(trials.New(t), "rediss://"+s.Addr()+"/orders?tls_ca="+s.Certificates.CA+"&")
		}
	})
	t.Run("cluster", func(t *testing.T) {
		if c := testservers.StartRedisCluster(t, testservers.ClusterOptions{Server: o}); c != nil {
			run(trials.New(t), "redis://"+strings.Join(c.Addrs(), ",")+"/orders?shards=3&")
		}
	})
}

// TestARecordBeyondTheServersLimitIsTooLargeAlone: whatever part of it is, and
// however much; those sent before and behind it are stored, once and in order.
func TestARecordBeyondTheServersLimitIsTooLargeAlone(t *testing.T) {
	limited(t, func(t *trials.Trial, uri string) {
		s := t.Connect(uri + "delivery_timeout=20s")
		p := t.Producer(s)
		large := func(bytesOver int) []byte { return bytes.Repeat([]byte("x"), 1<<20+bytesOver) }
		key := []byte("one key")
		round := 0
		for name, bad := range map[string]streamer.Record{
			"value, a byte":  {Key: key, Value: large(1)},
			"value, 1 MiB":   {Key: key, Value: large(1 << 20)},
			"value, 20 MiB":  {Key: key, Value: large(20 << 20)},
			"value, 60 MiB":  {Key: key, Value: large(60 << 20)},
			"key, 5 MiB":     {Key: large(5 << 20), Value: []byte("-1")},
			"headers, 3 MiB": {Key: key, Value: []byte("-1"), Headers: []streamer.Header{{Key: "h", Value: large(3 << 20)}}},
		} {
			begin := time.Now()
			var good, refused []*streamer.Receipt
			for i := range 60 {
				good = append(good, p.Send(t.Ctx, streamer.Record{Key: key, Value: fmt.Append(nil, round*60+i)}))
				if i%20 == 10 {
					refused = append(refused, p.Send(t.Ctx, bad))
				}
			}
			round++
			for _, r := range good {
				_, err := r.Wait(t.Ctx)
				t.Must(name+": a neighbour", err)
			}
			for _, r := range refused {
				if _, err := r.Wait(t.Ctx); !errors.Is(err, streamer.ErrTooLarge) || !strings.Contains(err.Error(), "proto-max-bulk-len") {
					t.Errorf("%s: %v, want ErrTooLarge that names proto-max-bulk-len", name, err)
				}
			}
			t.Logf("%s: %v", name, time.Since(begin).Round(time.Millisecond))
		}
		_, err := p.Send(t.Ctx, streamer.Record{Key: key, Value: large(0)}).Wait(t.Ctx)
		t.Must("a value of the limit", err)
		c := t.Consumer(s, trials.Reader(streamer.RealTime))
		for i := range round * 60 {
			m, err := c.Next(t.Ctx)
			t.Must("Next", err)
			if n := trials.NumberOf(m.Value); n != i {
				t.Fatalf("message %d came in the place of %d", n, i)
			}
		}
	})
}
