package engine

import (
	"context"
	"errors"
	"math/bits"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/internal/wait"
)

// commitBatch is what one commit tells the source: marks for a CursorCommitter,
// messages for a MessageAcker.
type commitBatch struct {
	ledgers []*ledger
	marks   []driver.Mark
	acked   []driver.Acked
	slots   []slots
	skips   []int // of each ledger: how many of its skips acked has
}

// slots are the done slots in one word of a run.
type slots struct {
	r    *run
	w    int
	bits uint64
}

func (b *commitBatch) empty() bool { return len(b.marks)+len(b.acked) == 0 }

// commitNow commits everything acknowledged before the call, in one request. It
// waits for the right to commit until ctx ends. What fails stays in the ledgers
// for the next commit.
func (s *session) commitNow(ctx context.Context) error {
	if err := s.commits.enter(ctx); err != nil {
		return err
	}
	defer s.commits.leave()
	return s.commitHeld(ctx, nil)
}

// commitHeld is commitNow for a caller that holds the right to commit. only
// selects ledgers; nil means all.
func (s *session) commitHeld(ctx context.Context, only []*ledger) error {
	s.mu.Lock()
	var b commitBatch
	if !s.commits.closed {
		b = s.collect(only)
	}
	s.mu.Unlock()
	return s.send(ctx, b)
}

func (s *session) send(ctx context.Context, b commitBatch) error {
	if b.empty() {
		return nil
	}
	from := time.Now()
	err := s.request(ctx, b)
	s.obs.Load().Committed(len(b.ledgers), time.Since(from), err)
	if err != nil {
		return err
	}
	s.obs.Load().Succeeded("commit")
	s.mu.Lock()
	s.noteCommitted(b)
	s.mu.Unlock()
	return nil
}

func (s *session) request(ctx context.Context, b commitBatch) error {
	if s.cursor != nil {
		return s.cursor.CommitCursors(ctx, b.marks)
	}
	return s.acker.AckMessages(ctx, b.acked)
}

// collect gathers what is done and not committed. session.mu is held.
func (s *session) collect(only []*ledger) commitBatch {
	var b commitBatch
	if only == nil {
		s.commits.recent = 0
	}
	for _, l := range s.commits.active {
		if only != nil && !slices.Contains(only, l) {
			continue
		}
		l.advance()
		switch {
		case s.cursor != nil:
			b.addMark(l, s.o.atMostOnce())
		case s.acker != nil:
			b.addAcked(l)
		}
	}
	s.tidy()
	return b
}

// addMark adds the ledger's mark if it has moved. With AckOnDelivery the source
// already holds a later one, and only Close takes that back.
func (b *commitBatch) addMark(l *ledger, ahead bool) {
	if ahead || l.mark.IsZero() || l.mark == l.saved {
		return
	}
	b.ledgers = append(b.ledgers, l)
	b.marks = append(b.marks, driver.Mark{StreamShard: l.StreamShard, Seq: l.mark})
}

func (b *commitBatch) addAcked(l *ledger) {
	n := len(l.skips)
	l.eachUnsaved(func(_ *run, _ int, done uint64) { n += bits.OnesCount64(done) })
	seqs := make([]streamer.SeqNo, 0, n)
	l.eachUnsaved(func(r *run, w int, done uint64) {
		b.slots = append(b.slots, slots{r, w, done})
		for ; done != 0; done &= done - 1 {
			seqs = append(seqs, r.seqs.at(w<<6+bits.TrailingZeros64(done)))
		}
	})
	b.add(l, seqs)
}

// add adds the messages of a ledger that are to be acknowledged, and its
// entries that could not be decoded.
func (b *commitBatch) add(l *ledger, seqs []streamer.SeqNo) {
	if len(l.skips) > 0 {
		seqs = append(seqs, l.skips...)
		slices.SortFunc(seqs, streamer.SeqNo.Compare)
	}
	if len(seqs) == 0 {
		return
	}
	b.ledgers = append(b.ledgers, l)
	b.acked = append(b.acked, driver.Acked{StreamShard: l.StreamShard, Seqs: seqs})
	b.skips = append(b.skips, len(l.skips))
}

// noteCommitted records in the ledgers that the source holds b. session.mu is
// held.
func (s *session) noteCommitted(b commitBatch) {
	for i, m := range b.marks {
		b.ledgers[i].saved = m.Seq
	}
	for i, n := range b.skips {
		l := b.ledgers[i]
		l.skips = slices.Delete(l.skips, 0, n)
	}
	for _, d := range b.slots {
		d.r.save(d.w, d.bits)
	}
	s.tidy()
}

// tidy drops runs that are no longer needed and ledgers without runs.
// session.mu is held.
func (s *session) tidy() {
	s.commits.unlist(func(l *ledger) bool {
		l.release(s.acker != nil)
		return !l.isIdle() || s.cursor != nil && l.mark != l.saved && !s.o.atMostOnce()
	})
}

// commitUntil is commitNow with retries of transient failures until ctx ends.
func (s *session) commitUntil(ctx context.Context) error {
	if err := s.commits.enter(ctx); err != nil {
		return err
	}
	defer s.commits.leave()
	return s.retry(ctx, func() error { return s.commitHeld(ctx, nil) })
}

// retry calls f until it succeeds, fails permanently, or ctx ends. It returns
// the last failure.
func (s *session) retry(ctx context.Context, f func() error) error {
	var b wait.Backoff
	for {
		err := f()
		after, again := boundary.RetryAfter(err)
		if err == nil || !again {
			return s.wrapCommit(ctx, err)
		}
		after = b.Next(after)
		s.obs.Load().Retrying("commit", err, after)
		if !wait.Pause(ctx, after) {
			return s.wrapCommit(ctx, err)
		}
	}
}

// wrapCommit wraps the failure of a commit that ctx bounds. The program does
// not see that it was transient.
func (s *session) wrapCommit(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if t, ok := errors.AsType[*driver.TransientError](err); ok {
		err = t.Err
	}
	return boundary.WrapFor(ctx, "commit", s.obs.Load().Backend, "", err)
}

// final says that no later commit can succeed, so the session ends.
func final(err error) bool {
	for _, kind := range []error{streamer.ErrFenced, streamer.ErrDenied, streamer.ErrNotFound, streamer.ErrClosed, streamer.ErrUnsupported} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
