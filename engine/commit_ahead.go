package engine

import (
	"context"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// AckOnDelivery commits a shard's fetched messages when the first of them is
// wanted, before it is handed out, so that a crash repeats nothing. A clean
// Close takes back what was not handed out: by committing a lower mark, or
// through the source (SourceConfig.InFlight).

// isAhead says whether m may be handed out. If not, it asks for the commit.
func (s *session) isAhead(l *ledger, m *streamer.Message) bool {
	if l.isAhead(m) {
		return true
	}
	if !l.aheadPending && !s.end.failed() {
		s.commits.askAhead(l)
	}
	return false
}

// commitAhead commits everything emitted in the shards that were asked for. The
// commit goroutine calls it.
func (s *session) commitAhead(ctx context.Context) {
	s.mu.Lock()
	asked := s.commits.takeAhead()
	s.mu.Unlock()
	if len(asked) == 0 || s.commits.enter(ctx) != nil {
		return
	}
	defer s.commits.leave()
	var b commitBatch
	var upTo []int
	err := s.retry(ctx, func() error {
		s.mu.Lock()
		b, upTo = s.collectAhead(asked)
		s.mu.Unlock()
		return s.send(ctx, b)
	})
	if err != nil {
		if ctx.Err() == nil {
			s.fail(err)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range asked {
		l.setAhead(upTo[i])
	}
	s.wakeAll()
}

// collectAhead gathers what is emitted in these shards, and how far that is in
// each. It leaves out a shard that is being revoked, which the next owner
// commits. session.mu is held.
func (s *session) collectAhead(ledgers []*ledger) (b commitBatch, upTo []int) {
	for _, l := range ledgers {
		upTo = append(upTo, l.live)
		if l.leaving {
			continue
		}
		switch {
		case s.cursor != nil:
			b.ledgers = append(b.ledgers, l)
			b.marks = append(b.marks, driver.Mark{StreamShard: l.StreamShard, Seq: l.last})
			l.saved = l.last // perhaps it is, even when the commit fails: takeBack must know
		case s.acker != nil:
			b.add(l, b.everything(l))
		}
	}
	return b, upTo
}

// everything lists all messages of the ledger that the source does not hold,
// done or not.
func (b *commitBatch) everything(l *ledger) []streamer.SeqNo {
	var seqs []streamer.SeqNo
	for r := l.head; r != nil; r = r.next {
		for w := range r.acks.Bits {
			todo := r.mask(w)
			if r.saved != nil {
				todo &^= r.saved[w]
			}
			b.slots = append(b.slots, slots{r, w, todo})
			for i := range 64 {
				if todo&(1<<i) != 0 {
					seqs = append(seqs, r.seqs.at(w<<6+i))
				}
			}
		}
	}
	return seqs
}

// takeBack commits the marks of what was really handed out, where the source
// holds more. The mark is zero where nothing was. A message below one that was
// handed out, in the ring of another member, is not taken back, or the other
// would be delivered twice. The caller holds the right to commit.
func (s *session) takeBack(ctx context.Context, ledgers []*ledger) error {
	if s.cursor == nil {
		return nil
	}
	return s.retry(ctx, func() error { return s.send(ctx, s.collectBack(ledgers)) })
}

// collectBack gathers the marks for takeBack, except of shards that were lost
// meanwhile.
func (s *session) collectBack(ledgers []*ledger) (b commitBatch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range ledgers {
		l.advance()
		mark := l.newestDone()
		if mark == l.saved || !s.owned.has(l) {
			continue
		}
		b.ledgers = append(b.ledgers, l)
		b.marks = append(b.marks, driver.Mark{StreamShard: l.StreamShard, Seq: mark})
	}
	return b
}
