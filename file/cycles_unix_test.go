//go:build unix

package file

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/internal/trials"
)

const (
	crewShards = 5
	crewSize   = 4 // processes
	crewTurn   = 2 // that leave or are killed at once
)

// TestMember is a member of the group of TestProcessesComeAndGo.
func TestMember(t *testing.T) { trials.RunMember(t) }

// TestProcessesComeAndGo: the processes of one group join, leave and are
// killed, all with messages in hand, while records are sent. No message is
// lost, and only what was uncommitted at a SIGKILL is redelivered.
func TestProcessesComeAndGo(t *testing.T) {
	trial := trials.New(t)
	x := &exchange{Trial: trial, path: filepath.Join(t.TempDir(), "log.ss")}
	uri := "file://" + x.path + "/orders?shards=" + strconv.Itoa(crewShards)
	f := trial.Flow(trial.Producer(trial.Connect(uri)), trials.Pace{Burst: 5, Every: 5e6, Shards: crewShards})
	f.Proceeds(100)
	x.flow = f
	c := &trials.Crew{Trial: trial, URI: uri, Group: "g", Doomed: x.stop, Uncommitted: x.uncommitted}
	c.Start(crewSize)
	random, seed := trials.Random()
	rounds := 0
	for ; c.Kills < trials.Soak(50, 1000); rounds++ {
		x.turn(c, random)
	}
	f.Stop()
	t.Logf("seed %d: %d rounds", seed, rounds)
	all := x.entries()
	trial.Eventually("the group has done everything", func() bool { return maps.Equal(x.committed(), x.last(all)) })
	c.Settle(all)
}

// exchange is a log, and what was committed of it when a process was stopped.
type exchange struct {
	*trials.Trial
	path string
	flow *trials.Flow
	then map[streamer.ShardID]uint64
}

// turn loses some processes and replaces them.
func (x *exchange) turn(c *trials.Crew, random *rand.Rand) {
	x.Helper()
	c.AwaitAll()
	x.flow.Proceeds(random.IntN(300))
	for range crewTurn {
		c.LoseOne(random)
	}
	c.Start(crewTurn)
}

// stop stops a process for good: what is committed now it cannot change any
// more, and nothing else yet, as it has its locks.
func (x *exchange) stop(pid int) {
	x.Helper()
	x.Must("SIGSTOP", syscall.Kill(pid, syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
	x.Must("wait for the stop", err)
	x.then = x.committed()
}

func (x *exchange) uncommitted(_ *trials.Member, got []trials.Entry) (list []trials.Entry) {
	for _, e := range got {
		if number(e) > x.then[e.Shard] {
			list = append(list, e)
		}
	}
	return list
}

func number(e trials.Entry) uint64 {
	n, _ := strconv.ParseUint(e.Seq, 10, 64)
	return n
}

// committed is the last number of each shard that the group has done.
func (x *exchange) committed() map[streamer.ShardID]uint64 {
	x.Helper()
	g := group.New(x.path, "g", false)
	list, err := g.List()
	x.Must("list", err)
	done := map[streamer.ShardID]uint64{}
	for _, at := range list {
		c, err := g.Load(at)
		x.Must("load", err)
		done[at.Shard] = c.Done
	}
	return done
}

func (x *exchange) entries() (all []trials.Entry) {
	x.Helper()
	o := trials.Reader(streamer.RealTime)
	o.Streams = []string{"orders"}
	c := x.Consumer(x.Connect("file://"+x.path+"?follow=false"), o)
	for {
		m, err := c.Next(x.Ctx)
		if err != nil {
			return all
		}
		all = append(all, trials.Entry{Shard: m.Shard, Seq: m.Seq.String(), Number: trials.NumberOf(m.Value)})
	}
}

func (x *exchange) last(all []trials.Entry) map[streamer.ShardID]uint64 {
	list := map[streamer.ShardID]uint64{}
	for _, e := range all {
		list[e.Shard] = max(list[e.Shard], number(e))
	}
	return list
}
