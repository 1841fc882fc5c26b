package testservers

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// storeOne makes a topic of one partition, on as many brokers as keep what is
// important, and stores a record in it.
func storeOne(t *testing.T, c *KafkaCluster, topic string) {
	t.Helper()
	cl := c.Client()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := kadm.NewClient(cl).CreateTopic(ctx, 1, -1, nil, topic)
	c.must(err)
	c.must(cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("one")}).FirstErr())
}

// stored waits for records in partition 0 of a topic and says how many there
// are.
func stored(c *KafkaCluster, topic string, least int64) (n int64) {
	c.t.Helper()
	c.await("the end of "+topic, func(ctx context.Context, adm *kadm.Client) (bool, error) {
		ends, err := adm.ListEndOffsets(ctx, topic)
		if err == nil {
			err = ends.Error() // a new leader does not know at once
		}
		end, ok := ends.Lookup(topic, 0)
		n = end.Offset
		return ok && n >= least, err // it has what was stored and learns later that all have it
	})
	return n
}

func TestTheSharedBrokerIsOne(t *testing.T) {
	t.Parallel()
	addr := Kafka(t)
	if addr == "" {
		return
	}
	if again := Kafka(t); again != addr {
		t.Fatalf("%s, then %s", addr, again)
	}
}

func TestABrokerKeepsWhatItHasAcrossSIGKILL(t *testing.T) {
	t.Parallel()
	c := StartKafka(t, KafkaOptions{})
	if c == nil {
		return
	}
	addr := c.Addr()
	storeOne(t, c, "orders")
	c.Kill()
	if err := c.Nodes[0].ping(); err == nil {
		t.Fatal("a killed broker answers")
	}
	c.Kill() // a second time does nothing
	before := time.Now()
	c.Restart()
	t.Logf("answers again %v after it was told to start", time.Since(before))
	if c.Addr() != addr {
		t.Fatalf("was on %s, is on %s", addr, c.Addr())
	}
	c.Leader("orders", 0)
	t.Logf("leads again %v after it was told to start", time.Since(before))
	mustReply(t, "the topic", stored(c, "orders", 1), int64(1))
}

func TestALeaderAndACoordinatorMoveWhenTheirBrokerIsKilled(t *testing.T) {
	t.Parallel()
	before := time.Now()
	c := StartKafka(t, KafkaOptions{Brokers: 3})
	if c == nil {
		return
	}
	t.Logf("three brokers after %v", time.Since(before))
	storeOne(t, c, "orders")
	c.AwaitInSync("orders", "__consumer_offsets")
	leader := c.Leader("orders", 0)
	coordinator := c.Coordinator("billing")
	leader.Kill()
	before = time.Now()
	if next := c.Leader("orders", 0); next == leader {
		t.Fatal("a killed broker leads")
	}
	t.Logf("another leader after %v", time.Since(before))
	mustReply(t, "the topic", stored(c, "orders", 1), int64(1))
	before = time.Now()
	leader.Restart()
	c.AwaitInSync("orders", "__consumer_offsets")
	t.Logf("in sync %v after the restart", time.Since(before))
	coordinator.Kill()
	if next := c.Coordinator("billing"); next == coordinator {
		t.Fatal("a killed broker coordinates")
	}
}

func TestListenersTakeWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	c := StartKafka(t, KafkaOptions{Users: map[string]string{"alice": "secret"}, TLS: Mutual})
	if c == nil {
		return
	}
	right, wrong := plain.Auth{User: "alice", Pass: "secret"}, plain.Auth{User: "alice", Pass: "no"}
	crypt := kgo.DialTLSConfig(c.Certificates.client())
	anonymous := kgo.DialTLSConfig(&tls.Config{RootCAs: c.Certificates.client().RootCAs})
	n := c.Nodes[0]
	for name, is := range map[string]struct {
		addr string
		opts []kgo.Opt
		fits bool
	}{
		"plain":                     {n.Addr(), nil, true},
		"PLAIN":                     {n.At(ListenSASL), []kgo.Opt{kgo.SASL(right.AsMechanism())}, true},
		"PLAIN, wrong":              {n.At(ListenSASL), []kgo.Opt{kgo.SASL(wrong.AsMechanism())}, false},
		"SCRAM-SHA-256":             {n.At(ListenSASL), []kgo.Opt{kgo.SASL(scram.Auth{User: "alice", Pass: "secret"}.AsSha256Mechanism())}, true},
		"SCRAM-SHA-512":             {n.At(ListenSASL), []kgo.Opt{kgo.SASL(scram.Auth{User: "alice", Pass: "secret"}.AsSha512Mechanism())}, true},
		"TLS":                       {n.At(ListenTLS), []kgo.Opt{crypt}, true},
		"TLS without a certificate": {n.At(ListenTLS), []kgo.Opt{anonymous}, false},
		"PLAIN over TLS":            {n.At(ListenSASLTLS), []kgo.Opt{crypt, kgo.SASL(right.AsMechanism())}, true},
	} {
		cl, err := kgo.NewClient(append(is.opts, kgo.SeedBrokers(is.addr), kgo.RequestRetries(0))...)
		c.must(err)
		err = cl.Ping(t.Context())
		cl.Close()
		if (err == nil) != is.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABrokerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	program, err := FindKafka()
	if err != nil {
		leaveOut(t, err)
		return
	}
	_, err = launchKafka(program, KafkaOptions{Properties: []string{"num.partitions=no-number"}})
	if err == nil || !strings.Contains(err.Error(), "no-number") {
		t.Fatalf("error %v", err)
	}
}

func TestAMissingKafkaOrAnOldJavaIsTold(t *testing.T) {
	program, err := FindKafka()
	if err != nil {
		leaveOut(t, err)
		return
	}
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n"
	if err := os.WriteFile(filepath.Join(dir, "java"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("JAVA_HOME", "")
	if _, err := FindKafka(); err == nil || !strings.Contains(err.Error(), "11.0.2") {
		t.Errorf("an old java, and beside it %s: %v", program.Path, err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	if _, err := FindKafka(); err == nil || !strings.Contains(err.Error(), "make test installs it") {
		t.Errorf("nothing installed: %v", err)
	}
}

func TestBrokersTestify(t *testing.T) {
	c := StartKafka(t, KafkaOptions{})
	if c == nil {
		return
	}
	dir := t.TempDir()
	t.Setenv(verdictsVariable, dir)
	t.Setenv("STREAMER_KAFKA", c.Addr())
	mustReply(t, "the shared broker", Kafka(t), c.Addr())
	text, err := os.ReadFile(filepath.Join(dir, "servers"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "kafka v4.") || !strings.HasSuffix(string(text), " (STREAMER_KAFKA)\n") {
		t.Errorf("testified %q", text)
	}
}
