package engine

import (
	"github.com/gostreamer/streamer"
)

// leave stops handing out. With gaps, messages before one that was handed out
// are still delivered.
func (l *ledger) leave(gaps bool) {
	l.leaving, l.upTo = true, 0
	if gaps {
		l.upTo = l.newestSlot()
	}
}

// delivers says whether m, which was not handed out, is still to be.
func (l *ledger) delivers(m *streamer.Message) bool {
	return !l.leaving || slotOf(m) < l.upTo
}

// leaveNow stops handing out altogether.
func (l *ledger) leaveNow() { l.upTo = 0 }

// busy says whether the program holds a message of the shard, or will before
// the shard leaves.
func (l *ledger) busy() bool { return l.leaving && l.buffered+l.lent > 0 || l.inWork() > 0 }

// awaitWork returns a channel that is closed when the program holds no message
// of the shard; nil when it holds none now.
func (l *ledger) awaitWork() <-chan struct{} {
	l.watched.Store(true) // before it looks: a later Ack reports itself
	if !l.busy() {
		l.unwatch()
		return nil
	}
	if l.drained == nil {
		l.drained = make(chan struct{})
	}
	return l.drained
}

// notifyDrained ends the wait for the program if it holds nothing of the shard
// any more. session.mu is held.
func (l *ledger) notifyDrained() {
	if l.drained != nil && !l.busy() {
		l.waitNoMore()
	}
}

// waitNoMore ends awaitWork. session.mu is held.
func (l *ledger) waitNoMore() {
	if l.drained != nil {
		close(l.drained)
		l.drained = nil
		l.unwatch()
	}
}

// unwatch ends the watch for Acks unless there is another reason for it.
func (l *ledger) unwatch() {
	l.watched.Store(l.leaving || l.drained != nil || l.isFull())
}

// isCommitted says whether the source holds the acknowledgement of everything
// that was handed out.
func (l *ledger) isCommitted(perMessage bool) bool {
	if l.inWork() > 0 {
		return false
	}
	if perMessage {
		return !l.unsaved()
	}
	return l.mark == l.saved
}

// resumesBefore says whether a shard that was assigned again is read from
// before newest and has not been committed as far since. ok is false while
// nothing was read.
func (l *ledger) resumesBefore(newest streamer.SeqNo) (before, ok bool) {
	if l.last.IsZero() {
		return false, false
	}
	return l.first.Compare(newest) <= 0 && (l.saved.IsZero() || l.saved.Compare(newest) < 0), true
}
