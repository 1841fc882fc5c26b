package engine

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer/internal/wait"
)

// stopDelivery stops delivery permanently. Takers get why; acknowledgements
// still count. Nothing is handed out after it has returned.
func (s *session) stopDelivery(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.suspendAll() {
		q.close(why)
	}
}

// closeWithin closes the session. It stops fetching, seals the ledgers, commits
// what counts and gives the shards back. When ctx ends, it closes the rest at
// once.
func (s *session) closeWithin(ctx context.Context, why error) error {
	s.stopDelivery(why)
	s.mu.Lock()
	s.end.closing = true
	for _, l := range s.owned.all() {
		l.waitNoMore() // Close of the source waits for a revocation that is under way
	}
	s.mu.Unlock()
	s.stop()
	wait.Join(ctx, s.fetch.Wait)
	err := s.commitLast(ctx)
	closed := s.src.Close(ctx)
	wait.Join(ctx, s.commit.Wait)
	if closed != nil {
		closed = s.wrap("close", closed)
	}
	return errors.Join(err, closed)
}

// commitLast seals the ledgers and commits what counts.
func (s *session) commitLast(ctx context.Context) error {
	if !s.o.tracks() {
		return nil
	}
	if err := s.commits.enter(ctx); err != nil {
		return s.wrapCommit(ctx, err)
	}
	defer s.commits.leave()
	defer s.stopCommitting()
	all := s.allLedgers()
	s.sealAll(all)
	if s.o.atMostOnce() {
		return s.takeBack(ctx, all)
	}
	return s.retry(ctx, func() error { return s.commitHeld(ctx, nil) })
}

func (s *session) allLedgers() []*ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned.all()
}

// stopCommitting ends committing: a member that is leaving must not commit to a
// closed source.
func (s *session) stopCommitting() {
	s.mu.Lock()
	s.commits.closed = true
	s.mu.Unlock()
}
