package redis

import (
	"bufio"
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Trimming with each record would cost a fifth of the speed; after so many
// records, or so long, it costs nothing that can be measured.
const (
	trimRecords = 1000
	trimEvery   = time.Second
)

// addTrims puts the trims that are due behind the batch's records.
func (s *sink) addTrims(now time.Time) {
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
			s.trims = append(s.trims, newTrim(t.key, "maxlen", c.MaxLen))
		}
		if oldest := now.Add(-c.MaxAge).UnixMilli(); c.MaxAge > 0 && oldest > 0 {
			s.trims = append(s.trims, newTrim(t.key, "minid", oldest))
		}
	}
}

// trim is an XTRIM.
type trim struct {
	words []string
	cmd   *redis.IntCmd // the one for go-redis
	err   error
}

func newTrim(key, how string, limit int64) *trim {
	return &trim{words: []string{"xtrim", key, how, "~", strconv.FormatInt(limit, 10)}}
}

func (t *trim) write(to *bufio.Writer) {
	writeList(to, len(t.words))
	for _, w := range t.words {
		writeWord(to, w)
	}
}

func (t *trim) command(ctx context.Context) *redis.IntCmd {
	args := make([]any, len(t.words))
	for i, w := range t.words {
		args[i] = w
	}
	t.cmd = redis.NewIntCmd(ctx, args...)
	return t.cmd
}

// warnTrims tells of a trim that the server refused; the next one is tried all
// the same. That it continues failing is no news.
func (s *sink) warnTrims() {
	for _, t := range s.trims {
		failed := code(t.err) != ""
		if failed && !s.untrimmed && s.log != nil {
			s.log.Warn("trimming failed", "backend", scheme, "err", t.err)
		}
		s.untrimmed = failed
	}
}
