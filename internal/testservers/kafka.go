package testservers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// KafkaOptions says what a test needs of Kafka. The zero value is one broker
// that admits all users.
type KafkaOptions struct {
	Brokers    int               // default 1; each is a controller, too, and three keep everything threefold
	Users      map[string]string // passwords by name, for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 on [ListenSASL]
	TLS        TLS               // of [ListenTLS] and, with users, of [ListenSASLTLS]
	Authorizer bool              // ACLs are heeded; what has none is open to all users, and the user "admin" may do everything
	Properties []string          // further lines of server.properties, which replace earlier ones: "log.retention.ms=1000"
}

func (o KafkaOptions) kind() string {
	switch {
	case o.Brokers > 1:
		return fmt.Sprint(o.Brokers, " brokers")
	case o.TLS != Plain:
		return "TLS"
	case len(o.Users) > 0:
		return "SASL"
	case o.Authorizer:
		return "ACL"
	}
	return "single"
}

// KafkaCluster is one or more brokers of the test that started them; they end
// with that test. Its methods fail the test where they fail, and are called
// from the test's goroutine.
type KafkaCluster struct {
	Nodes        []*KafkaServer // by node id, from 1 on
	Certificates *Certificates  // nil without TLS

	t       testing.TB // nil while it is shared
	options KafkaOptions
}

// StartKafka starts brokers, which takes some two seconds for one and five for
// three, or leaves the test out and returns nil.
func StartKafka(t testing.TB, o KafkaOptions) *KafkaCluster {
	t.Helper()
	program, ok := kafkaFor(t, o.kind())
	if !ok {
		return nil
	}
	c, err := launchKafka(program, o)
	if err != nil {
		t.Fatal(err)
	}
	c.t = t
	for _, n := range c.Nodes {
		n.owned(t)
	}
	return c
}

func kafkaFor(t testing.TB, kind string) (Program, bool) {
	t.Helper()
	return programFor(t, FindKafka, "kafka", kind)
}

// launchKafka starts brokers on free ports, waits until each knows all of them,
// and lets in the users.
func launchKafka(program Program, o KafkaOptions) (*KafkaCluster, error) {
	o.Brokers = max(o.Brokers, 1)
	return onFreePorts(func() (*KafkaCluster, error) {
		c := &KafkaCluster{options: o}
		err := c.prepare(program)
		for _, n := range c.Nodes {
			if err == nil {
				err = n.format()
			}
			if err == nil {
				err = n.spawn()
			}
		}
		for _, n := range c.Nodes {
			if err == nil {
				err = n.await(func() error { return n.knows(o.Brokers) })
			}
		}
		if err == nil {
			err = c.warm()
		}
		return c, err
	})
}

// warm makes the users, and makes the cluster make its topic of offsets, on
// which the first to use a group would wait.
func (c *KafkaCluster) warm() error {
	n := c.Nodes[0]
	return administrate(n.Addr(), func(ctx context.Context, adm *kadm.Client) error {
		if err := addUsers(ctx, adm, c.options.Users); err != nil {
			return err
		}
		return n.await(func() error {
			_, err := adm.FetchOffsets(ctx, "testservers")
			return err
		})
	})
}

// addUsers makes credentials for both kinds of SCRAM. Those for PLAIN are in
// the configuration.
func addUsers(ctx context.Context, adm *kadm.Client, users map[string]string) error {
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		var add []kadm.UpsertSCRAM
		for name, password := range users {
			add = append(add, kadm.UpsertSCRAM{User: name, Mechanism: mechanism, Iterations: 4096, Password: password})
		}
		if len(add) == 0 {
			return nil
		}
		made, err := adm.AlterUserSCRAMs(ctx, nil, add)
		if err == nil {
			err = made.Error()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Addr is the address of the first broker.
func (c *KafkaCluster) Addr() string { return c.Nodes[0].Addr() }

// Addrs are the addresses of all brokers.
func (c *KafkaCluster) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		addrs[i] = n.Addr()
	}
	return addrs
}

// Kill ends all brokers with SIGKILL.
func (c *KafkaCluster) Kill() {
	c.t.Helper()
	for _, n := range c.Nodes {
		n.Kill()
	}
}

// Restart starts the brokers that Kill ended, on their old ports and with what
// they have on disk, and returns when all answer.
func (c *KafkaCluster) Restart() {
	c.t.Helper()
	for _, n := range c.Nodes {
		n.must(errors.Join(n.process.kill(), n.spawn()))
	}
	for _, n := range c.Nodes {
		n.must(n.await(n.ping))
	}
}

// Client is a client of all brokers, past every fault that a test makes, until
// the test ends.
func (c *KafkaCluster) Client(o ...kgo.Opt) *kgo.Client {
	c.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.Addrs()...), kgo.MetadataMinAge(10 * time.Millisecond)}, o...)...)
	c.must(err)
	c.t.Cleanup(cl.Close)
	return cl
}

func (c *KafkaCluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *KafkaCluster) remove() error {
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.remove())
	}
	return errors.Join(errs...)
}

// node is the broker with an id.
func (c *KafkaCluster) node(id int32) (*KafkaServer, error) {
	i := slices.IndexFunc(c.Nodes, func(n *KafkaServer) bool { return n.id == id })
	if i < 0 {
		return nil, fmt.Errorf("no broker has the id %d", id)
	}
	return c.Nodes[i], nil
}
