package kafka_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestPartitionsAddedUnderAReaderAreReadFromTheirBeginning: records are in a
// new partition before anything may have noticed it.
func TestPartitionsAddedUnderAReaderAreReadFromTheirBeginning(t *testing.T) {
	const times, records = 4, 50
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		o.AutoReset = streamer.Latest
		c := r.consumer(r.connect(kafka.Config{}, streamer.StreamerOptions{}), o)
		for i := range times {
			_, err := r.adm.CreatePartitions(r.ctx(), 1, r.topic)
			r.must(err)
			partition := int32(2 + i) //nolint:gosec // a few
			r.until("the records in a new partition", func() bool { return r.storeIn(partition, records) == nil })
			for _, m := range r.expect(c, 0, records) {
				if m.Shard != streamer.ShardID(partition) { //nolint:gosec // a few
					r.Fatalf("message %s is of shard %d, want %d", m.Value, m.Shard, partition)
				}
				m.Ack()
			}
		}
	})
}

// storeIn stores numbered records with a client that knows nothing of before;
// nothing when the partition is not there yet.
func (r *rig) storeIn(partition int32, n int) error { return r.storeFrom(partition, 0, n) }

// storeFrom stores n records in a partition, numbered from a number on.
func (r *rig) storeFrom(partition int32, from, n int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	r.must(err)
	defer cl.Close()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Topic: r.topic, Partition: partition, Value: fmt.Append(nil, from+i)}
	}
	return cl.ProduceSync(r.ctx(), records...).FirstErr()
}

// fill stores numbered records of a size in shard 0.
func (r *rig) fill(p streamer.Producer, n, size int) {
	r.Helper()
	shard := streamer.ShardID(0)
	for i := range n {
		p.Send(r.ctx(), streamer.Record{Value: append(fmt.Append(nil, i, " "), random(size)...), Shard: &shard})
	}
	r.must(p.Flush(r.ctx()))
}

// overtake keeps only the last records of shard 0.
func (r *rig) overtake(first int64) {
	r.Helper()
	var offsets kadm.Offsets
	offsets.AddOffset(r.topic, 0, first, -1)
	_, err := r.adm.DeleteRecords(r.ctx(), offsets)
	r.must(err)
}

// TestRetentionThatOvertakesAReaderIsItsEndWithResetError: once, as an error
// that says so.
func TestRetentionThatOvertakesAReaderIsItsEndWithResetError(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		const n, size, left = 300, 50_000, 10 // more than the client fetches ahead
		o.Start, o.AutoReset = streamer.Beginning(), streamer.ResetError
		o.Prefetch, o.BufferBytes = 10, 10*size
		s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
		r.fill(r.producer(s), n, size)
		c := r.consumer(s, o)
		_, err := c.Next(r.ctx())
		r.must(err)
		r.overtake(n - left)
		taken := 1
		for err == nil {
			if _, err = c.Next(r.ctx()); err == nil {
				taken++
			}
		}
		if !errors.Is(err, streamer.ErrPositionGone) || taken > n-left {
			r.Errorf("after %d messages: %v", taken, err)
		}
		r.Logf("after %d messages: %v", taken, err)
	})
}

// TestRetentionThatOvertakesACommit: a broker deletes what is old while nothing
// runs.
func TestRetentionThatOvertakesACommit(t *testing.T) {
	t.Parallel()
	at := onBrokers(trials.New(t), testservers.KafkaOptions{Properties: []string{"log.retention.check.interval.ms=200", "log.initial.task.delay.ms=100"}}, 1)
	if at == nil {
		return
	}
	var gone atomic.Int64
	hooks := streamer.Hooks{Gone: func(streamer.GoneEvent) { gone.Add(1) }}
	s, err := streamer.ConnectWith(t.Context(), at.uri(), streamer.StreamerOptions{Hooks: hooks})
	at.Must("connect", err)
	defer s.Close()
	at.store(s, 0, 20)
	readers := []streamer.ConsumerOptions{trials.Reader(streamer.Resumable), trials.Reader(streamer.LoadBalanced)}
	for i := range readers {
		readers[i].Group = trials.NameOf(readers[i].Mode)
		c := at.Consumer(s, readers[i])
		for _, m := range at.Next(c, 0, 1, 2, 3, 4) {
			m.Ack()
		}
		at.Must("Close", c.Close())
	}
	at.expire()
	at.store(s, 20, 23)
	for _, o := range readers {
		refused := o
		refused.AutoReset = streamer.ResetError
		if _, err := s.Consumer(t.Context(), refused); !errors.Is(err, streamer.ErrPositionGone) {
			t.Errorf("%s with ResetError: %v", o.Group, err)
		}
		before := gone.Load()
		c := at.Consumer(s, o)
		at.Next(c, 20, 21, 22)
		if n := gone.Load() - before; n != 1 {
			t.Errorf("%s: %d positions were reported as gone, want 1", o.Group, n)
		}
		at.Must("Close", c.Close())
	}
}

// store stores numbered records.
func (s *site) store(to streamer.Streamer, from, end int) {
	s.Helper()
	p := s.Producer(to)
	for n := from; n < end; n++ {
		p.Send(s.Ctx, streamer.Record{Value: fmt.Append(nil, n)})
	}
	s.Must("Close", p.Close())
}

// expire waits until the broker has deleted all records, and lets it keep what
// comes.
func (s *site) expire() {
	s.Helper()
	set := func(ms string) {
		_, err := s.adm.AlterTopicConfigs(s.Ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &ms}}, orders)
		s.Must("retention.ms", err)
	}
	set("1")
	s.Eventually("the records to be deleted", func() bool {
		starts, err := s.adm.ListStartOffsets(s.Ctx, orders)
		s.Must("ListStartOffsets", err)
		o, _ := starts.Lookup(orders, 0)
		return o.Offset == 20
	})
	set("-1")
}
