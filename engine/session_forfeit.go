package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// noteUncommitted records the shards whose messages may be redelivered, because
// what was handed out of them is not known to be committed. The next Commit
// reports it, whatever the program acknowledges until then.
func (s *session) noteUncommitted(leaving []*ledger) {
	if !s.o.tracks() || s.o.atMostOnce() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range leaving {
		if l.isCommitted(s.acker != nil) {
			continue
		}
		for _, q := range s.queues {
			if q.uncommitted == nil {
				q.uncommitted = map[streamer.StreamShard]streamer.SeqNo{}
			}
			q.uncommitted[l.StreamShard] = l.newestDone()
		}
	}
}

// lostUncommitted returns what noteUncommitted recorded since the last call, as
// an error.
func (s *session) lostUncommitted(ctx context.Context, q *queue) error {
	gone, quiet := s.stillUncommitted(q)
	gone = append(gone, s.behind(ctx, quiet)...)
	if len(gone) == 0 {
		return nil
	}
	first := slices.MinFunc(gone, streamer.StreamShard.Compare)
	return s.wrap("commit", fmt.Errorf("%w: %d shards were lost, the first %v, before all that was handed out of them was known to be committed: it may be redelivered",
		streamer.ErrFenced, len(gone), first))
}

// stillUncommitted takes the shards that noteUncommitted recorded. It leaves
// out shards that were assigned again if reading resumes behind what was handed
// out or they have been committed as far again. quiet are those of which
// nothing was read since.
func (s *session) stillUncommitted(q *queue) (gone, quiet []streamer.StreamShard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, newest := range q.uncommitted {
		l, ours := s.owned.reads(at)
		before, read := false, false
		if l != nil {
			before, read = l.resumesBefore(newest)
		}
		switch {
		case !ours || before:
			gone = append(gone, at)
		case !read:
			quiet = append(quiet, at)
		}
	}
	q.uncommitted = nil
	return gone, quiet
}

// behind returns the shards that the group has not committed to their ends.
func (s *session) behind(ctx context.Context, quiet []streamer.StreamShard) []streamer.StreamShard {
	lagger, ok := s.src.(driver.Lagger)
	if !ok || len(quiet) == 0 {
		return quiet
	}
	lags, err := lagger.Lag(ctx)
	if err != nil {
		return quiet
	}
	return slices.DeleteFunc(quiet, func(at streamer.StreamShard) bool {
		return slices.ContainsFunc(lags, func(l streamer.ShardLag) bool { return l.StreamShard == at && l.Messages == 0 })
	})
}
