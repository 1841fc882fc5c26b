package testservers

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Leader is the broker that leads a partition, as the first running broker sees
// it.
func (c *KafkaCluster) Leader(topic string, partition int32) *KafkaServer {
	c.t.Helper()
	var leader *KafkaServer
	c.await("a leader of "+topic, func(ctx context.Context, adm *kadm.Client) (bool, error) {
		md, err := adm.Metadata(ctx, topic)
		if err != nil {
			return false, err
		}
		p, ok := md.Topics[topic].Partitions[partition]
		if !ok || p.Err != nil || p.Leader < 0 {
			return false, p.Err
		}
		leader, err = c.node(p.Leader)
		return leader != nil && leader.process.running(), err
	})
	return leader
}

// Coordinator is the broker that coordinates a group, as the first running
// broker sees it.
func (c *KafkaCluster) Coordinator(group string) *KafkaServer {
	c.t.Helper()
	var coordinator *KafkaServer
	c.await("a coordinator of "+group, func(ctx context.Context, adm *kadm.Client) (bool, error) {
		found := adm.FindGroupCoordinators(ctx, group)[group]
		if found.Err != nil {
			return false, found.Err
		}
		var err error
		coordinator, err = c.node(found.NodeID)
		return coordinator != nil && coordinator.process.running(), err
	})
	return coordinator
}

// AwaitInSync waits until all replicas of a topic have what its leaders have:
// until then no leader can be spared. Kafka's own topics count as well:
// "__consumer_offsets".
func (c *KafkaCluster) AwaitInSync(topics ...string) {
	c.t.Helper()
	c.await("the replicas to be in sync", func(ctx context.Context, adm *kadm.Client) (bool, error) {
		md, err := adm.Metadata(ctx, topics...)
		if err != nil {
			return false, err
		}
		behind := 0
		md.Topics.EachPartition(func(p kadm.PartitionDetail) {
			if p.Err != nil || p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
				behind++
			}
		})
		return behind == 0, nil
	})
}

// await waits for what the first running broker says.
func (c *KafkaCluster) await(what string, holds func(context.Context, *kadm.Client) (bool, error)) {
	c.t.Helper()
	var ok bool
	var err error
	for deadline := time.Now().Add(patience); !ok || err != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("waited %v for %s: %v", patience, what, err)
		}
		for _, n := range c.Nodes {
			if n.process.running() {
				err = administrate(n.Addr(), func(ctx context.Context, adm *kadm.Client) (err error) {
					ok, err = holds(ctx, adm)
					return err
				})
				break
			}
			err = errors.New("no broker is running")
		}
	}
}
