package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
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

// written is a log.
type written struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

func (w *written) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// party is a producer and a consumer in each mode, each with a log of its own.
type party struct {
	*testing.T
	ctx       context.Context
	logs      map[string]*written
	consumers map[string]streamer.Consumer
	producer  streamer.Producer
}

func gather(t *testing.T, uri string) *party {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	p := &party{t, ctx, map[string]*written{}, map[string]streamer.Consumer{}, nil}
	connect := func(name string) streamer.Streamer {
		p.logs[name] = &written{}
		s, err := streamer.ConnectWith(ctx, uri, streamer.StreamerOptions{Logger: p.logs[name].logger(slog.LevelWarn)})
		p.must(err)
		t.Cleanup(func() { s.Close() })
		return s
	}
	var err error
	p.producer, err = connect("producer").Producer(ctx, streamer.ProducerOptions{})
	p.must(err)
	for mode, name := range map[streamer.ConsumerMode]string{streamer.RealTime: "real time", streamer.Resumable: "resumable", streamer.LoadBalanced: "load balanced"} {
		o := streamer.ConsumerOptions{Mode: mode, CommitEvery: 100 * time.Millisecond, Start: streamer.End()}
		if mode != streamer.RealTime {
			o.Group = fmt.Sprint("g", mode)
		}
		p.consumers[name], err = connect(name).Consumer(ctx, o)
		p.must(err)
	}
	return p
}

func (p *party) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *party) thereAndBack() {
	p.Helper()
	_, err := p.producer.Send(p.ctx, streamer.Record{Value: []byte("x")}).Wait(p.ctx)
	p.must(err)
	for _, c := range p.consumers {
		_, err := c.Next(p.ctx)
		p.must(err)
	}
}

// lasts is how long a server is away: long enough for many tries.
const lasts = 8 * time.Second

func TestAServerThatIsAwayIsOneWarningForEachConsumerAndProducer(t *testing.T) {
	server := testservers.StartRedis(t, testservers.RedisOptions{Config: []string{"appendonly yes", "appendfsync always"}})
	if server == nil {
		return
	}
	for _, uri := range []string{"redis://" + server.Addr() + "/orders?create=always&block=1s"} {
		p := gather(t, uri)
		p.thereAndBack()
		for range 2 {
			server.Kill()
			receipt := p.producer.Send(p.ctx, streamer.Record{Value: []byte("y")})
			time.Sleep(lasts)
			server.Restart()
			_, err := receipt.Wait(p.ctx)
			p.must(err)
			p.thereAndBack()
			time.Sleep(lasts) // an outage of its own
			p.thereAndBack()
		}
		for name, log := range p.logs {
			if got := strings.Count(log.String(), "level=WARN"); got != 2 {
				t.Errorf("%s has %d warnings for 2 outages:\n%s", name, got, log)
			}
		}
	}
}

// TestAClusterThatIsSilentIsNoRecovery: nothing comes of the tries for long,
// and that is no answer.
func TestAClusterThatIsSilentIsNoRecovery(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		c := testservers.StartRedisCluster(t.T, testservers.ClusterOptions{})
		if c == nil {
			return
		}
		var network faultproxy.Net
		defer network.Close()
		client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: c.Addrs(), Dialer: network.DialContext})
		defer client.Close()
		var log written
		s, err := redis.Connect(t.Ctx, redis.Config{Client: client, Create: streamer.CreateAlways, Shards: clusterShards, Block: time.Second}, streamer.StreamerOptions{
			Consumer: streamer.ConsumerOptions{Streams: []string{"orders"}}, Logger: log.logger(slog.LevelInfo),
		})
		t.Must("Connect", err)
		defer s.Close()
		in := t.Consumer(s, trials.Reader(mode))
		network.Each(func(p *faultproxy.Proxy) { p.Stall() })
		defer network.Each(func(p *faultproxy.Proxy) { p.Resume() })
		ctx, cancel := context.WithTimeout(t.Ctx, 2*lasts) // some tries
		defer cancel()
		if m, err := in.Next(ctx); err == nil {
			t.Errorf("Next returned %v", m)
		}
		if got := log.String(); strings.Count(got, "msg=retrying") != 1 || strings.Contains(got, "going on") {
			t.Errorf("the log has %s\nwant one warning", got)
		}
	})
}

func TestTheClientLogsToTheProgramAndNotToStandardError(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var log written
	slog.SetDefault(log.logger(slog.LevelDebug))
	if _, err := streamer.Connect(t.Context(), "redis://"+closedPort(t)+"/x"); err == nil {
		t.Fatal("it connects")
	}
	if got := log.String(); !strings.Contains(got, "failed to dial") || strings.Contains(got, "level=WARN") {
		t.Errorf("the program's log has %q, want the client's words, as details", got)
	}
}
