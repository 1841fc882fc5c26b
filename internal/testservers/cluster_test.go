package testservers

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSlotIsWhatTheServerSays(t *testing.T) {
	t.Parallel()
	addrs := RedisCluster(t)
	if addrs == nil {
		return
	}
	if len(addrs) != 3 {
		t.Fatalf("%d nodes", len(addrs))
	}
	for _, key := range []string{"", "a", "orders:1", "{tag}x", "x{tag}y{z}", "{}x", "{", "a}b{c}", "ключ"} {
		got, err := call(addrs[0], nil, []string{"CLUSTER", "KEYSLOT", key})
		if err != nil {
			t.Fatal(err)
		}
		mustReply(t, fmt.Sprintf("Slot(%q)", key), int64(Slot(key)), got)
	}
}

func TestASlotMovesWithItsKeys(t *testing.T) {
	t.Parallel()
	c := StartRedisCluster(t, ClusterOptions{})
	if c == nil {
		return
	}
	from := c.Master("orders")
	from.Do("XADD", "orders", "*", "msg", "x")
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	c.MoveSlot(Slot("orders"), to)
	mustReply(t, "XLEN", to.Int("XLEN", "orders"), 1)
	if _, err := from.Try("XLEN", "orders"); err == nil || !strings.Contains(err.Error(), "MOVED") {
		t.Fatalf("the old master: %v", err)
	}
	if c.Master("orders") != to {
		t.Error("the new master is not known")
	}
}

func TestAReplicaTakesOverFromAKilledMaster(t *testing.T) {
	t.Parallel()
	c := StartRedisCluster(t, ClusterOptions{Replicas: 1})
	if c == nil {
		return
	}
	old := c.Master("orders")
	old.DoAndWait(1, "XADD", "orders", "*", "msg", "x")
	replica := c.Replica("orders")
	old.Kill()
	before := time.Now()
	master := c.AwaitFailover("orders", old)
	t.Logf("a new master after %v", time.Since(before))
	if master != replica {
		t.Fatalf("%s took over, not the replica %s", master.Addr(), replica.Addr())
	}
	mustReply(t, "XLEN", master.Int("XLEN", "orders"), 1)
	old.Restart()
}

func TestSentinelsReplaceAKilledMaster(t *testing.T) {
	t.Parallel()
	s := StartRedisSentinel(t, RedisOptions{})
	if s == nil {
		return
	}
	old := s.Master()
	if old != s.Servers[0] {
		t.Fatalf("the master is %s, not %s", old.Addr(), s.Servers[0].Addr())
	}
	old.DoAndWait(2, "XADD", "orders", "*", "msg", "x")
	old.Kill()
	before := time.Now()
	master := s.AwaitFailover(old)
	t.Logf("a new master after %v", time.Since(before))
	mustReply(t, "XLEN", master.Int("XLEN", "orders"), 1)
}
