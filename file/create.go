package file

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// create makes an empty log, if there is none. It appears whole, and nobody holds the writer's lock for it: a producer that comes at the same moment is not to
// find the log in use. For a directory, and where files can have no second name, the lock is taken after all; ErrBusy: another process is about to make the log.
func (l *openLog) create(c *Config) error {
	if l.row {
		return l.createLocked(c)
	}
	temp := l.path + "." + rand.Text() + ".new"
	if err := writeHeader(temp, filepath.Base(l.path), c.Beacon); err != nil {
		return err
	}
	err := os.Link(temp, l.path)
	_ = os.Remove(temp)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return l.createLocked(c)
	}
	l.readers.notify()
	return nil
}

// writeHeader makes a log without a message.
func writeHeader(path, name string, beacon int64) error {
	h := newHeader(name, time.Now().UnixMilli(), beacon)
	err := os.WriteFile(path, h.Append(nil), 0o644)
	if err != nil {
		_ = os.Remove(path)
	}
	return translate(err)
}

func (l *openLog) createLocked(c *Config) error {
	quiet := *c
	quiet.EOS = false
	w, err := l.openWriter(&quiet)
	if err != nil {
		return err
	}
	return l.closeWriter(w, &quiet)
}
