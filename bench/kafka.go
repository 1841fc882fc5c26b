package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	partitions = 3
	rarely     = 3000 // messages of a trial of who takes a round trip for each
)

// kafkaCases hold what a Streamer does on a broker against kgo, on which it
// stands, and against other libraries. No side compresses. What the client's
// process takes of the processors is the figure: the broker takes most of the
// rest.
func kafkaCases() []benchCase {
	return []benchCase{
		{name: "kafka/send", control: "kgo Produce with a callback", trial: bulky, goal: goal{cpu: 1.25, speed: 0.95}, setup: onKafka((*kafkaBed).producers)},
		{name: "kafka/Send+Wait", control: "kgo ProduceSync", trial: rarely, goal: goal{ratio: 1.05}, setup: onKafka((*kafkaBed).waiters)},
		{name: "kafka/group/NextBatch", control: "kgo PollFetches in a group", trial: bulky, goal: goal{cpu: 1.15, speed: 0.95},
			setup: onKafka(func(k *kafkaBed) (pair, error) { return k.members(takeBatches) })},
		{name: "kafka/group/Messages", control: "kgo PollFetches in a group", trial: bulky, goal: goal{cpu: 1.25, speed: 0.95},
			setup: onKafka((*kafkaBed).membersAndPeers)},
	}
}

// kafkaBed is a broker with nothing else on it.
type kafkaBed struct {
	*bed
	addr string
	adm  *kadm.Client
}

func onKafka(setup func(*kafkaBed) (pair, error)) func(*bed) (pair, error) {
	return func(b *bed) (pair, error) {
		k, err := newKafkaBed(b)
		if err != nil {
			return pair{}, err
		}
		return setup(k)
	}
}

func newKafkaBed(b *bed) (*kafkaBed, error) {
	addr, stop, err := testservers.OpenKafka()
	if err != nil {
		return nil, err
	}
	b.atEnd(stop)
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return nil, err
	}
	b.atEnd(func() error { cl.Close(); return nil })
	return &kafkaBed{b, addr, kadm.NewClient(cl)}, nil
}

// create makes a topic and waits until the broker knows it, which is later than
// its controller.
func (k *kafkaBed) create(partitions int32) (topic string, err error) {
	topic = k.unique("topic")
	_, err = k.adm.CreateTopic(k.ctx, partitions, 1, nil, topic)
	for err == nil {
		known, e := k.adm.ListEndOffsets(k.ctx, topic)
		if e == nil && known.Error() == nil && len(known[topic]) == int(partitions) {
			break
		}
		err = k.ctx.Err()
	}
	return topic, err
}

func (k *kafkaBed) client(o ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(k.addr), kgo.ProducerBatchCompression(kgo.NoCompression())}, o...)...)
}

func (k *kafkaBed) connect() (streamer.Streamer, error) {
	return kafka.Connect(k.ctx, kafka.Config{Brokers: []string{k.addr}, Compression: kafka.Uncompressed}, streamer.StreamerOptions{})
}

func (k *kafkaBed) producers() (pair, error) {
	few := min(rarely, k.messages)
	return pair{k.producing(k.ours, k.messages), k.producing(k.kgo, k.messages), []peer{
		{"sarama, async", 0, k.producing(k.sarama, k.messages)},
		{"segmentio, async", 0, k.producing(k.segmentio, k.messages)},
		{"Watermill Publish, 1 goroutine", 10, k.producing(k.publishing(1), few)},
		{"Watermill Publish, 64 goroutines", 10, k.producing(k.publishing(64), few)},
	}}, nil
}

func (k *kafkaBed) waiters() (pair, error) {
	return pair{subject: k.producing(k.oursWaiting, k.messages), control: k.producing(k.kgoSync, k.messages)}, nil
}

// producing is trials that fill a fresh topic. Clients are opened before the
// clock runs.
func (k *kafkaBed) producing(open func(topic string) (sender, error), n int) task {
	return func() (trial, error) {
		topic, err := k.create(partitions)
		if err != nil {
			return trial{}, err
		}
		s, err := open(topic)
		if err != nil {
			return trial{}, err
		}
		return trial{
			messages: n,
			run:      func() (int, error) { return n, s.send(n) },
			end:      func() error { return errors.Join(s.close(), k.filled(topic, n)) },
		}, nil
	}
}

// sender is an open producer of some library.
type sender struct {
	send  func(n int) error // returns when n records are stored
	close func() error
}

// filled checks that nothing is missing, and deletes the topic.
func (k *kafkaBed) filled(topic string, n int) error {
	ends, err := k.adm.ListEndOffsets(k.ctx, topic)
	stored := int64(0)
	ends.Each(func(o kadm.ListedOffset) { stored += o.Offset })
	if err == nil && stored < int64(n) {
		err = fmt.Errorf("%d records are stored, not %d", stored, n)
	}
	_, deleted := k.adm.DeleteTopic(k.ctx, topic)
	return errors.Join(err, deleted)
}

func (k *kafkaBed) ours(topic string) (sender, error) {
	return k.producer(topic, func(p streamer.Producer, n int) error {
		value := make([]byte, payload)
		for range n {
			p.Send(k.ctx, streamer.Record{Value: value})
		}
		return p.Flush(k.ctx)
	})
}

