package file

import (
	"os"
	"path/filepath"
	"time"

	"github.com/gostreamer/streamer/file/internal/group"
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
	done := progress{dir: w.file.dir}
	if c.RetainCommitted {
		done.groups = group.LoadAll(w.log.path, w.file.header.Created)
	}
	for i := 0; i+1 < len(all) && all[i].base < w.file.base; i++ {
		path := filepath.Join(w.file.dir, segmentName(all[i].base))
		switch {
		case c.RetainBytes > 0 && total > c.RetainBytes:
		case c.RetainAge > 0 && olderThan(path, now.Add(-c.RetainAge)):
		case done.of(all[i].base, all[i+1].base):
		default:
			return
		}
		if os.Remove(path) != nil {
			return
		}
		total -= all[i].size
		w.file.oldest = all[i+1].base
	}
}

// olderThan says whether nothing was written to a file since then.
func olderThan(path string, then time.Time) bool {
	info, err := os.Stat(path)
	return err == nil && info.ModTime().Before(then)
}
