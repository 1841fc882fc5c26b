package testservers

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// KafkaServer is one broker. Its methods fail the test where they fail, and are
// called from the test's goroutine.
type KafkaServer struct {
	server
	program   Program
	id        int32
	listeners map[Listener]int // ports; that of the plain one is the server's
	tuned     []string         // flags of the virtual machine beside the usual
}

// Listener is a way to talk to a broker beside the plain one.
type Listener string

const (
	ListenSASL    Listener = "SASL_PLAINTEXT"
	ListenTLS     Listener = "SSL"
	ListenSASLTLS Listener = "SASL_SSL"

	listenPlain      Listener = "PLAINTEXT"
	listenController Listener = "CONTROLLER"
)

// At is the address of a listener that the options ask for, the same after
// Restart.
func (s *KafkaServer) At(l Listener) string {
	s.t.Helper()
	port, ok := s.listeners[l]
	if !ok {
		s.t.Fatalf("the broker does not listen for %s", l)
	}
	return loopback(port)
}

// ID is the broker's node id.
func (s *KafkaServer) ID() int32 { return s.id }

// LogDir is where the broker keeps the segments of a partition. What is changed
// there while it runs is what it reads from then on.
func (s *KafkaServer) LogDir(topic string, partition int32) string {
	return filepath.Join(s.dir, dataDir, fmt.Sprintf("%s-%d", topic, partition))
}

// Restart starts the broker that Kill ended, on its old ports and with what it
// has on disk, and returns when it answers. It takes its place in the cluster
// when its last session has timed out, some three seconds after Kill.
func (s *KafkaServer) Restart() {
	s.t.Helper()
	s.must(s.process.kill())
	s.must(s.spawn())
	s.must(s.await(s.ping))
}

// spawn starts the program.
func (s *KafkaServer) spawn() error {
	return s.start(s.program.Path, javaArgs(s.tuned, "kafka.Kafka", filepath.Join(s.dir, propertiesFile))...)
}

// ping asks a question that every broker answers, whatever its place in the
// cluster.
func (s *KafkaServer) ping() error {
	return administrate(s.Addr(), func(ctx context.Context, adm *kadm.Client) error {
		_, err := adm.ApiVersions(ctx)
		return err
	})
}

// knows asks whether the broker has heard of all brokers.
func (s *KafkaServer) knows(brokers int) error {
	return administrate(s.Addr(), func(ctx context.Context, adm *kadm.Client) error {
		md, err := adm.BrokerMetadata(ctx)
		if err == nil && len(md.Brokers) < brokers {
			err = fmt.Errorf("it knows %d brokers of %d", len(md.Brokers), brokers)
		}
		return err
	})
}

// administrate does something with a client of one broker that knows nothing of
// what was before.
func administrate(addr string, do func(context.Context, *kadm.Client) error) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RequestRetries(0), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return do(ctx, kadm.NewClient(cl))
}
