package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// identity is which log a source reads, for Lag, which opens the log itself.
type identity struct {
	info    os.FileInfo
	created uint64 // as its header says; 0 while it has none
}

// identify notes what the source reads now. mu is held, or the source is not
// yet in use.
func (s *source) identify() {
	s.is = &identity{info: s.info}
	if s.head != nil {
		s.is.created = s.header.Created
	}
}

// of reports whether v shows this log.
func (i *identity) of(v *logfile.OpenedView) (bool, error) {
	info, err := v.Handle.Stat()
	if err != nil {
		return false, err
	}
	return os.SameFile(i.info, logfile.PlainInfo(info)) && (i.created == 0 || i.created == v.Created), nil
}

// verify reports whether the log is still the one that is read: not deleted,
// replaced, cut off, or rewritten.
func (s *source) verify() error {
	if err := s.named(); err != nil {
		return err
	}
	return s.intact()
}

// named reports whether the source's location leads to the file that is read.
func (s *source) named() error {
	info, err := os.Stat(s.location.path)
	if err != nil {
		return disk.Translate(err)
	}
	if !os.SameFile(info, s.info) {
		return notThere(s.location.path)
	}
	if s.segments == nil {
		return nil
	}
	if err := s.segments.Verify(); errors.Is(err, fs.ErrNotExist) {
		return notThere(s.location.path)
	} else if err != nil {
		return disk.Translate(err)
	}
	return nil
}

// intact reports whether the file that is open has what was read of it,
// whatever it is called by now.
func (s *source) intact() error {
	info, err := s.f.Stat()
	if s.segments != nil && errors.Is(err, fs.ErrNotExist) {
		return notThere(s.location.path)
	}
	if err != nil {
		return disk.Translate(err)
	}
	if info.Size() < s.positioned() {
		return notThere(s.location.path)
	}
	if s.head == nil {
		return nil
	}
	h, err := logfile.ReadHeader(s.f)
	if err != nil || h != s.header {
		return notThere(s.location.path)
	}
	return nil
}

// checkLog is what a source that has more to read sees of its log: rewritten,
// it is at an end. One to which the location does not lead any more is read as
// far as it is then; without that, a source that never comes to the end,
// because it is slower than a writer there, would never know.
func (s *source) checkLog(ctx context.Context) error {
	if s.segments == nil {
		if err := s.intact(); err != nil {
			return s.vanished(ctx, err)
		}
	}
	if s.wake == nil {
		return nil
	}
	if now := time.Now(); s.limit == never && now.Sub(s.looked) >= pollWatched {
		s.looked = now
		if err := s.named(); !errors.Is(err, streamer.ErrNotFound) {
			return err
		}
		info, err := s.f.Stat()
		if errors.Is(err, fs.ErrNotExist) {
			return s.vanished(ctx, notThere(s.location.path))
		} else if err != nil {
			return err
		}
		s.limit = info.Size()
	}
	if s.positioned() < s.limit || s.lagging > 0 {
		return nil
	}
	return s.vanished(ctx, notThere(s.location.path))
}
