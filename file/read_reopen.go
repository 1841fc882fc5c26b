package file

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// vanished ends the source or, where consumers make logs, waits for the log to
// come back and continues there from its beginning.
func (s *source) vanished(ctx context.Context, err error) error {
	if s.conf.Create != streamer.CreateAlways || !errors.Is(err, streamer.ErrNotFound) {
		return err
	}
	s.cfg.Retrying("read", err, 0)
	if s.sharing != nil {
		if err := s.holdAll(ctx); err != nil {
			return err
		}
		defer s.sharing.freeAll() // of the group's state in the log that vanished
		if err := s.adopt(); err != nil {
			return err
		}
	}
	if err := s.surrender(ctx); err != nil {
		return err
	}
	for {
		err := s.reopen(ctx)
		if err == nil || !errors.Is(err, streamer.ErrNotFound) {
			return err
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
}

// surrender gives up the shards of a log that vanished, when its
// messages have been handed out: they are nowhere else.
func (s *source) surrender(ctx context.Context) error {
	if s.group == nil || s.surrendered {
		return nil
	}
	gone := s.assigned()
	tick := time.NewTicker(pollFirst)
	defer tick.Stop()
	for s.buffered(gone) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return streamer.ErrClosed
		}
	}
	s.cfg.Revoked(gone, false)
	s.surrendered = true
	return nil
}

// buffered reports whether the engine has messages of these shards that it has
// not handed out.
func (s *source) buffered(shards []streamer.StreamShard) bool {
	for _, at := range shards {
		for _, handedOut := range s.cfg.InFlight(at) {
			if !handedOut {
				return true
			}
		}
	}
	return false
}

// reopen opens the log that replaces the one that vanished, and
// tells the engine which shards are read there. ErrNotFound: there is none yet.
func (s *source) reopen(ctx context.Context) error {
	l, err := logs.acquire(s.location.path, s.log.segmented)
	if err != nil {
		return err
	}
	if err := l.there(); err != nil {
		logs.release(l)
		return disk.Translate(err)
	}
	if l != s.log {
		return s.relocate(ctx, l)
	}
	logs.release(l)
	if err := s.begin(); err != nil {
		return err
	}
	s.announce()
	return nil
}

// begin continues in what is at the log's path now, from its beginning. No
// commit is under way meanwhile.
func (s *source) begin() error {
	s.committing.Lock()
	defer s.committing.Unlock()
	if err := s.openOther(); err != nil {
		return err
	}
	return s.restart()
}

// there reports whether there is a log at the path. A directory without
// segments is none: the process that is removing it must not find new ones in
// it.
func (l *openLog) there() error {
	_, err := os.Stat(l.path)
	if err == nil && l.segmented && !logfile.IsSegmented(l.path) {
		err = &os.PathError{Op: "open", Path: l.path, Err: os.ErrNotExist}
	}
	return err
}

// openOther opens what is at the log's path now. On failure the source is as it
// was.
func (s *source) openOther() error {
	was := s.input
	s.input = input{info: was.info, header: was.header}
	err := s.openFile()
	if err == nil {
		err = s.readHead()
	}
	if err == nil {
		return was.f.Close()
	}
	if s.f != nil {
		_ = s.f.Close()
	}
	s.input = was
	return err
}

// restart puts every shard at the beginning of the new log. Those of a group
// are so durably.
func (s *source) restart() error {
	standby, looked := s.standby, s.looked
	s.position = atStart()
	s.standby, s.looked = standby, looked
	s.mu.Lock()
	s.unknown = start{streamer.End(), s.origin()}
	s.identify()
	s.seen = s.origin()
	s.turned++
	if s.sharing != nil {
		s.sharing.keeper.Forget()
	}
	all := s.shards()
	for _, sh := range all {
		sh.open, sh.start, sh.none, sh.emitted, sh.trail = false, s.unknown, true, false, trail{}
		sh.behind, sh.catching, sh.next = onPar, false, 0
		if sh.saved != nil {
			sh.saved, sh.first = &group.Cursor{Resume: s.origin(), Seen: s.origin()}, nil
		}
	}
	s.mu.Unlock()
	for _, sh := range all {
		if sh.saved == nil {
			continue
		}
		if err := s.store(sh.StreamShard, sh.saved); err != nil {
			return err
		}
	}
	return nil
}
