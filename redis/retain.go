package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Trimming with each record would cost a fifth of the speed; after so many records, or so long, it costs nothing that can be measured.
const (
	trimRecords = 1000
	trimEvery   = time.Second
)

// addTrims puts the trims that are due behind the batch's records.
func (s *sink) addTrims(ctx context.Context, now time.Time) {
	c := &s.b.cfg
	if c.MaxLen == 0 && c.MaxAge == 0 {
		return
	}
	for _, sl := range s.slots {
		sl.target.written++
	}
	for _, sl := range s.slots {
		t := sl.target
		if t.written == 0 || t.written < trimRecords && now.Sub(t.trimmed) < trimEvery {
			continue
		}
		t.written, t.trimmed = 0, now
		if c.MaxLen > 0 {
			s.trims = append(s.trims, redis.NewIntCmd(ctx, "xtrim", t.key, "maxlen", "~", c.MaxLen))
		}
		if oldest := now.Add(-c.MaxAge).UnixMilli(); c.MaxAge > 0 && oldest > 0 {
			s.trims = append(s.trims, redis.NewIntCmd(ctx, "xtrim", t.key, "minid", "~", strconv.FormatInt(oldest, 10)))
		}
	}
	for _, cmd := range s.trims {
		s.cmds = append(s.cmds, cmd)
	}
}

// warnTrims tells of a trim that the server refused; the next one is tried all the same.
func (s *sink) warnTrims() {
	for _, cmd := range s.trims {
		if err := cmd.Err(); code(err) != "" && s.log != nil {
			s.log.Warn("trimming failed", "backend", scheme, "err", err)
			return
		}
	}
}
