package file

import (
	"errors"
	"os"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// reopen goes on in a log that has taken the place of the one that vanished, from its beginning. ErrNotFound: there is none yet.
func (s *source) reopen() error {
	if _, err := os.Stat(s.log.path); err != nil {
		return translate(err)
	}
	if err := s.openOther(); err != nil {
		return err
	}
	gone := s.assigned()
	s.cfg.Revoked(gone, true)
	if err := s.restart(); err != nil {
		return err
	}
	s.announce()
	return nil
}

// openOther opens what is at the log's path now. On failure the source is as it was.
func (s *source) openOther() error {
	f, info, r, head := s.f, s.info, s.r, s.head
	s.f, s.r, s.head = nil, nil, nil
	err := s.openFile()
	if err == nil {
		err = s.readHead()
	}
	if err == nil {
		return f.Close()
	}
	if s.f != nil {
		_ = s.f.Close()
	}
	s.f, s.info, s.r, s.head = f, info, r, head
	return err
}

// restart puts every shard at the beginning of the new log. Those of a group are so durably.
func (s *source) restart() error {
	s.last, s.reported = nil, -1
	s.unknown = start{streamer.End(), ss.HeaderSize}
	s.mu.Lock()
	s.seen = ss.HeaderSize
	for _, sh := range s.shards() {
		sh.open, sh.start, sh.none, sh.trail = false, s.unknown, true, nil
		if sh.saved != nil {
			sh.saved = &cursor{resume: ss.HeaderSize, seen: ss.HeaderSize}
		}
	}
	s.mu.Unlock()
	if s.group == nil {
		return nil
	}
	var errs []error
	for _, sh := range s.shards() {
		if sh.saved != nil {
			errs = append(errs, s.store(sh.StreamShard, sh.saved))
		}
	}
	return errors.Join(errs...)
}
