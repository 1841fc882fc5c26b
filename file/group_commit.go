package file

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/group"
)

// refreshAfter is how far the position of a shard without messages may stay
// behind what was read: as much has to be read again when the group is opened.
const refreshAfter = 16 << 20

// CommitCursors implements streamer.CursorCommitter.
func (s groupSource) CommitCursors(ctx context.Context, upTo []driver.Mark) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.committing.Lock()
	defer s.committing.Unlock()
	return passing(s.commitAll(upTo))
}

func (s *source) commitAll(upTo []driver.Mark) error {
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
func (s *source) commit(m driver.Mark) error {
	s.mu.Lock()
	sh := s.streams[m.Stream][m.Shard]
	if sh == nil || sh.saved == nil {
		s.mu.Unlock()
		if s.sharing != nil {
			return nil // it was given up meanwhile: after Revoked no commit is expected
		}
		return &streamer.Error{Stream: m.Stream, Shard: &m.Shard, Kind: streamer.ErrFenced, Err: errors.New("the shard is not this consumer's")}
	}
	c, passed := s.cursorAt(sh, m.Seq)
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

// cursorAt is a shard's cursor when everything up to seq is done, and how many
// steps of the trail that passes. A position that the trail does not have is
// one that was given up: its offsets are looked for when the group is opened.
// mu is held.
func (s *source) cursorAt(sh *shard, upTo streamer.SeqNo) (c *group.Cursor, passed int) {
	if sh.first == nil {
		sh.first = sh.saved
	}
	seq := upTo.Uint()
	c = &group.Cursor{Begun: true, Done: seq, Seen: sh.saved.Seen}
	if s.all {
		c.Seen = s.seenSafe()
	}
	if upTo.IsZero() {
		c.Begun, c.Done = sh.first.Begun, sh.first.Done
		return c, 0
	}
	c.Frame, passed = sh.trail.find(seq)
	if passed == 0 {
		if !sh.saved.Begun || sh.saved.Done != seq {
			return c, 0
		}
		c.Frame = sh.saved.Frame
	}
	c.Resume = sh.emittedTo(s.seen)
	if passed < sh.trail.len() {
		c.Resume = sh.trail.at(passed).start
	}
	return c, passed
}

// refresh moves up the offsets of shards that have nothing in flight and lie
// more than behind bytes back.
func (s *source) refresh(behind int64) error {
	s.mu.Lock()
	var idle []*shard
	for _, sh := range s.shards() {
		if sh.saved != nil && sh.trail.len() == 0 && sh.saved.Resume > 0 && sh.emittedTo(s.seen)-sh.saved.Resume > behind {
			idle = append(idle, sh)
		}
	}
	s.mu.Unlock()
	for _, sh := range idle {
		if err := s.refreshOne(sh); err != nil {
			return err
		}
	}
	if len(idle) == 0 || !s.wild() || !s.all || !s.group.Owns(group.Everywhere) {
		return nil
	}
	s.mu.Lock()
	seen := s.seenSafe()
	s.mu.Unlock()
	return s.store(group.Everywhere, &group.Cursor{Resume: seen, Seen: seen})
}

func (s *source) refreshOne(sh *shard) error {
	s.mu.Lock()
	if sh.trail.len() > 0 {
		s.mu.Unlock()
		return nil
	}
	c := *sh.saved
	c.Resume = sh.emittedTo(s.seen)
	if s.all {
		c.Seen = s.seenSafe()
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

// mend makes the group again where its members are, if something removed it
// while it is in use.
func (s *source) mend() error {
	if s.whole() {
		return nil
	}
	err := fmt.Errorf("group %q vanished and was made again where it had come to: %w", s.cfg.Group, streamer.ErrNotFound)
	s.unlocked = true
	if err := s.lockAgain(); err != nil {
		return err
	}
	s.unlocked = false
	s.mu.Lock()
	seen, all := s.seenSafe(), s.shards()
	s.mu.Unlock()
	if s.sharing != nil {
		all = slices.Collect(maps.Values(s.mine))
	}
	for _, sh := range all {
		if sh.saved == nil {
			continue
		}
		if err := s.store(sh.StreamShard, sh.saved); err != nil {
			return err
		}
	}
	if s.group.Owns(group.Everywhere) {
		if err := s.store(group.Everywhere, &group.Cursor{Resume: seen, Seen: seen}); err != nil {
			return err
		}
	}
	s.cfg.Retrying("group", err, 0)
	s.cfg.Retrying("group", nil, 0)
	return nil
}

// lockAgain takes the locks of a group that was removed.
func (s *source) lockAgain() error {
	_ = s.group.Unlock()
	if s.sharing != nil {
		return s.lockShareAgain()
	}
	err := s.lockAll()
	if errors.Is(err, streamer.ErrBusy) {
		return fmt.Errorf("group %q vanished and another consumer has it now: %w", s.cfg.Group, streamer.ErrFenced)
	}
	return err
}
