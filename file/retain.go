package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// retainEvery is how often a writer looks for segments to drop, beside when it begins one.
const retainEvery = time.Second

// retain drops the oldest segments that c does not want kept: never the one that is written. One that cannot be dropped is tried again later.
func (w *writer) retain(c *Config, now time.Time) {
	if w.file.dir == "" || c.RetainBytes == 0 && c.RetainAge == 0 && !c.RetainCommitted || now.Sub(w.retained) < retainEvery && w.retainedAt == w.file.base {
		return
	}
	w.retained, w.retainedAt = now, w.file.base
	all, err := listSegments(w.file.dir)
	if err != nil {
		return
	}
	total := int64(0)
	for _, g := range all {
		total += g.size
	}
	committed := int64(0)
	if c.RetainCommitted {
		committed = committedBy(w.log.path)
	}
	for i, g := range all {
		if g.base >= w.file.base {
			return
		}
		path := filepath.Join(w.file.dir, segmentName(g.base))
		switch {
		case c.RetainBytes > 0 && total > c.RetainBytes:
		case c.RetainAge > 0 && olderThan(path, now.Add(-c.RetainAge)):
		case all[i+1].base < committed:
		default:
			return
		}
		if os.Remove(path) != nil {
			return
		}
		total -= g.size
		w.file.oldest = all[i+1].base
	}
}

// olderThan says whether nothing was written to a file since then.
func olderThan(path string, then time.Time) bool {
	info, err := os.Stat(path)
	return err == nil && info.ModTime().Before(then)
}

// committedBy is the offset before which every group of a log has done everything; 0 when there is no group, or one for which it is not known.
func committedBy(log string) int64 {
	least := int64(never)
	err := filepath.WalkDir(log+groupsSuffix, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, cursorSuffix) {
			return err
		}
		c, err := loadCursor(path)
		if err == nil && c == nil {
			err = errors.New("it vanished")
		}
		if err == nil {
			least = min(least, c.resume)
		}
		return err
	})
	if err != nil || least == never {
		return 0
	}
	return least
}
