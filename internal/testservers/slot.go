package testservers

import (
	"fmt"
	"strings"
	"time"
)

// Slot is the slot of a key: CRC-16/XMODEM of the key, or of what stands in its
// first braces, modulo [Slots].
func Slot(key string) int {
	if _, after, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(after, "}"); ok && tag != "" {
			key = tag
		}
	}
	var sum uint16
	for i := range len(key) {
		sum ^= uint16(key[i]) << 8
		for range 8 {
			carry := sum&0x8000 != 0
			if sum <<= 1; carry {
				sum ^= 0x1021
			}
		}
	}
	return int(sum) % Slots
}

// Master is the node that serves a key, as the first running node sees it.
func (c *Cluster) Master(key string) *RedisServer {
	c.t.Helper()
	n, err := c.master(Slot(key))
	c.must(err)
	return n
}

// Replica is a running replica of the node that serves a key.
func (c *Cluster) Replica(key string) *RedisServer {
	c.t.Helper()
	master := c.Master(key)
	for _, n := range c.Nodes {
		if n.process.running() && field(n.Do("INFO", "replication"), "master_port") == itoa(master.port) {
			return n
		}
	}
	c.t.Fatalf("%s has no replica", master.Addr())
	return nil
}

func (c *Cluster) master(slot int) (*RedisServer, error) {
	for _, n := range c.Nodes {
		if n.process.running() {
			return c.masterSeenBy(n, slot)
		}
	}
	return nil, fmt.Errorf("no node of the cluster is running")
}

func (c *Cluster) masterSeenBy(n *RedisServer, slot int) (*RedisServer, error) {
	ranges, err := n.Try("CLUSTER", "SLOTS")
	if err != nil {
		return nil, err
	}
	for _, r := range ranges.([]any) {
		r := r.([]any) // first, last, master, replicas…
		if int64(slot) >= r[0].(int64) && int64(slot) <= r[1].(int64) {
			return c.node(r[2].([]any)[1].(int64))
		}
	}
	return nil, fmt.Errorf("%s knows no master of slot %d", n.Addr(), slot)
}

func (c *Cluster) node(port int64) (*RedisServer, error) {
	for _, n := range c.Nodes {
		if int64(n.port) == port {
			return n, nil
		}
	}
	return nil, fmt.Errorf("no node of the cluster has port %d", port)
}

// AwaitFailover waits until another node than old serves a key, and returns it.
func (c *Cluster) AwaitFailover(key string, old *RedisServer) *RedisServer {
	c.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		n, err := c.master(Slot(key))
		if err == nil && n != old && n.process.running() {
			if info, _ := n.Try("CLUSTER", "INFO"); field(info, "cluster_state") == "ok" {
				return n
			}
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("no fail-over within %v: %v", patience, err)
		}
	}
}

// HandOver makes a replica of the master that serves a key take over from it in
// good order, which loses nothing, and returns when every node knows.
func (c *Cluster) HandOver(key string) {
	c.t.Helper()
	old, replica := c.Master(key), c.Replica(key)
	var asked time.Time
	for deadline := time.Now().Add(patience); !c.handedOver(key, old, replica); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s does not take over from %s within %v", replica.Addr(), old.Addr(), patience)
		}
		// The server gives up by itself after five seconds, without a word.
		if time.Since(asked) > 6*time.Second && field(replica.Do("INFO", "replication"), "master_link_status") == "up" {
			replica.Do("CLUSTER", "FAILOVER")
			asked = time.Now()
		}
	}
}

// handedOver says whether every running node takes a node for the master of a
// key, and its predecessor has caught up with it.
func (c *Cluster) handedOver(key string, from, to *RedisServer) bool {
	for _, n := range c.Nodes {
		if !n.process.running() {
			continue
		}
		if master, err := c.masterSeenBy(n, Slot(key)); err != nil || master != to {
			return false
		}
	}
	info, err := from.Try("INFO", "replication")
	return err == nil && field(info, "master_port") == itoa(to.port) && field(info, "master_link_status") == "up"
}

// MoveSlot moves a slot and its keys from one master to another, as resharding
// does. In between, clients are answered with ASK.
func (c *Cluster) MoveSlot(slot int, to *RedisServer) {
	c.t.Helper()
	from, err := c.master(slot)
	c.must(err)
	if from == to {
		return
	}
	s, fromID, toID := itoa(slot), from.Do("CLUSTER", "MYID").(string), to.Do("CLUSTER", "MYID").(string)
	to.Do("CLUSTER", "SETSLOT", s, "IMPORTING", fromID)
	from.Do("CLUSTER", "SETSLOT", s, "MIGRATING", toID)
	for {
		keys := from.Do("CLUSTER", "GETKEYSINSLOT", s, "100").([]any)
		if len(keys) == 0 {
			break
		}
		for _, key := range keys {
			from.Do("MIGRATE", "127.0.0.1", itoa(to.port), key.(string), "0", itoa(int(patience.Milliseconds())))
		}
	}
	to.Do("CLUSTER", "SETSLOT", s, "NODE", toID)
	from.Do("CLUSTER", "SETSLOT", s, "NODE", toID)
}
