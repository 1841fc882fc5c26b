package observe

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// spell is the time during which something fails and is tried again. However
// many tries it takes, and whatever fails for the one reason, the log has a
// line when it begins and one when it is over; Hooks.Retrying has every try.
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
	// calm is how long nothing must be heard of a failure, beyond its pause,
	// before it counts as over where nothing says that it is.
	Quiet = 30 * time.Second
	// settled is how long ago an operation must have failed for its success to
	// count: where there are several servers, reads fail and succeed in turn.
	// What fails again so soon after all was well is logged when it lasts: a
	// server that comes back refuses for a moment.
	MinGap = 5 * time.Second
)

// telling are the kinds that tell a user something else than that a server is
// away.
var distinct = [...]error{streamer.ErrDenied, streamer.ErrThrottled}

// begin notes a failure, and says whether it is news.
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

// end notes that an operation which failed at least for ago succeeds again, and
// says whether nothing fails any more, and how long it did.
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
