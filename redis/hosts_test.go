package redis_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
)

// port is a listener that treats each connection so.
func port(t *testing.T, treat func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go treat(c)
		}
	}()
	return l.Addr().String()
}

// brokerPort answers as a Kafka broker does, and closes what it does not
// understand.
func brokerPort(t *testing.T) string {
	return port(t, func(c net.Conn) {
		defer c.Close()
		var head [12]byte // size, key, version, correlation
		for {
			if _, err := io.ReadFull(c, head[:]); err != nil {
				return
			}
			size := binary.BigEndian.Uint32(head[:])
			if size > 100<<20 {
				return
			}
			if _, err := io.CopyN(io.Discard, c, int64(size)-8); err != nil {
				return
			}
			answer := append([]byte{0, 0, 0, 10}, head[8:12]...)
			_, _ = c.Write(append(answer, 0, 0, 0, 0, 0, 0))
		}
	})
}

func silentPort(t *testing.T) string { return port(t, func(net.Conn) {}) }

func closingPort(t *testing.T) string { return port(t, func(c net.Conn) { c.Close() }) }

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func webPort(t *testing.T, start func(http.Handler) *httptest.Server) string {
	s := start(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// deadHosts are hosts of which no answer is to be had.
func deadHosts(t *testing.T) map[string]string {
	return map[string]string{
		"is silent":       silentPort(t),
		"drops packets":   "192.0.2.1:6379",
		"refuses":         closedPort(t),
		"closes":          closingPort(t),
		"is a web server": webPort(t, httptest.NewServer),
	}
}

// enough is how long everything may take together that one host answers at
// once.
const enough = 20 * time.Second

// works connects and opens everything there is to open.
func works(t *testing.T, uri string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	s, err := streamer.Connect(ctx, uri)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer s.Close()
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		t.Fatalf("producer: %v", err)
	}
	if _, err := p.Send(ctx, streamer.Record{Value: []byte("x")}).Wait(ctx); err != nil {
		t.Fatalf("send: %v", err)
	}
	for _, o := range []streamer.ConsumerOptions{
		{Mode: streamer.RealTime}, {Mode: streamer.Resumable, Group: "r"}, {Mode: streamer.LoadBalanced, Group: "b"},
	} {
		o.Start = streamer.Beginning()
		c, err := s.Consumer(ctx, o)
		if err != nil {
			t.Fatalf("consumer in mode %v: %v", o.Mode, err)
		}
		if _, err := c.Next(ctx); err != nil {
			t.Fatalf("next in mode %v: %v", o.Mode, err)
		}
	}
	if _, err := s.Admin().Describe(ctx, "orders"); err != nil {
		t.Fatalf("describe: %v", err)
	}
}

func TestOneNodeOfAClusterThatAnswersIsEnough(t *testing.T) {
	cluster := testservers.StartRedisCluster(t, testservers.ClusterOptions{})
	if cluster == nil {
		return
	}
	for name, dead := range deadHosts(t) {
		for _, hosts := range []string{dead + "," + cluster.Addrs()[0], dead + "," + dead + "," + dead + "," + cluster.Addrs()[1]} {
			t.Run("one "+name, func(t *testing.T) { works(t, "redis://"+hosts+"/orders?create=always") })
		}
	}
}

func TestOneSentinelThatAnswersIsEnough(t *testing.T) {
	s := testservers.StartRedisSentinel(t, testservers.RedisOptions{})
	if s == nil {
		return
	}
	for name, dead := range deadHosts(t) {
		for _, hosts := range []string{dead + "," + s.Addrs()[0], dead + "," + dead + "," + dead + "," + s.Addrs()[1]} {
			t.Run("one "+name, func(t *testing.T) {
				works(t, "redis://"+hosts+"/orders?create=always&sentinel="+testservers.SentinelMaster)
			})
		}
	}
}

func TestAMasterThatIsFrozenLeavesAClusterReachable(t *testing.T) {
	cluster := testservers.StartRedisCluster(t, testservers.ClusterOptions{})
	if cluster == nil {
		return
	}
	frozen := cluster.Nodes[0]
	frozen.Suspend()
	defer frozen.Continue()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), enough)
		defer cancel()
		s, err := streamer.Connect(ctx, "redis://"+strings.Join(cluster.Addrs(), ",")+"/orders")
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}

func TestAPortThatDoesNotSpeakRedisIsATypedErrorThatSaysWhatItSpeaks(t *testing.T) {
	server := testservers.Redis(t)
	if server == "" {
		return
	}
	secure := testservers.StartRedis(t, testservers.RedisOptions{TLS: testservers.ServerOnly})
	kafka := brokerPort(t)
	for _, tt := range []struct {
		name, uri string
		kind      error
		words     string
	}{
		{"Kafka", "redis://" + kafka + "/x", streamer.ErrInvalid, "kafka://"},
		{"Kafka with TLS", "rediss://" + kafka + "/x", streamer.ErrInvalid, "kafka://"},
		{"HTTP", "redis://" + webPort(t, httptest.NewServer) + "/x", streamer.ErrInvalid, "speaks HTTP"},
		{"HTTPS", "redis://" + webPort(t, httptest.NewTLSServer) + "/x", streamer.ErrInvalid, "rediss://"},
		{"plain text to TLS", "redis://" + secure.Addr() + "/x", streamer.ErrInvalid, "rediss://"},
		{"TLS to plain text", "rediss://" + server + "/x", streamer.ErrInvalid, "redis://"},
		{"a certificate that nobody knows", "rediss://" + secure.Addr() + "/x", streamer.ErrInvalid, "tls_ca="},
		{"one that closes", "redis://" + closingPort(t) + "/x", streamer.ErrInvalid, "rediss://"},
		{"TLS to one that closes", "rediss://" + closingPort(t) + "/x", streamer.ErrInvalid, "redis://"},
		{"one that closes late", "redis://" + port(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); c.Close() }) + "/x", streamer.ErrInvalid, "rediss://"},
		{"a closed port", "redis://" + closedPort(t) + "/x", nil, "nothing listens"},
		{"no such host", "redis://no-such-host.invalid/x", streamer.ErrInvalid, "no such host"},
		{"silence", "redis://" + silentPort(t) + "/x", nil, "no answer"},
		{"silence to TLS", "rediss://" + silentPort(t) + "/x", nil, "no answer"},
		{"silent nodes", "redis://" + silentPort(t) + "," + silentPort(t) + "/x", nil, "no answer"},
		{"silent sentinels", "redis://" + silentPort(t) + "," + silentPort(t) + "/x?sentinel=m", nil, "no answer"},
		{"sentinels that are brokers", "redis://" + kafka + "," + kafka + "/x?sentinel=m", streamer.ErrInvalid, "kafka://"},
		{"nodes that are brokers", "redis://" + kafka + "," + kafka + "/x", streamer.ErrInvalid, "kafka://"},
		{"SSH", "redis://" + port(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n") }) + "/x", streamer.ErrInvalid, "speaks SSH"},
		{"closed ports instead of sentinels", "redis://" + closedPort(t) + "," + closedPort(t) + "/x?sentinel=m", nil, "nothing listens"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := streamer.Connect(t.Context(), tt.uri)
			t.Log(err)
			e, ok := errors.AsType[*streamer.Error](err)
			if !ok || e.Backend != "redis" || tt.kind != nil && !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.words) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %v and the words %q", err, tt.kind, tt.words)
			}
			for _, not := range []error{io.EOF, context.DeadlineExceeded, context.Canceled} {
				if errors.Is(err, not) {
					t.Errorf("%v is %v", err, not)
				}
			}
		})
	}
}
