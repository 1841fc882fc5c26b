package kafka_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// soon is how long a call may take that one host answers at once: less than a
// client waits for the others.
const soon = 8 * time.Second

// held is a port that treats connections so, and keeps them open.
func held(t *testing.T, treat func(net.Conn)) string {
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

// likeRedis is a port that answers as Redis does: nothing until there is a
// line.
func likeRedis(t *testing.T) string {
	return held(t, func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			answer := "-ERR unknown command\r\n"
			if line == "PING\r\n" {
				answer = "+PONG\r\n"
			}
			_, _ = io.WriteString(c, answer)
		}
	})
}

func web(t *testing.T, start func(http.Handler) *httptest.Server) string {
	s := start(http.NotFoundHandler())
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// deadHosts are hosts of which no answer is to be had.
func deadHosts(t *testing.T) map[string]string {
	return map[string]string{
		"is silent":         silent(t),
		"drops packets":     "192.0.2.1:9092",
		"refuses":           closedPort(t),
		"closes":            listener(t, func(net.Conn) {}),
		"is a web server":   web(t, httptest.NewServer),
		"is another server": likeRedis(t),
	}
}

func TestOneHostThatAnswersIsEnough(t *testing.T) {
	r := onFake(t, 2)
	for name, dead := range deadHosts(t) {
		for _, hosts := range []string{dead + "," + r.brokers[0], r.brokers[0] + "," + dead, dead + "," + dead + "," + r.brokers[0]} {
			t.Run("one "+name, func(t *testing.T) { works(t, r, "kafka://"+hosts+"/"+r.topic, soon) })
		}
	}
}

// works connects, and opens everything there is to open, each within soon.
func works(t *testing.T, r *rig, uri string, soon time.Duration) {
	t.Helper()
	within := func(what string, f func(ctx context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		if err := f(ctx); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	var s streamer.Streamer
	within("connect", func(ctx context.Context) (err error) {
		s, err = streamer.Connect(ctx, uri)
		return err
	})
	defer s.Close()
	for _, o := range []streamer.ConsumerOptions{
		{Mode: streamer.RealTime},
		{Mode: streamer.Resumable, Group: "resumable-" + r.topic},
		{Mode: streamer.LoadBalanced, Group: "balanced-" + r.topic},
	} {
		o.Start = streamer.End()
		var c streamer.Consumer
		within(fmt.Sprint("consumer in mode ", o.Mode), func(ctx context.Context) (err error) {
			c, err = s.Consumer(ctx, o)
			return err
		})
		within("send", func(ctx context.Context) error {
			p, err := s.Producer(ctx, streamer.ProducerOptions{})
			if err != nil {
				return err
			}
			defer p.Close()
			_, err = p.Send(ctx, streamer.Record{Value: []byte("x")}).Wait(ctx)
			return err
		})
		within(fmt.Sprint("next in mode ", o.Mode), func(ctx context.Context) error {
			_, err := c.Next(ctx)
			return err
		})
	}
	within("describe", func(ctx context.Context) error {
		_, err := s.Admin().Describe(ctx, r.topic)
		return err
	})
}

func TestOneHostThatAnswersIsEnoughBehindTLS(t *testing.T) {
	cert, certFile, _ := certificate(t)
	secure := cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "alice", secret), kfake.SeedTopics(1, "x"))
	for name, dead := range deadHosts(t) {
		t.Run("one "+name, func(t *testing.T) {
			works(t, &rig{TB: t, topic: "x"},
				"kafka://alice:"+secret+"@"+dead+","+secure+"/x?sasl=scram-sha-256&tls_ca="+certFile, soon)
		})
	}
}

func TestHostsThatDoNotAnswerAreAllNamed(t *testing.T) {
	refuses, web := closedPort(t), web(t, httptest.NewServer)
	_, err := streamer.Connect(t.Context(), "kafka://"+refuses+","+web+"/x")
	if err == nil || !strings.Contains(err.Error(), refuses) || !strings.Contains(err.Error(), web) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestConfigOptsThatDialStandBesideSeveralHosts(t *testing.T) {
	r := onFake(t, 1)
	dialled := 0
	s, err := kafka.Connect(t.Context(), kafka.Config{
		Brokers: []string{r.brokers[0], r.brokers[0]},
		Opts: []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled++
			return new(net.Dialer).DialContext(ctx, network, addr)
		})},
	}, streamer.StreamerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if dialled == 0 {
		t.Error("the dialer of Config.Opts was not used")
	}
}

