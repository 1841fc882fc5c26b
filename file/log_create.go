package file

import (
	"errors"
	"os"

	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// create makes an empty log, if there is none. It appears whole, and nothing
// holds the writer's lock for it: a producer that comes at the same moment is
// not to find the log in use. Where files can have no second name, the lock is
// taken after all; ErrBusy: another process is about to make the log.
func (l *openLog) create(c *Config) error {
	var err error
	if l.segmented {
		err = logfile.MakeSegments(l.path, c.Beacon)
	} else {
		_, err = logfile.MakeEmpty(l.path, c.Beacon)
	}
	if _, ok := errors.AsType[*os.LinkError](err); ok {
		return l.createLocked(c)
	}
	if err == nil {
		l.readers.notify()
	}
	return disk.Translate(err)
}

// createLocked makes the log as a producer does.
func (l *openLog) createLocked(c *Config) error {
	quiet := *c
	quiet.EOS = false
	w, err := l.openWriter(&quiet)
	if err != nil {
		return err
	}
	return l.closeWriter(w, &quiet)
}
