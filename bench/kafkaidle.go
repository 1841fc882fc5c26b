package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
)

const (
	quietPartitions   = 100
	quietCPU          = 0.01 // of a core
	stalledPartitions = 200
	stalledGoal       = 64<<20 + 50<<20 // the default of BufferBytes, and what kgo takes in one fetch from a broker
)

func kafkaStandstill(ctx context.Context) (table string, err error) {
	cpu, err := kafkaQuiet(ctx, idleWindow)
	if err != nil {
		return "", err
	}
	held, err := kafkaStalled(ctx, waitingTotal)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("\n### kafka, while nothing happens\n\nA member of a group with %d quiet partitions takes %.2f %% of a core over %v (goal: less than %g %%; %s).\n\n"+
		"A handler that does not return from its first message, %d messages of %d bytes waiting in %d partitions, `prefetch` as many: the consumer holds %.1f MiB (goal: `buffer` and one fetch, %d MiB; %s).\n",
		quietPartitions, 100*cpu, idleWindow, 100*quietCPU, met(cpu < quietCPU),
		waitingTotal, payload, stalledPartitions, float64(held)/(1<<20), stalledGoal>>20, met(held <= stalledGoal)), nil
}

// onOneKafka has f use a broker of its own.
func onOneKafka(ctx context.Context, messages int, f func(*kafkaBed, streamer.Streamer) error) (err error) {
	b, err := newBed(ctx, messages)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	k, err := newKafkaBed(b)
	if err != nil {
		return err
	}
	s, err := k.connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(k, s)
}

// kafkaQuiet is the part of a core that a member takes while it waits for a
// message.
func kafkaQuiet(ctx context.Context, window time.Duration) (cpu float64, err error) {
	err = onOneKafka(ctx, 0, func(k *kafkaBed, s streamer.Streamer) error {
		topic, err := k.create(quietPartitions)
		if err != nil {
			return err
		}
		o := streamer.ConsumerOptions{Streams: []string{topic}, Mode: streamer.LoadBalanced, Group: "bench"}
		if _, err := s.Consumer(ctx, o); err != nil {
			return err
		}
		if err := pass(ctx, window/5); err != nil { // what joining leaves behind
			return err
		}
		before := cpuTime()
		err = pass(ctx, window)
		cpu = float64(cpuTime()-before) / float64(window)
		return err
	})
	return cpu, err
}

// kafkaStalled is like redisStalled.
func kafkaStalled(ctx context.Context, messages int) (held int64, err error) {
	err = onOneKafka(ctx, messages, func(k *kafkaBed, s streamer.Streamer) error {
		topic, err := k.fill(stalledPartitions)
		if err != nil {
			return err
		}
		held, err = heldBehind(ctx, s, topic, messages)
		return err
	})
	return held, err
}
