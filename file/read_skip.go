package file

import (
	"errors"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// skip skips what cannot be read, if that is what err says.
func (s *source) skip(err error) bool {
	d, ok := errors.AsType[*ss.Damage](err)
	if !ok {
		return false
	}
	if d.Frame.Key != nil {
		s.skipMessage(d)
	} else if d.Offset != s.reported && d.Offset >= s.front {
		s.skipBytes(d)
	}
	return true
}

// skipMessage skips a message that is known by its number.
func (s *source) skipMessage(d *ss.Damage) {
	e := logfile.Entry{Frame: d.Frame, Start: d.Offset}
	if !s.wants(string(e.Key)) {
		return
	}
	sh := s.shardOf(&e)
	if sh == nil {
		return
	}
	if yes, err := s.begins(sh, &e); err != nil || !yes || !s.admits(sh, &e) {
		return
	}
	s.mu.Lock()
	s.track(sh, step{e.Seq, e.Start, d.Frame.Pos})
	s.progressed()
	s.mu.Unlock()
	s.cfg.Skipped(sh.StreamShard, streamer.SeqUint(e.Seq), s.corruption(d))
}

// skipBytes skips bytes that belong to no known shard. They
// are reported once, at the shard that was read last.
func (s *source) skipBytes(d *ss.Damage) {
	s.reported = d.Offset
	sh := s.last
	if sh == nil || !sh.read {
		for _, sh = range s.shards() {
			if sh.read {
				break
			}
		}
	}
	if sh == nil || !sh.read {
		return
	}
	var seq streamer.SeqNo
	if !sh.none {
		seq = streamer.SeqUint(sh.last) // it is done with when what came before it is
	}
	s.cfg.Skipped(sh.StreamShard, seq, s.corruption(d))
}

func (s *source) corruption(d *ss.Damage) error {
	return &CorruptionError{Path: s.location.path, Offset: d.Offset, Length: d.Length, Err: d.Err}
}
