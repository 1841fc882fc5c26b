package observe

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// outage is a time during which something fails and is retried. Whatever the
// number of attempts, the log has one line when it begins and one when it ends.
// Hooks.Retrying gets every attempt.
type outage struct {
	mu     sync.Mutex
	fails  map[string]failing // by operation; empty: all is well
	kinds  []error            // of telling that were logged
	since  time.Time
	logged bool      // of this spell
	ended  time.Time // the last one that was logged
}

// failing is one operation that fails.
type failing struct {
	last  time.Time
	until time.Time // if nothing is heard of it until then, it is over
}

const (
	// Quiet is how long there must be no failure, beyond its pause, before an
	// outage counts as over without a report of success.
	Quiet = 30 * time.Second
	// MinGap is how long ago an operation must have failed for its success to
	// end an outage: with several servers, reads fail and succeed in turn. A
	// failure within that time after an outage is logged only if it lasts,
	// because a server that restarts refuses requests for a moment.
	MinGap = 5 * time.Second
)

// distinct are the kinds that mean something other than an unreachable server.
var distinct = [...]error{streamer.ErrDenied, streamer.ErrThrottled}

// begin records a failure, and says whether to log it.
func (s *outage) begin(op string, err error, after time.Duration, now time.Time) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for op, f := range s.fails {
		if now.After(f.until) {
			delete(s.fails, op)
		}
	}
	if len(s.fails) == 0 {
		s.fails, s.kinds, s.since, s.logged = map[string]failing{}, nil, now, false
	}
	if !s.logged && now.Sub(s.ended) >= MinGap {
		s.logged, news = true, true
	}
	s.fails[op] = failing{last: now, until: now.Add(after + Quiet)}
	for _, kind := range distinct {
		if errors.Is(err, kind) && !slices.Contains(s.kinds, kind) {
			s.kinds = append(s.kinds, kind)
			news = true
		}
	}
	return news
}

// end records that an operation which failed at least ago before succeeds
// again. It says whether nothing fails any more, and how long the outage
// lasted.
func (s *outage) end(op string, now time.Time, ago time.Duration) (lasted time.Duration, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, fails := s.fails[op]
	if !fails || now.Sub(f.last) < ago {
		return 0, false
	}
	delete(s.fails, op)
	if len(s.fails) > 0 || !s.logged {
		return 0, false
	}
	s.ended = now
	return now.Sub(s.since), true
}
