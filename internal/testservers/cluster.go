package testservers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// ClusterOptions says what a test needs of a Redis cluster.
type ClusterOptions struct {
	Masters  int          // default 3
	Replicas int          // of each master; one is enough for a fail-over
	Server   RedisOptions // of every node
}

// Slots is how many slots the masters of a cluster share.
const Slots = 16384

// nodeTimeout is after how many milliseconds without an answer a node counts as
// dead.
const nodeTimeout = 2000

// Cluster is a Redis cluster of the test that started it. Its methods fail the
// test where they fail.
type Cluster struct {
	Nodes []*RedisServer // the masters first, then replicas, as they were at the start

	t testing.TB // nil while it is shared
}

// StartRedisCluster starts a cluster, which takes about two seconds, or leaves
// the test out and returns nil.
func StartRedisCluster(t testing.TB, o ClusterOptions) *Cluster {
	t.Helper()
	kind := "cluster"
	if o.Replicas > 0 {
		kind = "cluster with replicas"
	}
	program, ok := redisFor(t, kind)
	if !ok {
		return nil
	}
	c, err := launchCluster(program, o)
	if err != nil {
		t.Fatal(err)
	}
	c.t = t
	for _, n := range c.Nodes {
		n.owned(t)
	}
	return c
}

func launchCluster(program Program, o ClusterOptions) (*Cluster, error) {
	if o.Masters == 0 {
		o.Masters = 3
	}
	c := new(Cluster)
	err := c.launchNodes(program, o)
	if err == nil {
		err = c.introduce(o.Masters)
	}
	if err == nil {
		err = c.replicate(o.Masters)
	}
	if err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

func (c *Cluster) launchNodes(program Program, o ClusterOptions) error {
	for range o.Masters * (1 + o.Replicas) {
		bus, err := freePort()
		if err != nil {
			return err
		}
		each := o.Server
		each.Config = append(each.nodeConf(bus), each.Config...)
		if len(c.Nodes) > 0 {
			each.certificates = c.Nodes[0].Certificates
		}
		n, err := launch(program, each)
		if err != nil {
			return err
		}
		c.Nodes = append(c.Nodes, n)
	}
	return nil
}

// nodeConf makes a server with these options a node of a cluster.
func (o RedisOptions) nodeConf(bus int) []string {
	lines := []string{
		"cluster-enabled yes", fmt.Sprint("cluster-port ", bus),
		fmt.Sprint("cluster-node-timeout ", nodeTimeout),
	}
	if o.TLS != Plain {
		lines = append(lines, "tls-cluster yes", "tls-replication yes")
	}
	if o.Password != "" {
		lines = append(lines, "masterauth "+o.Password)
	}
	return lines
}

// introduce divides the slots and makes the nodes know one another.
func (c *Cluster) introduce(masters int) error {
	for i, n := range c.Nodes {
		if i < masters {
			if _, err := n.Try("CLUSTER", "ADDSLOTSRANGE", itoa(i*Slots/masters), itoa((i+1)*Slots/masters-1)); err != nil {
				return err
			}
		}
		if _, err := n.Try("CLUSTER", "SET-CONFIG-EPOCH", itoa(i+1)); err != nil {
			return err
		}
	}
	for _, n := range c.Nodes[1:] {
		bus, err := n.Try("CONFIG", "GET", "cluster-port")
		if err != nil {
			return err
		}
		meet := []string{"CLUSTER", "MEET", "127.0.0.1", itoa(n.port), bus.([]any)[1].(string)}
		if _, err := c.Nodes[0].Try(meet...); err != nil {
			return err
		}
	}
	return c.await("to become one", func(n *RedisServer) (bool, error) {
		info, err := n.Try("CLUSTER", "INFO")
		return field(info, "cluster_state") == "ok" && field(info, "cluster_known_nodes") == itoa(len(c.Nodes)), err
	})
}

// replicate makes the nodes beyond the masters replicas, in turn, and waits
// until every node knows.
func (c *Cluster) replicate(masters int) error {
	for i, n := range c.Nodes[masters:] {
		id, err := c.Nodes[i%masters].Try("CLUSTER", "MYID")
		if err != nil {
			return err
		}
		if _, err := n.Try("CLUSTER", "REPLICATE", id.(string)); err != nil {
			return err
		}
	}
	replicas := len(c.Nodes) - masters
	return c.await("to have its replicas", func(n *RedisServer) (bool, error) {
		nodes, err := n.Try("CLUSTER", "NODES")
		if err != nil || strings.Count(nodes.(string), "slave") < replicas {
			return false, err
		}
		info, err := n.Try("INFO", "replication")
		return field(info, "role") == "master" || field(info, "master_link_status") == "up", err
	})
}

// await waits for what holds on every running node.
func (c *Cluster) await(what string, holds func(*RedisServer) (bool, error)) error {
	deadline := time.Now().Add(patience)
	for _, n := range c.Nodes {
		for n.process.running() {
			ok, err := holds(n)
			if ok && err == nil {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("waited %v for the cluster %s on %s: %v", patience, what, n.Addr(), err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return nil
}

// Addrs are the addresses of all nodes.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		addrs[i] = n.Addr()
	}
	return addrs
}

func (c *Cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *Cluster) remove() error {
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.remove())
	}
	return errors.Join(errs...)
}