func (k *kafkaBed) oursWaiting(topic string) (sender, error) {
	return k.producer(topic, func(p streamer.Producer, n int) error {
		_, err := sendAndWait(k.ctx, p, n)
		return err
	})
}

func (k *kafkaBed) producer(topic string, send func(streamer.Producer, int) error) (sender, error) {
	s, err := k.connect()
	if err != nil {
		return sender{}, err
	}
	p, err := s.Producer(k.ctx, streamer.ProducerOptions{Stream: topic})
	return sender{func(n int) error { return send(p, n) }, s.Close}, err
}

func (k *kafkaBed) kgo(topic string) (sender, error) {
	cl, err := k.client(kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0), kgo.MaxBufferedRecords(50_000))
	if err != nil {
		return sender{}, err
	}
	return sender{func(n int) error {
		value := make([]byte, payload)
		var failed atomic.Pointer[error]
		for range n {
			cl.Produce(k.ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
				if err != nil {
					failed.Store(&err)
				}
			})
		}
		err := cl.Flush(k.ctx)
		if first := failed.Load(); first != nil {
			err = *first
		}
		return err
	}, func() error { cl.Close(); return nil }}, nil
}

func (k *kafkaBed) kgoSync(topic string) (sender, error) {
	cl, err := k.client(kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0))
	if err != nil {
		return sender{}, err
	}
	return sender{func(n int) error {
		value := make([]byte, payload)
		for range n {
			if err := cl.ProduceSync(k.ctx, &kgo.Record{Value: value}).FirstErr(); err != nil {
				return err
			}
		}
		return nil
	}, func() error { cl.Close(); return nil }}, nil
}

// fill makes a topic that trials read. It has some records more than they take.
func (k *kafkaBed) fill(partitions int32) (topic string, err error) {
	if topic, err = k.create(partitions); err != nil {
		return "", err
	}
	s, err := k.kgo(topic)
	if err != nil {
		return "", err
	}
	return topic, errors.Join(s.send(k.messages+int(partitions)), s.close())
}

func (k *kafkaBed) members(take func(context.Context, streamer.Consumer, int) error) (pair, error) {
	topic, err := k.fill(partitions)
	if err != nil {
		return pair{}, err
	}
	ours := func(topic, group string, n int) error { return k.join(topic, group, n, take) }
	return pair{subject: k.sharing(topic, ours, k.messages), control: k.sharing(topic, k.poll, k.messages)}, nil
}

func (k *kafkaBed) membersAndPeers() (pair, error) {
	p, err := k.members(takeSome)
	if err != nil {
		return pair{}, err
	}
	topic, err := k.fill(partitions)
	p.peers = []peer{
		{"sarama, group", 0, k.sharing(topic, k.saramaGroup, k.messages)},
		{"segmentio, group", 0, k.sharing(topic, k.segmentioGroup, k.messages)},
		{"Watermill Subscribe and Ack", 4, k.sharing(topic, k.subscribed, min(k.messages, 10*rarely))},
	}
	return p, err
}

// sharing is trials of the only member of a fresh group.
func (k *kafkaBed) sharing(topic string, share func(topic, group string, n int) error, n int) task {
	return func() (trial, error) {
		group := k.unique("group")
		return trial{
			messages: n,
			run:      func() (int, error) { return n, share(topic, group, n) },
			end:      func() error { return k.settled(group, n) },
		}, nil
	}
}

// settled checks that n records are committed, except the last of each
// partition, which who commits in the background may not have come to.
func (k *kafkaBed) settled(group string, n int) error {
	offsets, err := k.adm.FetchOffsets(k.ctx, group)
	committed := int64(0)
	offsets.Each(func(o kadm.OffsetResponse) { committed += max(o.At, 0) })
	if err == nil && committed < int64(n-partitions) {
		err = fmt.Errorf("%d records are committed, not %d", committed, n)
	}
	return err
}

func (k *kafkaBed) join(topic, group string, n int, take func(context.Context, streamer.Consumer, int) error) error {
	s, err := k.connect()
	if err != nil {
		return err
	}
	c, err := s.Consumer(k.ctx, streamer.ConsumerOptions{
		Streams: []string{topic}, Mode: streamer.LoadBalanced, Group: group, AutoReset: streamer.Earliest,
	})
	if err == nil {
		err = take(k.ctx, c, n)
	}
	return errors.Join(err, s.Close())
}

// takeBatches acknowledges message by message.
func takeBatches(ctx context.Context, c streamer.Consumer, n int) error {
	for n > 0 {
		batch, err := c.NextBatch(ctx, min(n, batchSize))
		if err != nil {
			return err
		}
		for _, m := range batch {
			m.Ack()
		}
		n -= len(batch)
	}
	return nil
}

// poll commits what it was given every second and at the end.
func (k *kafkaBed) poll(topic, group string, n int) error {
	cl, err := k.client(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitInterval(time.Second), kgo.FetchMaxWait(500*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	for n > 0 {
		fetches := cl.PollFetches(k.ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) { n -= min(len(r.Value), 1) })
	}
	if err := cl.CommitUncommittedOffsets(k.ctx); err != nil {
		return err
	}
	return cl.LeaveGroupContext(k.ctx)
}

func isKafka(name string) bool { return strings.HasPrefix(name, "kafka/") }
