package engine

import "io"

// ending is the part of a session that knows why and how far it has ended. It
// belongs to session.mu.
type ending struct {
	reason  error // io.EOF or the failure that ended fetching; nil: none
	broken  bool  // a failure that leaves nothing to hand out: what is buffered cannot be committed
	closing bool
}

// failed says that the session ended with a failure: what is not committed by
// now never will be.
func (e *ending) failed() bool { return e.reason != nil && e.reason != io.EOF } //nolint:errorlint // the bare one is the end of the input

// stopReading stops the session with a reason: io.EOF, or a failure to read
// that retrying cannot fix. Takers get it when the queue is empty, and at once
// where nothing can be handed out before it is committed.
func (s *session) stopReading(err error) {
	s.stopWith(err, err != io.EOF && s.o.atMostOnce()) //nolint:errorlint // the bare one is the end of the input
}

// fail stops the session after a commit failed permanently. Each call returns
// the error from now on, and nothing more is fetched.
func (s *session) fail(err error) {
	s.stopWith(err, true)
	s.stop()
}

func (s *session) stopWith(err error, broken bool) {
	if s.stopOnce(err, broken) && err != io.EOF { //nolint:errorlint // the bare one is the end of the input
		o := s.obs.Load()
		o.Log.Warn("consumer stopped", "backend", o.Backend, "err", err)
	}
}

// stopOnce says whether this call stops the session.
func (s *session) stopOnce(err error, broken bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end.failed() || s.end.reason != nil && !broken {
		return false
	}
	s.end.reason, s.end.broken = err, broken
	s.wakeAll()
	return true
}

// wakeAll wakes a taker of each member that would find something. session.mu is
// held.
func (s *session) wakeAll() {
	for _, q := range s.queues {
		q.wakeOne()
	}
}

// failure is why the session failed; nil while it has not.
func (s *session) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.end.failed() {
		return nil
	}
	return s.end.reason
}
