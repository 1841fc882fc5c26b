package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// These tests are about what a fake does not do as a real broker does.

func modes() []streamer.ConsumerOptions {
	return []streamer.ConsumerOptions{
		{Mode: streamer.RealTime, AutoReset: streamer.Earliest},
		{Mode: streamer.Resumable, Group: "resumable", AutoReset: streamer.Earliest, Ack: streamer.AckManual},
		{Mode: streamer.LoadBalanced, Group: "balanced", AutoReset: streamer.Earliest, Ack: streamer.AckManual},
	}
}

// perMode runs f for each mode, with a topic and a group of its own.
func perMode(t *testing.T, f func(r *rig, o streamer.ConsumerOptions)) {
	for _, o := range modes() {
		t.Run(fmt.Sprint("mode ", o.Mode), func(t *testing.T) {
			r := onReal(t, 2, nil)
			if r == nil {
				return
			}
			if o.Group != "" {
				o.Group += r.topic
			}
			f(r, o)
		})
	}
}

func TestADeletedTopicIsReportedOnceAndDoesNotSpin(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		var retries atomic.Int64
		s := r.connect(kafka.Config{}, streamer.StreamerOptions{Hooks: streamer.Hooks{Retrying: func(streamer.RetryEvent) { retries.Add(1) }}})
		c := r.consumer(s, o)
		r.send(r.producer(s), 0, 5)
		r.expect(c, 0, 5)
		r.delete()
		_, err := c.Next(r.ctx())
		if !errors.Is(err, streamer.ErrNotFound) {
			r.Errorf("Next: %v", err)
		}
		if _, again := c.Next(r.ctx()); !errors.Is(again, streamer.ErrNotFound) {
			r.Errorf("Next once more: %v", again)
		}
		if n := retries.Load(); n > 50 {
			r.Errorf("%d retries", n)
		}
	})
}

func TestARecreatedTopicIsReported(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
		c := r.consumer(s, o)
		r.send(r.producer(s), 0, 5)
		r.expect(c, 0, 5)
		r.delete()
		r.create(2, nil)
		if _, err := c.Next(r.ctx()); !errors.Is(err, streamer.ErrNotFound) {
			r.Errorf("Next: %v", err)
		}
	})
}

func TestWithCreateAlwaysATopicThatComesBackIsReadFromItsBeginning(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		s := r.connect(kafka.Config{Create: streamer.CreateAlways}, streamer.StreamerOptions{})
		c := r.consumer(s, o)
		p := r.producer(s)
		r.send(p, 0, 5)
		for _, m := range r.expect(c, 0, 5) {
			m.Ack()
		}
		for round := range 3 {
			r.delete()
			r.create(2, nil)
			from := 5 + 5*round
			r.send(r.producer(s), from, from+5)
			for _, m := range r.expect(c, from, from+5) {
				m.Ack()
			}
			r.must(c.Commit(r.ctx()))
		}
	})
}

func TestAProducerOutlivesItsTopic(t *testing.T) {
	r := onReal(t, 1, nil)
	if r == nil {
		return
	}
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
	p := r.producer(s)
	r.send(p, 0, 5)
	r.delete()
	_, err := p.Send(r.ctx(), streamer.Record{Value: []byte("x")}).Wait(r.ctx())
	if !errors.Is(err, streamer.ErrNotFound) {
		t.Errorf("a record to a deleted topic: %v", err)
	}
	r.create(1, nil)
	r.until("a record to be stored in the new topic", func() bool {
		_, err := p.Send(r.ctx(), streamer.Record{Value: []byte("x")}).Wait(r.ctx())
		if err != nil && !errors.Is(err, streamer.ErrNotFound) {
			t.Errorf("a record to the new topic: %v", err)
		}
		return err == nil
	})
}

func TestRetentionThatOvertakesAReaderIsReported(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		const n, size, left = 300, 50_000, 10 // more than the client fetches ahead
		var gone atomic.Int64
		s := r.connect(kafka.Config{}, streamer.StreamerOptions{Hooks: streamer.Hooks{Gone: func(streamer.GoneEvent) { gone.Add(1) }}})
		o.Prefetch, o.BufferBytes = 10, 10*size
		r.fill(r.producer(s), n, size)
		c := r.consumer(s, o)
		_, err := c.Next(r.ctx())
		r.must(err)
		r.overtake(n - left)
		for last, i := 0, 0; last < n-1; last = i {
			m, err := c.Next(r.ctx())
			r.must(err)
			_, err = fmt.Sscan(string(m.Value[:8]), &i)
			r.must(err)
			if i <= last || i > last+1 && i != n-left {
				r.Fatalf("%d came after %d", i, last)
			}
		}
		if gone.Load() != 1 {
			r.Errorf("%d positions were reported as gone, want 1", gone.Load())
		}
	})
}

