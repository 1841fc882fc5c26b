package kafka_test

import (
	"slices"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A replica that is behind is elected, because the one that was not is gone:
// what it stores is read by consumers that run and by those that come back.
func TestAnUncleanElection(t *testing.T) {
	t.Parallel()
	c := testservers.StartKafka(t, testservers.KafkaOptions{Brokers: 3, Properties: []string{
		"replica.lag.time.max.ms=2000", "unclean.leader.election.enable=true", "min.insync.replicas=1",
	}})
	if c == nil {
		return
	}
	modes := []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced, streamer.Resumable, streamer.LoadBalanced}
	all := make([]*shrinking, len(modes))
	in := make([]streamer.Consumer, len(modes))
	closed := func(i int) bool { return i >= 3 }
	others := sparing(c)
	leader, follower := others[0], others[1]
	for i := range all {
		x := &shrinking{rig: &rig{TB: t, brokers: c.Addrs()}}
		x.o = streamer.ConsumerOptions{Mode: modes[i], Start: streamer.Beginning(), Ack: streamer.AckManual}
		x.prepareOn([]int32{leader.ID(), follower.ID()})
		if modes[i] != streamer.RealTime {
			x.o.Group = x.topic
		}
		x.must(x.storeFrom(0, 0, kept))
		all[i] = x
	}
	for _, x := range all {
		c.AwaitInSync(x.topic)
	}
	follower.Kill()
	for i, x := range all {
		x.must(x.storeFrom(0, kept, lost-kept))
		in[i] = x.open()
		x.ackAll(in[i], 0, lost)
		if closed(i) {
			x.must(in[i].Close())
		}
	}
	leader.Kill()
	follower.Restart()
	for i, x := range all {
		x.awaitLeaders(1)
		x.must(x.storeFrom(0, 1000, 50))
		if closed(i) {
			in[i] = x.open()
		}
		x.takes(in[i], 1000, 1050)
		x.reported()
	}
}

// sparing are the brokers but the one that coordinates the groups.
func sparing(c *testservers.KafkaCluster) []*testservers.KafkaServer {
	coordinator := c.Coordinator("any")
	return slices.DeleteFunc(slices.Clone(c.Nodes), func(n *testservers.KafkaServer) bool { return n.ID() == coordinator.ID() })
}

// prepareOn makes the topic with a partition for each of these lists of
// brokers, of which the first leads.
func (r *rig) prepareOn(replicas ...[]int32) {
	r.Helper()
	r.dial()
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = r.topic, -1, -1
	for p, brokers := range replicas {
		ra := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		ra.Partition, ra.Replicas = int32(p), brokers //nolint:gosec // a few
		rt.ReplicaAssignment = append(rt.ReplicaAssignment, ra)
	}
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 10_000
	resp, err := req.RequestWith(r.ctx(), r.raw)
	r.must(err)
	r.must(kerr.ErrorForCode(resp.Topics[0].ErrorCode))
	r.awaitLeaders(len(replicas))
}
