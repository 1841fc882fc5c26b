package kafka_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// retries are what was reported as tried again, without connections.
type retries struct {
	mu  sync.Mutex
	all []streamer.RetryEvent
}

func (r *retries) add(e streamer.RetryEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Op != "connect" {
		r.all = append(r.all, e)
	}
}

// of counts those with a cause.
func (r *retries) of(cause error) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.all {
		if errors.Is(e.Err, cause) {
			n++
		}
	}
	return n
}

func (r *retries) options() streamer.StreamerOptions {
	return streamer.StreamerOptions{Hooks: streamer.Hooks{Retrying: r.add}}
}

// TestAProducerWithTooFewReplicasSaysSoOncePerState: the client alone knows,
// and tries again in silence.
func TestAProducerWithTooFewReplicasSaysSoOncePerState(t *testing.T) {
	r := onFake(t, 2)
	var few atomic.Bool
	r.fake.ControlKey(int16(kmsg.Produce), func(k kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		req := k.(*kmsg.ProduceRequest) //nolint:forcetypeassert // it is one of Produce
		if !few.Load() {
			return nil, nil, false
		}
		return tooFewReplicas(req), nil, true
	})
	var told retries
	s := r.connect(kafka.Config{}, told.options())
	p, err := s.Producer(r.ctx(), streamer.ProducerOptions{Stream: r.topic, DeliveryTimeout: 5 * time.Second})
	r.must(err)
	for state := 1; state <= 2; state++ {
		few.Store(true)
		_, err := p.Send(r.ctx(), streamer.Record{Value: []byte("x")}).Wait(r.ctx())
		if !errors.Is(err, streamer.ErrUnknown) || !errors.Is(err, kerr.NotEnoughReplicas) {
			t.Errorf("the receipt: %v", err)
		}
		if n := told.of(kerr.NotEnoughReplicas); n != state {
			t.Errorf("reported %d times in state %d", n, state)
		}
		few.Store(false)
		r.until("a second without delay", func() bool {
			from := time.Now()
			for time.Since(from) < 2500*time.Millisecond {
				_, err := p.Send(r.ctx(), streamer.Record{Value: []byte("y")}).Wait(r.ctx())
				r.must(err)
			}
			return true
		})
	}
}

// tooFewReplicas is a broker's answer.
func tooFewReplicas(req *kmsg.ProduceRequest) *kmsg.ProduceResponse {
	resp := req.ResponseKind().(*kmsg.ProduceResponse) //nolint:forcetypeassert // it is one of Produce
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, kerr.NotEnoughReplicas.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// TestAShardWithoutALeaderIsReportedWhileOthersAreStored: that other records
// are stored hides nothing.
func TestAShardWithoutALeaderIsReportedWhileOthersAreStored(t *testing.T) {
	r := onFake(t, 2)
	var told retries
	s := r.connect(kafka.Config{}, told.options())
	p, err := s.Producer(r.ctx(), streamer.ProducerOptions{Stream: r.topic, DeliveryTimeout: 8 * time.Second})
	r.must(err)
	dead, alive := streamer.ShardID(0), streamer.ShardID(1)
	send := func(shard streamer.ShardID) *streamer.Receipt {
		return p.Send(r.ctx(), streamer.Record{Value: []byte("x"), Shard: &shard})
	}
	for _, shard := range []streamer.ShardID{dead, alive} {
		_, err := send(shard).Wait(r.ctx())
		r.must(err)
	}
	r.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: r.topic, Partitions: []int32{0}, Err: kerr.LeaderNotAvailable, Count: -1},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: r.topic, Partitions: []int32{0}, Err: kerr.NotLeaderForPartition, Count: -1})
	stop, cancel := context.WithCancel(r.ctx())
	defer cancel()
	var flow sync.WaitGroup
	flow.Go(func() {
		for stop.Err() == nil {
			_, _ = send(alive).Wait(stop)
		}
	})
	_, err = send(dead).Wait(r.ctx())
	cancel()
	flow.Wait()
	if !errors.Is(err, streamer.ErrUnknown) || !errors.Is(err, kerr.LeaderNotAvailable) {
		t.Errorf("the receipt: %v", err)
	}
	if n := told.of(kerr.LeaderNotAvailable); n != 1 {
		t.Errorf("reported %d times: %v", n, told.all)
	}
}