func TestTransactions(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
		c := r.consumer(s, o)
		tx, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.TransactionalID(r.topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		r.must(err)
		defer tx.Close()
		n := 0
		for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
			r.must(tx.BeginTransaction())
			for i := range 5 {
				value := fmt.Append(nil, n+i)
				if !commit {
					value = []byte("rolled back")
				}
				r.must(tx.ProduceSync(r.ctx(), &kgo.Record{Topic: r.topic, Value: value}).FirstErr())
			}
			r.must(tx.EndTransaction(r.ctx(), commit))
			if commit {
				n += 5
			}
		}
		for _, m := range r.expect(c, 0, n) {
			m.Ack()
		}
		r.until("the lag to be 0 behind the last marker", func() bool {
			r.must(c.Commit(r.ctx()))
			lags, err := c.Lag(r.ctx())
			r.must(err)
			sum := int64(0)
			for _, l := range lags {
				sum += l.Messages
			}
			return sum == 0
		})
	})
}

func TestAnOpenTransactionIsNotSeenUntilItEnds(t *testing.T) {
	r := onReal(t, 1, nil)
	if r == nil {
		return
	}
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
	eager := r.connect(kafka.Config{Isolation: kafka.Uncommitted}, streamer.StreamerOptions{})
	committed, uncommitted := r.consumer(s, streamer.ConsumerOptions{}), r.consumer(eager, streamer.ConsumerOptions{})
	tx, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.TransactionalID(r.topic))
	r.must(err)
	defer tx.Close()
	r.must(tx.BeginTransaction())
	r.must(tx.ProduceSync(r.ctx(), &kgo.Record{Topic: r.topic, Value: []byte("0")}).FirstErr())
	r.expect(uncommitted, 0, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*quick)
	defer cancel()
	if m, err := committed.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v of a transaction that is open", m, err)
	}
	r.must(tx.EndTransaction(r.ctx(), kgo.TryCommit))
	r.expect(committed, 0, 1)
}

func TestAStaticMemberKeepsItsShards(t *testing.T) {
	r := onReal(t, 4, nil)
	if r == nil {
		return
	}
	o := streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: r.topic, AutoReset: streamer.Earliest}
	var moved atomic.Int64
	hooks := streamer.Hooks{Assigned: func(e streamer.AssignEvent) { moved.Add(int64(len(e.Revoked) + len(e.Gained))) }}
	stays := r.consumer(r.connect(kafka.Config{InstanceID: "a"}, streamer.StreamerOptions{Hooks: hooks}), o)
	leaves := r.connect(kafka.Config{InstanceID: "b"}, streamer.StreamerOptions{})
	c := r.consumer(leaves, o)
	r.until("the shards to be shared", func() bool { return len(stays.Assignment()) == 2 && len(c.Assignment()) == 2 })
	had := c.Assignment()
	before := moved.Load()
	r.must(leaves.Close())
	c = r.consumer(r.connect(kafka.Config{InstanceID: "b"}, streamer.StreamerOptions{}), o)
	if got := c.Assignment(); fmt.Sprint(got) != fmt.Sprint(had) {
		t.Errorf("it had %v and came back to %v", had, got)
	}
	if moved.Load() != before {
		t.Error("the other member's shards moved")
	}
}

func TestAGroupWithMembersIsBusy(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		if o.Group == "" {
			return
		}
		s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
		c := r.consumer(s, o)
		other := r.connect(kafka.Config{}, streamer.StreamerOptions{}).Admin()
		for what, err := range map[string]error{
			"ResetGroup":  other.ResetGroup(r.ctx(), r.topic, o.Group, streamer.Beginning()),
			"DeleteGroup": other.DeleteGroup(r.ctx(), r.topic, o.Group),
		} {
			if !errors.Is(err, streamer.ErrBusy) {
				r.Errorf("%s: %v", what, err)
			}
		}
		groups, err := other.Groups(r.ctx(), r.topic)
		r.must(err)
		if len(groups) != 1 || groups[0].Members != 1 || groups[0].Name != o.Group {
			r.Errorf("Groups: %+v", groups)
		}
		r.must(c.Close())
		r.must(other.DeleteGroup(r.ctx(), r.topic, o.Group))
		if err := other.DeleteGroup(r.ctx(), r.topic, o.Group); !errors.Is(err, streamer.ErrNotFound) {
			r.Errorf("DeleteGroup once more: %v", err)
		}
	})
}
