package file

import (
	"context"
	"errors"
	"fmt"

	"github.com/gostreamer/streamer"
)

// refreshAfter is how far the position of a shard without messages may stay behind what was read: as much has to be read again when the group is opened.
const refreshAfter = 16 << 20

// CommitCursors implements streamer.CursorCommitter.
func (s groupSource) CommitCursors(ctx context.Context, upTo []streamer.Mark) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.committing.Lock()
	defer s.committing.Unlock()
	if err := s.mend(); err != nil {
		return err
	}
	for _, m := range upTo {
		if err := s.commit(m); err != nil {
			return err
		}
	}
	return s.refresh(refreshAfter)
}

// commit moves one position.
func (s *source) commit(m streamer.Mark) error {
	s.mu.Lock()
	sh := s.streams[m.Stream][m.Shard]
	if sh == nil || sh.saved == nil {
		s.mu.Unlock()
		return &streamer.Error{Stream: m.Stream, Shard: &m.Shard, Kind: streamer.ErrFenced, Err: errors.New("the shard is not this consumer's")}
	}
	c, passed := s.cursorAt(sh, m.Seq.Uint())
	s.mu.Unlock()

	if err := s.store(m.StreamShard, c); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh.saved = c
	sh.trail.drop(passed)
	return nil
}

// cursorAt is a shard's cursor when everything up to seq is done, and how many steps of the trail that passes. A position that the trail does not have
// is one that was given up: its offsets are looked for when the group is opened. mu is held.
func (s *source) cursorAt(sh *shard, seq uint64) (c *cursor, passed int) {
	c = &cursor{begun: true, done: seq, seen: sh.saved.seen}
	if s.all {
		c.seen = s.seen
	}
	c.frame, passed = sh.trail.find(seq)
	if passed == 0 {
		if !sh.saved.begun || sh.saved.done != seq {
			return c, 0
		}
		c.frame = sh.saved.frame
	}
	c.resume = sh.emittedTo(s.seen)
	if passed < sh.trail.len() {
		c.resume = sh.trail.at(passed).start
	}
	return c, passed
}

// refresh moves up the offsets of shards that have nothing in work and lie more than behind bytes back.
func (s *source) refresh(behind int64) error {
	s.mu.Lock()
	var idle []*shard
	for _, sh := range s.shards() {
		if sh.saved != nil && sh.trail.len() == 0 && sh.saved.resume > 0 && sh.emittedTo(s.seen)-sh.saved.resume > behind {
			idle = append(idle, sh)
		}
	}
	s.mu.Unlock()
	for _, sh := range idle {
		if err := s.refreshOne(sh); err != nil {
			return err
		}
	}
	if len(idle) == 0 || !s.wild() || !s.all {
		return nil
	}
	s.mu.Lock()
	seen := s.seen
	s.mu.Unlock()
	return s.store(streamer.StreamShard{Stream: wildcard}, &cursor{resume: seen, seen: seen})
}

func (s *source) refreshOne(sh *shard) error {
	s.mu.Lock()
	if sh.trail.len() > 0 {
		s.mu.Unlock()
		return nil
	}
	c := *sh.saved
	c.resume = sh.emittedTo(s.seen)
	if s.all {
		c.seen = s.seen
	}
	s.mu.Unlock()
	if err := s.store(sh.StreamShard, &c); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh.saved = &c
	return nil
}

// mend makes the group again where its members are, if somebody removed it while it is in use.
func (s *source) mend() error {
	if s.group.intact() {
		return nil
	}
	err := fmt.Errorf("group %q vanished and was made again where it had come to: %w", s.cfg.Group, streamer.ErrNotFound)
	_ = s.group.unlock()
	if err := s.lockAll(); errors.Is(err, streamer.ErrBusy) {
		return fmt.Errorf("group %q vanished and another consumer has it now: %w", s.cfg.Group, streamer.ErrFenced)
	} else if err != nil {
		return err
	}
	s.mu.Lock()
	all := s.shards()
	s.mu.Unlock()
	for _, sh := range all {
		if sh.saved == nil {
			continue
		}
		if err := s.store(sh.StreamShard, sh.saved); err != nil {
			return err
		}
	}
	s.cfg.Retrying("group", err, 0)
	return nil
}
