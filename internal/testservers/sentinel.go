package testservers

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// SentinelMaster is the name under which the sentinels know the master.
const SentinelMaster = "mymaster"

// Sentinel is a master with two replicas, watched by three sentinels. It ends
// with the test that started it.
type Sentinel struct {
	Servers   []*RedisServer // the first one is the master at the start
	Sentinels []*RedisServer

	t testing.TB
}

// StartRedisSentinel starts six processes, or leaves the test out and returns
// nil.
func StartRedisSentinel(t testing.TB, o RedisOptions) *Sentinel {
	t.Helper()
	program, ok := redisFor(t, "sentinel")
	if !ok {
		return nil
	}
	s := &Sentinel{t: t}
	s.Servers = append(s.Servers, startRedis(t, program, o))
	master := s.Servers[0]
	for range 2 {
		replica := o
		replica.Config = append([]string{fmt.Sprint("replicaof 127.0.0.1 ", master.port)}, o.Config...)
		s.Servers = append(s.Servers, startRedis(t, program, replica))
	}
	// Sentinels that start before the replicas are there look for them again
	// only ten seconds later.
	s.await("two replicas", func() (bool, error) {
		info, err := master.Try("INFO", "replication")
		return online(info), err
	})
	for range 3 {
		s.Sentinels = append(s.Sentinels, startSentinel(t, program, master.port))
	}
	s.await("the sentinels to see one another", func() (bool, error) { return s.complete() })
	return s
}

// online says whether INFO shows both replicas in step.
func online(info any) bool {
	return strings.Contains(field(info, "slave0"), "state=online") && strings.Contains(field(info, "slave1"), "state=online")
}

func startSentinel(t testing.TB, program Program, master int) *RedisServer {
	t.Helper()
	return startRedis(t, program, RedisOptions{sentinel: true, Config: []string{
		fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 2", SentinelMaster, master),
		fmt.Sprintf("sentinel down-after-milliseconds %s 1000", SentinelMaster),
		fmt.Sprintf("sentinel failover-timeout %s 5000", SentinelMaster),
	}})
}

// complete says whether every sentinel knows both replicas and both other
// sentinels.
func (s *Sentinel) complete() (bool, error) {
	for _, sentinel := range s.Sentinels {
		for _, list := range []string{"REPLICAS", "SENTINELS"} {
			known, err := sentinel.Try("SENTINEL", list, SentinelMaster)
			if l, _ := known.([]any); err != nil || len(l) != 2 {
				return false, err
			}
		}
	}
	return true, nil
}

// Addrs are the addresses of the sentinels.
func (s *Sentinel) Addrs() []string {
	addrs := make([]string, len(s.Sentinels))
	for i, n := range s.Sentinels {
		addrs[i] = n.Addr()
	}
	return addrs
}

// Master is the server that the first sentinel takes for the master.
func (s *Sentinel) Master() *RedisServer {
	s.t.Helper()
	n, err := s.master()
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *Sentinel) master() (*RedisServer, error) {
	reply, err := s.Sentinels[0].Try("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SentinelMaster)
	if err != nil {
		return nil, err
	}
	addr, _ := reply.([]any)
	for _, n := range s.Servers {
		if len(addr) == 2 && addr[1] == itoa(n.port) {
			return n, nil
		}
	}
	return nil, fmt.Errorf("the sentinels name an unknown master: %v", reply)
}

// AwaitFailover waits until another server than old is the master, and returns
// it.
func (s *Sentinel) AwaitFailover(old *RedisServer) *RedisServer {
	s.t.Helper()
	var master *RedisServer
	s.await("a fail-over", func() (ok bool, err error) {
		if master, err = s.master(); err != nil || master == old {
			return false, err
		}
		info, err := master.Try("INFO", "replication")
		return field(info, "role") == "master", err
	})
	return master
}

func (s *Sentinel) await(what string, holds func() (bool, error)) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		ok, err := holds()
		if ok && err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waited %v for %s: %v", patience, what, err)
		}
	}
}