func TestAPortThatSpeaksSomethingElseIsNamedSoon(t *testing.T) {
	cert, certFile, _ := certificate(t)
	secureBroker := cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	for _, m := range []mistake{
		{"HTTP", "kafka://" + web(t, httptest.NewServer) + "/x", streamer.ErrInvalid, "speaks HTTP"},
		{"HTTPS", "kafka://" + web(t, httptest.NewTLSServer) + "/x", streamer.ErrInvalid, "tls=true"},
		{"HTTP to TLS", "kafka://" + web(t, httptest.NewServer) + "/x?tls=true", streamer.ErrInvalid, "speaks HTTP"},
		{"Redis", "kafka://" + likeRedis(t) + "/x", streamer.ErrInvalid, "redis://"},
		{"Redis to TLS", "kafka://" + likeRedis(t) + "/x?tls=true", streamer.ErrInvalid, "redis://"},
		{"Redis with credentials", "kafka://a:" + secret + "@" + likeRedis(t) + "/x", streamer.ErrInvalid, "redis://"},
		{"plain text to TLS", "kafka://" + secureBroker + "/x", streamer.ErrInvalid, "tls=true"},
		{"TLS to plain text", "kafka://" + cluster(t) + "/x?tls_ca=" + certFile, streamer.ErrInvalid, "without TLS"},
		{"one that closes", "kafka://" + listener(t, func(net.Conn) {}) + "/x", streamer.ErrInvalid, "check tls="},
		{"one that closes, of two", "kafka://" + listener(t, func(net.Conn) {}) + "," + closedPort(t) + "/x", nil, ""},
		{"SSH", "kafka://" + held(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n") }) + "/x", streamer.ErrInvalid, "speaks SSH"},
	} {
		t.Run(m.name, func(t *testing.T) {
			m.check(t)
			notMisleading(t, m.uri)
		})
	}
}

func TestASilentPortIsATypedErrorThatIsNotTheProgramsDeadline(t *testing.T) {
	for _, uri := range []string{"kafka://" + silent(t) + "/x", "kafka://" + silent(t) + "," + silent(t) + "/x"} {
		(mistake{"", uri, nil, "no answer"}).check(t)
		notMisleading(t, uri)
	}
}

// notMisleading fails when the error of Connect reads like success, or like the
// end of the program's context.
func notMisleading(t *testing.T, uri string) {
	t.Helper()
	_, err := streamer.Connect(t.Context(), uri)
	for _, not := range []error{io.EOF, context.DeadlineExceeded, context.Canceled, nil} {
		if errors.Is(err, not) {
			t.Errorf("%v is %v", err, not)
		}
	}
}

func TestABrokerThatIsFrozenLeavesTheOthersWorking(t *testing.T) {
	c := testservers.StartKafka(t, testservers.KafkaOptions{Brokers: 3})
	if c == nil {
		return
	}
	r := &rig{TB: t, brokers: c.Addrs()}
	r.prepare(1, nil)
	leader, frozen := c.Leader(r.topic, 0), c.Nodes[0]
	if frozen == leader {
		frozen = c.Nodes[1]
	}
	frozen.Suspend()
	defer frozen.Continue()
	works(t, r, "kafka://"+frozen.Addr()+","+leader.Addr()+"/"+r.topic, 3*hang) // the cluster itself needs ten seconds to notice
}
