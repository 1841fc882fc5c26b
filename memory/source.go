package memory

import (
	"fmt"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// source is an open reader. It has no goroutine but the one that settle starts
// when its shards change. Its fields belong to Log.mu, except those that never
// change and those of Fetch.
type source struct {
	log    *Log
	cfg    driver.SourceConfig
	acks   Acks
	always bool // CreateAlways: a stream that vanishes may come back
	id     memberID
	subs   map[string]*subscription
	group  *group // nil in RealTime
	wake   chan struct{}

	spans []span // what Fetch has taken and not emitted yet; Fetch reads it without mu

	paused   map[streamer.StreamShard]bool // until they are resumed, also while another member has them, as some clients have it
	ready    readyList
	load     int  // shards planned for it: see group.rebalance
	waiting  bool // Fetch sleeps, or is about to
	emitting bool // Fetch is calling out
	quiet    chan struct{}
	settling chan struct{} // not nil while the settling goroutine runs; it closes it
	missing  string        // a stream that was deleted and is not waited for
	orphaned bool          // its group vanished: see Log.Forget
	expelled bool
	closed   bool // Close was called
	left     bool // Close has given everything up
}

// shared says whether the members of the group take messages of the same
// shards.
func (s *source) shared() bool {
	return s.cfg.Mode == streamer.LoadBalanced && s.acks == ByMessage
}

// signal wakes Fetch.
func (s *source) signal() {
	s.waiting = false
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Pause implements driver.Pauser.
func (s *source) Pause(at streamer.StreamShard, paused bool) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if !paused {
		delete(s.paused, at)
	} else {
		if s.paused == nil {
			s.paused = make(map[streamer.StreamShard]bool)
		}
		s.paused[at] = true
	}
	if c := s.cursor(at); c != nil {
		c.offer()
	}
}

func (s *source) cursor(at streamer.StreamShard) *cursor {
	sub := s.subs[at.Stream]
	if sub == nil {
		return nil
	}
	return sub.cursor(at.Shard)
}

func fenced(at streamer.StreamShard, group string) error {
	return &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Kind: streamer.ErrFenced,
		Err: fmt.Errorf("another member of group %q may read it now", group)}
}

func positionGone(sh *shard, wanted uint64) error {
	at := sh.at()
	return &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Kind: streamer.ErrPositionGone,
		Err: fmt.Errorf("%d was wanted, the oldest left is %d", wanted, sh.first)}
}
