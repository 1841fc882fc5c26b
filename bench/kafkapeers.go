package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	wkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
	segmentio "github.com/segmentio/kafka-go"
)

func (k *kafkaBed) sarama(topic string) (sender, error) {
	c := sarama.NewConfig()
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	p, err := sarama.NewAsyncProducer([]string{k.addr}, c)
	if err != nil {
		return sender{}, err
	}
	return sender{func(n int) error {
		value := sarama.ByteEncoder(make([]byte, payload))
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for range n {
				p.Input() <- &sarama.ProducerMessage{Topic: topic, Value: value}
			}
		}()
		var failed error
		for range n {
			select {
			case <-p.Successes():
			case err := <-p.Errors():
				failed = err
			}
		}
		<-sent
		return failed
	}, p.Close}, nil
}

func (k *kafkaBed) segmentio(topic string) (sender, error) {
	var stored sync.WaitGroup
	var mu sync.Mutex
	var failed error
	fresh := &segmentio.Transport{} // the default one knows for a while only the topics there were
	w := &segmentio.Writer{
		Addr: segmentio.TCP(k.addr), Topic: topic, RequiredAcks: segmentio.RequireAll, Async: true, Transport: fresh,
		BatchSize: 10_000, BatchTimeout: time.Millisecond,
		Completion: func(messages []segmentio.Message, err error) {
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
			stored.Add(-len(messages))
		},
	}
	return sender{func(n int) error {
		value := make([]byte, payload)
		stored.Add(n)
		for range n {
			if err := w.WriteMessages(k.ctx, segmentio.Message{Value: value}); err != nil {
				return err
			}
		}
		stored.Wait()
		return failed
	}, func() error { defer fresh.CloseIdleConnections(); return w.Close() }}, nil
}

// publishing shares one publisher among goroutines.
func (k *kafkaBed) publishing(goroutines int) func(topic string) (sender, error) {
	return func(topic string) (sender, error) {
		p, err := wkafka.NewPublisher(wkafka.PublisherConfig{Brokers: []string{k.addr}, Marshaler: wkafka.DefaultMarshaler{}}, watermill.NopLogger{})
		if err != nil {
			return sender{}, err
		}
		return sender{func(n int) error {
			value := make([]byte, payload)
			left := make(chan struct{}, n)
			for range n {
				left <- struct{}{}
			}
			close(left)
			_, err := inParallel(goroutines, func() (sent int, err error) {
				for range left {
					if err := p.Publish(topic, message.NewMessage(watermill.NewUUID(), value)); err != nil {
						return sent, err
					}
					sent++
				}
				return sent, nil
			})
			return err
		}, p.Close}, nil
	}
}

func saramaReader() *sarama.Config {
	c := sarama.NewConfig()
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	return c
}

func (k *kafkaBed) saramaGroup(topic, group string, n int) error {
	g, err := sarama.NewConsumerGroup([]string{k.addr}, group, saramaReader())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	err = g.Consume(ctx, []string{topic}, &countdown{left: n, done: cancel})
	return errors.Join(err, g.Close())
}

// countdown is a sarama.ConsumerGroupHandler that ends after so many messages.
type countdown struct {
	mu   sync.Mutex
	left int
	done func()
}

func (*countdown) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*countdown) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (c *countdown) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for m := range claim.Messages() {
		s.MarkMessage(m, "")
		c.mu.Lock()
		c.left--
		if c.left == 0 {
			c.done()
		}
		c.mu.Unlock()
	}
	return nil
}

func (k *kafkaBed) segmentioGroup(topic, group string, n int) error {
	r := segmentio.NewReader(segmentio.ReaderConfig{
		Brokers: []string{k.addr}, GroupID: group, Topic: topic, StartOffset: segmentio.FirstOffset, CommitInterval: time.Second,
		MaxWait: 500 * time.Millisecond, QueueCapacity: 1000,
	})
	for range n {
		if _, err := r.ReadMessage(k.ctx); err != nil {
			return errors.Join(err, r.Close())
		}
	}
	return r.Close()
}

func (k *kafkaBed) subscribed(topic, group string, n int) error {
	s, err := wkafka.NewSubscriber(wkafka.SubscriberConfig{
		Brokers: []string{k.addr}, ConsumerGroup: group, Unmarshaler: wkafka.DefaultMarshaler{}, OverwriteSaramaConfig: saramaReader(),
	}, watermill.NewSlogLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	messages, err := s.Subscribe(k.ctx, topic)
	for ; err == nil && n > 0; n-- {
		(<-messages).Ack()
	}
	if err == nil {
		<-messages // the last one's acknowledgement is through
	}
	return errors.Join(err, s.Close())
}
