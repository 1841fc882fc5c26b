package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// stickyBytes is how much goes to one shard before records without a key go to
// another one.
const stickyBytes = 64 << 10

// partitioner sends a record to the shard that it names, else to that of its
// key as Java's clients do (murmur2), else to any: to one shard until a batch's
// worth is there, rather to those that keep up.
type partitioner struct{ any kgo.Partitioner }

func newPartitioner() kgo.Partitioner {
	return partitioner{kgo.UniformBytesPartitioner(stickyBytes, true, true, nil)}
}

// ForTopic implements kgo.Partitioner.
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	inner := p.any.ForTopic(topic)
	backup, ok := inner.(kgo.TopicBackupPartitioner)
	if !ok {
		return inner
	}
	return topicPartitioner{backup}
}

type topicPartitioner struct{ kgo.TopicBackupPartitioner }

// RequiresConsistency implements kgo.TopicPartitioner.
func (p topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return named(r) >= 0 || p.TopicBackupPartitioner.RequiresConsistency(r)
}

// PartitionByBackup implements kgo.TopicBackupPartitioner.
func (p topicPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if shard := named(r); shard >= 0 {
		return int(shard)
	}
	return p.TopicBackupPartitioner.PartitionByBackup(r, n, backup)
}

// named is the shard that a record has to go to, or anyShard.
func named(r *kgo.Record) int32 {
	if f, ok := r.Context.(*flight); ok {
		return f.shard
	}
	return anyShard
}
