package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// hang bounds what must not take for ever.
const hang = 30 * time.Second

// rig is a cluster, real or fake, and one topic of the test's own.
type rig struct {
	testing.TB
	brokers []string
	fake    *kfake.Cluster // nil: a real one
	raw     *kgo.Client
	adm     *kadm.Client
	topic   string
}

// onFake makes a rig on a fake cluster.
func onFake(t testing.TB, shards int, opts ...kfake.Opt) *rig {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r := &rig{TB: t, brokers: c.ListenAddrs(), fake: c}
	r.prepare(shards, nil)
	return r
}

// onReal makes a rig on a real broker; nil where there is none.
func onReal(t testing.TB, shards int, configs map[string]string) *rig {
	t.Helper()
	addr := testservers.Kafka(t)
	if addr == "" {
		return nil
	}
	r := &rig{TB: t, brokers: []string{addr}}
	r.prepare(shards, configs)
	return r
}

func (r *rig) prepare(shards int, configs map[string]string) {
	r.Helper()
	r.dial()
	r.create(shards, configs)
}

// dial makes the clients and names the topic.
func (r *rig) dial() {
	r.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.MetadataMinAge(10*time.Millisecond))
	r.must(err)
	r.raw, r.adm = cl, kadm.NewClient(cl)
	r.topic = "test-" + uuid.NewString()
	r.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hang) // the brokers may be gone
		defer cancel()
		_, _ = r.adm.DeleteTopics(ctx, r.topic)
		cl.Close()
	})
}

func (r *rig) create(shards int, configs map[string]string) {
	r.Helper()
	values := make(map[string]*string)
	for k, v := range configs {
		values[k] = &v
	}
	_, err := r.adm.CreateTopic(r.ctx(), int32(shards), 1, values, r.topic)
	r.must(err)
	r.awaitLeaders(shards)
}

func (r *rig) awaitLeaders(shards int) {
	r.Helper()
	r.until("the topic's leaders", func() bool {
		md, err := r.adm.Metadata(r.ctx(), r.topic)
		if err != nil || len(md.Topics[r.topic].Partitions) != shards {
			return false
		}
		for _, p := range md.Topics[r.topic].Partitions {
			if p.Err != nil || p.Leader < 0 {
				return false
			}
		}
		return true
	})
}

func (r *rig) delete() {
	r.Helper()
	_, err := r.adm.DeleteTopic(r.ctx(), r.topic)
	r.must(err)
	r.until("the topic to be gone", func() bool {
		md, err := r.adm.Metadata(r.ctx(), r.topic)
		return err == nil && md.Topics[r.topic].Err != nil
	})
}

// ctx ends soon enough for the test to say where it hung.
func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	r.Cleanup(cancel)
	return ctx
}

func (r *rig) until(what string, ok func() bool) {
	r.Helper()
	for deadline := time.Now().Add(hang); !ok(); {
		if time.Now().After(deadline) {
			r.Fatalf("waiting for %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// connect opens a Streamer that notices quickly what changes.
func (r *rig) connect(c kafka.Config, o streamer.StreamerOptions) streamer.Streamer {
	r.Helper()
	c.Brokers = r.brokers
	if c.SessionTimeout == 0 {
		c.SessionTimeout = sessionTimeout
	}
	c.Opts = append([]kgo.Opt{kgo.MetadataMinAge(quick), kgo.MetadataMaxAge(2 * quick)}, c.Opts...)
	s, err := kafka.Connect(r.ctx(), c, o)
	r.must(err)
	r.Cleanup(func() { s.Close() })
	return s
}

func (r *rig) producer(s streamer.Streamer) streamer.Producer {
	r.Helper()
	p, err := s.Producer(r.ctx(), streamer.ProducerOptions{Stream: r.topic})
	r.must(err)
	return p
}

func (r *rig) consumer(s streamer.Streamer, o streamer.ConsumerOptions) streamer.Consumer {
	r.Helper()
	o.Streams = []string{r.topic}
	c, err := s.Consumer(r.ctx(), o)
	r.must(err)
	return c
}

// send stores the values from..to-1, in order, in shard 0.
func (r *rig) send(p streamer.Producer, from, to int) {
	r.Helper()
	shard := streamer.ShardID(0)
	for i := from; i < to; i++ {
		_, err := p.Send(r.ctx(), streamer.Record{Value: fmt.Append(nil, i), Shard: &shard}).Wait(r.ctx())
		r.must(err)
	}
}

// expect takes the values from..to-1.
func (r *rig) expect(c streamer.Consumer, from, to int) []*streamer.Message {
	r.Helper()
	var all []*streamer.Message
	for i := from; i < to; i++ {
		m, err := c.Next(r.ctx())
		if err != nil {
			r.Fatalf("message %d: %v", i, err)
		}
		if string(m.Value) != fmt.Sprint(i) {
			r.Fatalf("got %q, want %d", m.Value, i)
		}
		all = append(all, m)
	}
	return all
}

// configure sets a setting of the topic and returns when the broker says that
// it has it.
func (r *rig) configure(key, value string) {
	r.Helper()
	_, err := r.adm.AlterTopicConfigs(r.ctx(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, r.topic)
	r.must(err)
	r.until(key, func() bool {
		all, err := r.adm.DescribeTopicConfigs(r.ctx(), r.topic)
		r.must(err)
		for _, c := range all[0].Configs {
			if c.Key == key && c.Value != nil && *c.Value == value {
				return true
			}
		}
		return false
	})
}
