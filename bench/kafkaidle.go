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

// kafkaQuiet is the part of a core that a member takes while it waits for a message.
func kafkaQuiet(ctx context.Context, window time.Duration) (cpu float64, err error) {
	b, err := newBed(ctx, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	k, err := newKafkaBed(b)
	if err != nil {
		return 0, err
	}
	topic, err := k.create(quietPartitions)
	if err != nil {
		return 0, err
	}
	s, err := k.connect()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.Consumer(ctx, streamer.ConsumerOptions{Streams: []string{topic}, Mode: streamer.LoadBalanced, Group: "bench"}); err != nil {
		return 0, err
	}
	for _, wait := range []time.Duration{window / 5, window} { // the first is for what joining leaves behind
		before := cpuTime()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		cpu = float64(cpuTime()-before) / float64(wait)
	}
	return cpu, nil
}

// kafkaStalled is like redisStalled.
func kafkaStalled(ctx context.Context, messages int) (held int64, err error) {
	b, err := newBed(ctx, messages)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	k, err := newKafkaBed(b)
	if err != nil {
		return 0, err
	}
	topic, err := k.fill(stalledPartitions)
	if err != nil {
		return 0, err
	}
	s, err := k.connect()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return heldBehind(ctx, s, topic, messages)
}
