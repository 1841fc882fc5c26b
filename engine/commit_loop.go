package engine

import (
	"context"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

// stallAfter is how long a window is full before Hooks.Stalled reports it, and
// the interval of further reports.
const stallAfter = 10 * time.Second

// duties says when the commit goroutine has to do what. Zero means not at all.
type duties struct {
	commit, age, stall, share time.Time
}

// commitLoop is the session's commit goroutine. It commits every CommitEvery,
// or sooner, while there is something to commit. It also handles windows that
// stay full, delayed acknowledgements, and slow members. It sleeps while the
// program holds nothing.
func (s *session) commitLoop(ctx context.Context) {
	var d duties
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.commitAhead(ctx)
		s.plan(&d, time.Now())
		next := d.next()
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return
		case <-s.commits.wake:
		case <-timer.C:
			s.work(ctx, &d, time.Now())
		}
	}
}

// plan sets the time of each duty that is wanted and has none.
func (s *session) plan(d *duties, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	busy := len(s.commits.active) > 0
	set(&d.commit, busy, now.Add(s.commitEvery()))
	if s.crowded() && !d.commit.After(now.Add(s.commitEvery())) { // not while a commit that failed rests
		d.commit = now
	}
	set(&d.age, busy && s.o.ack == streamer.AckDelayed, now.Add(s.ageEvery()))
	set(&d.stall, len(s.flow.full) > 0, now.Add(stallAfter/10))
	set(&d.share, s.shared() && s.flow.buffered.messages > 0, now.Add(shareTime))
}

// crowdedAfter bounds the messages fetched between two periodic commits where
// each message is acknowledged by itself. An earlier commit costs no more and
// runs while the source continues reading.
const crowdedAfter = 2000

// crowded says that crowdedAfter messages were fetched since the ledgers were
// last examined. session.mu is held.
func (s *session) crowded() bool {
	return s.acker != nil && s.o.commitEvery > 0 && s.commits.recent >= crowdedAfter
}

// set gives a wanted duty a time if it has none, and clears the time of an
// unwanted one.
func set(t *time.Time, wanted bool, at time.Time) {
	if !wanted {
		*t = time.Time{}
	} else if t.IsZero() {
		*t = at
	}
}

func (d *duties) next() time.Time {
	var first time.Time
	for _, t := range []time.Time{d.commit, d.age, d.stall, d.share} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// due says whether the time of a duty has come, and clears it.
func due(t *time.Time, now time.Time) bool {
	if t.IsZero() || t.After(now) {
		return false
	}
	*t = time.Time{}
	return true
}

func (s *session) work(ctx context.Context, d *duties, now time.Time) {
	if due(&d.age, now) {
		s.ackAged()
	}
	if due(&d.commit, now) {
		if rest := s.commitDue(ctx); rest > s.commitEvery() {
			d.commit = now.Add(rest)
		}
	}
	if due(&d.stall, now) {
		s.reportStalls(now)
	}
	if due(&d.share, now) {
		s.share()
	}
}

// commitEvery is the interval at which the ledgers are examined. With
// CommitEvery Never that only frees memory.
func (s *session) commitEvery() time.Duration {
	if s.o.commitEvery > 0 {
		return s.o.commitEvery
	}
	return time.Second
}

// commitDue is the periodic commit. After a transient failure the
// acknowledgements stay in the ledgers for the next one, not before rest. Any
// other failure ends the session.
func (s *session) commitDue(ctx context.Context) (rest time.Duration) {
	if s.o.commitEvery <= 0 || s.cursor == nil && s.acker == nil {
		s.mu.Lock()
		s.collect(nil)
		s.mu.Unlock()
		return 0
	}
	err := s.commitNow(ctx)
	if err == nil || ctx.Err() != nil {
		return 0
	}
	rest, again := boundary.RetryAfter(err)
	if !again && final(err) {
		s.fail(s.wrapCommit(ctx, err))
		return 0
	}
	s.obs.Load().Retrying("commit", err, max(rest, s.o.commitEvery))
	return rest
}

// ageEvery is the precision of AckDelay: an eighth of it, between a millisecond
// and a second.
func (s *session) ageEvery() time.Duration {
	return min(max(s.o.ackDelay/8, time.Millisecond), time.Second)
}

// ackAged acknowledges the messages that were handed out AckDelay ago.
func (s *session) ackAged() {
	now, delay := s.clock(), uint32(s.o.ackDelay/time.Millisecond)
	s.mu.Lock()
	defer s.unlock()
	for _, l := range s.commits.active {
		l.ackAged(now, delay)
		s.reopenIfRoom(l)
	}
}

// reportStalls reports the windows that have been full for stallAfter.
func (s *session) reportStalls(now time.Time) {
	s.mu.Lock()
	var events []streamer.StallEvent
	for _, l := range s.flow.stalled(now, s.o.maxInFlight) {
		events = append(events, streamer.StallEvent{StreamShard: l.StreamShard, Group: s.obs.Load().Group, InFlight: l.inFlight(), Oldest: l.oldest()})
	}
	s.mu.Unlock()
	for _, e := range events {
		s.obs.Load().Stalled(e)
	}
}
