package file

import (
	"os"
	"path/filepath"
	"time"

	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// retainEvery is how often a writer looks for segments to drop, and also when
// it begins one.
const retainEvery = time.Second

// retain drops the oldest segments that c does not want kept: never the one
// that is written. One that cannot be dropped is tried again later.
func (w *writer) retain(c *Config, now time.Time) {
	if w.file.Dir == "" || c.RetainBytes == 0 && c.RetainAge == 0 && !c.RetainCommitted || now.Sub(w.retained) < retainEvery && w.retainedAt == w.file.Base {
		return
	}
	w.retained, w.retainedAt = now, w.file.Base
	all, err := logfile.ListSegments(w.file.Dir)
	if err != nil {
		return
	}
	total := int64(0)
	for _, g := range all {
		total += g.Size
	}
	done := retention{dir: w.file.Dir}
	if c.RetainCommitted {
		done.groups = group.LoadAll(w.log.path, w.file.Header.Created)
	}
	for i := 0; i+1 < len(all) && all[i].Base < w.file.Base; i++ {
		path := filepath.Join(w.file.Dir, logfile.SegmentName(all[i].Base))
		switch {
		case c.RetainBytes > 0 && total > c.RetainBytes:
		case c.RetainAge > 0 && olderThan(path, now.Add(-c.RetainAge)):
		case done.of(all[i].Base, all[i+1].Base):
		default:
			return
		}
		if os.Remove(path) != nil {
			return
		}
		total -= all[i].Size
		w.file.Oldest = all[i+1].Base
	}
}

// olderThan reports whether nothing was written to a file since then.
func olderThan(path string, then time.Time) bool {
	info, err := os.Stat(path)
	return err == nil && info.ModTime().Before(then)
}
