package testservers

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// The shared servers of this process. They start when a test first asks and end
// in Main.
var (
	sharedRedis   shared[*RedisServer]
	sharedCluster shared[*Cluster]
	sharedKafka   shared[*KafkaCluster]
)

// Redis is the address of a plain server that the tests of this process share,
// each with keys of its own; "" leaves the test out.
func Redis(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv("STREAMER_REDIS"); addr != "" {
		present(t, addr, "STREAMER_REDIS")
		return addr
	}
	program, ok := redisFor(t, "single")
	if !ok {
		return ""
	}
	s, err := sharedRedis.start(func() (*RedisServer, error) { return launch(program, RedisOptions{}) })
	if err != nil {
		t.Fatal(err)
	}
	return s.Addr()
}

// OpenRedis is a plain server for a program that is no test: STREAMER_REDIS, or
// one that runs until stop is called.
func OpenRedis() (addr string, stop func() error, err error) {
	if addr := os.Getenv("STREAMER_REDIS"); addr != "" {
		return addr, func() error { return nil }, nil
	}
	program, err := FindRedis()
	if err != nil {
		return "", nil, err
	}
	s, err := launch(program, RedisOptions{})
	if err != nil {
		return "", nil, err
	}
	return s.Addr(), s.remove, nil
}

// RedisCluster is like [Redis] for a cluster of three masters: the addresses of
// all of them; nil leaves the test out.
func RedisCluster(t testing.TB) []string {
	t.Helper()
	if addrs := os.Getenv("STREAMER_REDIS_CLUSTER"); addrs != "" {
		list := strings.Split(addrs, ",")
		present(t, list[0], "STREAMER_REDIS_CLUSTER")
		return list
	}
	program, ok := redisFor(t, "cluster")
	if !ok {
		return nil
	}
	c, err := sharedCluster.start(func() (*Cluster, error) { return launchCluster(program, ClusterOptions{}) })
	if err != nil {
		t.Fatal(err)
	}
	return c.Addrs()
}

// Kafka is the address of a broker that the tests of this process share, each
// with topics and groups of its own; "" leaves the test out. It heeds ACLs. One
// that STREAMER_KAFKA names must be set up as ours are, see [StartKafka].
func Kafka(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv("STREAMER_KAFKA"); addr != "" {
		presentKafka(t, addr, "STREAMER_KAFKA")
		return addr
	}
	program, ok := kafkaFor(t, "single")
	if !ok {
		return ""
	}
	c, err := sharedKafka.start(func() (*KafkaCluster, error) { return launchKafka(program, KafkaOptions{Authorizer: true}) })
	if err != nil {
		t.Fatal(err)
	}
	return c.Addr()
}

// OpenKafka is a broker for a program that is no test: STREAMER_KAFKA, or one
// that runs until stop is called.
func OpenKafka() (addr string, stop func() error, err error) {
	if addr := os.Getenv("STREAMER_KAFKA"); addr != "" {
		return addr, func() error { return nil }, nil
	}
	program, err := FindKafka()
	if err != nil {
		return "", nil, err
	}
	c, err := launchKafka(program, KafkaOptions{})
	if err != nil {
		return "", nil, err
	}
	return c.Addr(), c.remove, nil
}

// presentKafka is present for a broker, whose version shows in what it can do.
func presentKafka(t testing.TB, addr, variable string) {
	t.Helper()
	err := administrate(addr, func(ctx context.Context, adm *kadm.Client) error {
		versions, err := adm.ApiVersions(ctx)
		if err != nil {
			return err
		}
		for _, v := range versions {
			return errors.Join(v.Err, testify("kafka", v.VersionGuess(), variable))
		}
		return errors.New("no broker answers")
	})
	if err != nil {
		t.Fatalf("%s=%s: %v", variable, addr, err)
	}
}

// present notes that a server which another process runs took part.
func present(t testing.TB, addr, variable string) {
	t.Helper()
	info, err := call(addr, nil, []string{"INFO", "server"})
	if err == nil {
		err = testify("redis", field(info, "redis_version"), variable)
	}
	if err != nil {
		t.Fatalf("%s=%s: %v", variable, addr, err)
	}
}

// shared is a server that starts when it is first asked for.
type shared[S interface{ remove() error }] struct {
	mu      sync.Mutex
	server  S
	started bool
	err     error // of the one try to start it
}

func (s *shared[S]) start(launch func() (S, error)) (S, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		s.server, s.err = launch()
		s.started = true
	}
	return s.server, s.err
}

// stop ends the server; the next start makes a new one.
func (s *shared[S]) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started || s.err != nil {
		return nil
	}
	s.started = false
	return s.server.remove()
}

func stopShared() error {
	return errors.Join(sharedRedis.stop(), sharedCluster.stop(), sharedKafka.stop())
}
