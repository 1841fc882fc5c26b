package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
)

const (
	idleConsumers = 1000
	idleWindow    = 10 * time.Second
	idleCommands  = 0.3            // per second and consumer
	waitingGoal   = 64<<20 + 4<<20 // the default of BufferBytes, and what redis takes into one reply
)

// standstill is what consumers of a server cost while nothing happens.
type standstill struct {
	mode     string
	commands float64 // per second and consumer
}

func (s standstill) missed() bool { return s.commands > idleCommands }

// redisIdle measures consumers that wait for a message, in each mode.
func redisIdle(ctx context.Context, consumers int, window time.Duration) (all []standstill, err error) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		s := standstill{mode: modeName(mode)}
		if s.commands, err = redisWaiting(ctx, mode, consumers, window); err != nil {
			return nil, fmt.Errorf("idle consumers, %s: %w", s.mode, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// onOneRedis has f use a server of its own.
func onOneRedis(ctx context.Context, messages int, f func(*redisBed, streamer.Streamer) error) (err error) {
	b, err := newBed(ctx, messages)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r, err := newRedisBed(b, 0)
	if err != nil {
		return err
	}
	s, err := r.connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(r, s)
}

func redisWaiting(ctx context.Context, mode streamer.ConsumerMode, consumers int, window time.Duration) (perSecond float64, err error) {
	err = onOneRedis(ctx, 0, func(r *redisBed, s streamer.Streamer) error {
		if err := openQuiet(ctx, s, mode, consumers); err != nil {
			return err
		}
		before, err := r.commands()
		if err != nil {
			return err
		}
		if err := pass(ctx, window); err != nil {
			return err
		}
		after, err := r.commands()
		perSecond = float64(after-before) / window.Seconds() / float64(consumers)
		return err
	})
	return perSecond, err
}

// openQuiet opens consumers, each of a stream of its own.
func openQuiet(ctx context.Context, s streamer.Streamer, mode streamer.ConsumerMode, consumers int) error {
	for i := range consumers {
		o := streamer.ConsumerOptions{Streams: []string{"quiet-" + strconv.Itoa(i)}, Mode: mode, Group: group(mode)}
		if err := s.Admin().Create(ctx, o.Streams[0], 1); err != nil {
			return err
		}
		if _, err := s.Consumer(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// commands is how many the server has processed.
func (r *redisBed) commands() (int64, error) {
	info, err := r.client.Info(r.ctx, "stats").Result()
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(info, "total_commands_processed:")
	number, _, _ := strings.Cut(rest, "\r")
	return strconv.ParseInt(number, 10, 64)
}

// redisStalled is how many bytes a consumer holds whose handler does not return
// from its first message while many wait.
func redisStalled(ctx context.Context, messages int) (held int64, err error) {
	err = onOneRedis(ctx, messages, func(r *redisBed, s streamer.Streamer) error {
		stream, err := r.fill()
		if err != nil {
			return err
		}
		held, err = heldBehind(ctx, s, stream, messages)
		return err
	})
	return held, err
}

func redisStandstill(ctx context.Context) (table string, err error) {
	all, err := redisIdle(ctx, idleConsumers, idleWindow)
	if err != nil {
		return "", err
	}
	held, err := redisStalled(ctx, waitingTotal)
	return standstillTable(all, held), err
}

func standstillTable(all []standstill, held int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### redis, while nothing happens\n\n%d idle consumers of one server, each with a stream of its own, over %v.\n\n", idleConsumers, idleWindow)
	b.WriteString("| mode | commands per second and consumer | goal | |\n|---|---:|---|---|\n")
	for _, s := range all {
		fmt.Fprintf(&b, "| %s | %.2f | ≤ %g | %s |\n", s.mode, s.commands, idleCommands, met(!s.missed()))
	}
	fmt.Fprintf(&b, "\nThe server counts the commands inside of scripts, too: a Resumable owner sends 0.3 per second.\n\nA handler that does not return from its first message, %d messages of %d bytes waiting, `prefetch` as many: the consumer holds %.1f MiB (goal: `buffer` and one reply, %d MiB; %s). What an entry is framed with in its reply, and room that was made for more, `buffer` does not count.\n",
		waitingTotal, payload, float64(held)/(1<<20), waitingGoal>>20, met(held <= waitingGoal))
	return b.String()
}
