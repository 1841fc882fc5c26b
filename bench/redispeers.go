package main

import (
	"context"
	"errors"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-redisstream/pkg/redisstream"
	"github.com/ThreeDotsLabs/watermill/message"
	goredis "github.com/redis/go-redis/v9"
)

func (r *redisBed) pipelined(stream string, n int) error {
	value := make([]byte, payload)
	for n > 0 {
		pipe := r.client.Pipeline()
		for range min(n, perRequest) {
			pipe.XAdd(r.ctx, &goredis.XAddArgs{Stream: stream, Values: []any{"msg", value}})
		}
		done, err := pipe.Exec(r.ctx)
		if err != nil {
			return err
		}
		n -= len(done)
	}
	return nil
}

func (r *redisBed) typedRead(stream string, n int) error {
	for last := "0"; n > 0; {
		pages, err := r.client.XRead(r.ctx, &goredis.XReadArgs{Streams: []string{stream, last}, Count: perRequest}).Result()
		if err != nil {
			return err
		}
		entries := pages[0].Messages
		last = entries[len(entries)-1].ID
		n -= len(entries)
	}
	return nil
}

func (r *redisBed) typedShare(stream, group string, n int) error {
	ask := goredis.XReadGroupArgs{Group: group, Consumer: "member", Streams: []string{stream, ">"}, Count: perRequest}
	for n > 0 {
		pages, err := r.client.XReadGroup(r.ctx, &ask).Result()
		if err != nil {
			return err
		}
		ids := make([]string, len(pages[0].Messages))
		for i, entry := range pages[0].Messages {
			ids[i] = entry.ID
		}
		if err := r.client.XAck(r.ctx, stream, group, ids...).Err(); err != nil {
			return err
		}
		n -= len(ids)
	}
	return nil
}

func (r *redisBed) published(stream string, n int) error {
	p, err := redisstream.NewPublisher(redisstream.PublisherConfig{Client: r.client}, nil)
	if err != nil {
		return err
	}
	value := make([]byte, payload)
	for range n {
		if err := p.Publish(stream, message.NewMessage(watermill.NewUUID(), value)); err != nil {
			return err
		}
	}
	return nil // its Close would close the client
}

// subscribed has a client of its own, which Watermill closes.
func (r *redisBed) subscribed(stream, group string, n int) error {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	s, err := redisstream.NewSubscriber(redisstream.SubscriberConfig{
		Client: goredis.NewClient(&goredis.Options{Addr: r.addr}), ConsumerGroup: group, Consumer: "member", Unmarshaller: plain{},
	}, nil)
	if err != nil {
		return err
	}
	messages, err := s.Subscribe(ctx, stream)
	for ; err == nil && n > 0; n-- {
		(<-messages).Ack()
	}
	if err == nil {
		<-messages // the last one's acknowledgement is through, which closing could lose
	}
	cancel()
	return errors.Join(err, s.Close())
}

// plain reads the entries that all other trials read.
type plain struct{}

func (plain) Unmarshal(values map[string]any) (*message.Message, error) {
	value, ok := values["msg"].(string)
	if !ok {
		return nil, errors.New("an entry without msg")
	}
	return message.NewMessage("", []byte(value)), nil
}
