package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/wait"
	"github.com/twmb/franz-go/pkg/kerr"
)

// A consumer is not notified when its topic is deleted or gets another
// partition: it must look.

// watchInterval is the least time between two looks.
const watchInterval = 250 * time.Millisecond

// duty is a regular task of a source in addition to reading.
type duty struct {
	every time.Duration
	do    func(ctx context.Context) error
}

// watch starts the goroutine that looks after the topics, and does extra.
func (s *source) watch(extra ...duty) {
	every := maxAge(s.cl)
	s.watching.Go(func() {
		duties := append([]duty{{every, s.lookAll}, {glimpse, s.inspect}}, extra...)
		due := make([]time.Time, len(duties))
		for i := range due {
			due[i] = time.Now().Add(duties[i].every)
		}
		for s.awaitDuty(due) {
			for i := range duties {
				if time.Now().Before(due[i]) {
					continue
				}
				if err := duties[i].do(s.life); err != nil && s.life.Err() == nil {
					s.fail(err)
					return
				}
				due[i] = time.Now().Add(duties[i].every)
			}
			if soon := time.Now().Add(metadataAge); due[0].After(soon) && s.awaitsTopic() {
				due[0] = soon
			}
		}
	})
}

// awaitDuty sleeps until something is due; being kicked makes the first duty
// due. False when the source has ended.
func (s *source) awaitDuty(due []time.Time) bool {
	first := due[0]
	for _, t := range due {
		if t.Before(first) {
			first = t
		}
	}
	timer := time.NewTimer(time.Until(first))
	defer timer.Stop()
	select {
	case <-s.life.Done():
		return false
	case <-timer.C:
		return true
	case <-s.kick:
	}
	due[0] = time.Time{}
	return wait.Pause(s.life, watchInterval)
}

// lookNow wakes the watcher.
func (s *source) lookNow() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// lookAll compares every topic with what is there now. An error is the end of
// the source.
func (s *source) lookAll(ctx context.Context) error {
	s.mu.Lock()
	known := maps.Clone(s.topics)
	s.mu.Unlock()
	for name, was := range known {
		now, err := s.b.look(ctx, name)
		switch {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			if was.vanished() || !s.reallyGone(ctx, name) {
				continue
			}
			if s.b.cfg.Create != streamer.CreateAlways {
				return vanished(name, "was deleted")
			}
			s.forsake(ctx, name)
		case errors.Is(err, kerr.TopicAuthorizationFailed):
			return onStream(name, err)
		case err != nil: // the broker cannot be asked; reading says why
		case (now.id != was.id || was.vanished()) && s.b.cfg.Create == streamer.CreateAlways:
			if !was.vanished() {
				s.forsake(ctx, name)
			}
			s.readRecreated(ctx, now)
		case now.id != was.id:
			return vanished(name, "was deleted and recreated")
		default:
			if now.shards > was.shards {
				s.grown(ctx, was, now)
			}
			s.leaders(&now)
		}
	}
	return nil
}

// leaders reports the shards that are read and have lost their leader.
func (s *source) leaders(now *topic) {
	for _, at := range now.each() {
		s.leaderless(at, now.unled[at.Shard])
	}
}

// leaderless notes what keeps a shard from being read, nil for nothing, and
// reports it once: the client waits without a word.
func (s *source) leaderless(at streamer.StreamShard, err error) {
	s.mu.Lock()
	told := s.unled[at]
	if err == nil {
		delete(s.unled, at)
	} else if s.shards[at] != nil {
		s.unled[at] = true
	}
	report := err != nil && !told && s.unled[at]
	s.mu.Unlock()
	if report {
		s.cfg.Retrying("read", onShard(at, fmt.Errorf("the shard cannot be read now: %w", err)), maxAge(s.cl))
	}
}

// reallyGone asks once more: a broker that has just started may not know every
// topic.
func (s *source) reallyGone(ctx context.Context, name string) bool {
	if !wait.Pause(ctx, settlingTime) {
		return false
	}
	_, err := s.b.look(ctx, name)
	return errors.Is(err, kerr.UnknownTopicOrPartition)
}

func vanished(stream, what string) error {
	return &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: fmt.Errorf("topic %q %s while it was read", stream, what)}
}
