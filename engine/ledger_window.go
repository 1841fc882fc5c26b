package engine

import (
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
)

// window is the part of a ledger that says whether the next message may be
// handed out.
type window struct {
	watched   atomic.Bool         // an Ack is waited for: the window is full, or the shard is leaving; written under session.mu
	fullSince time.Time           // zero: there is room
	reported  time.Time           // when Stalled was last reported
	paused    bool                // the source does not fetch the shard
	parked    []*streamer.Message // undelivered messages behind the full window, oldest first
}

// isFull says whether the window was full when it was last looked at.
func (w *window) isFull() bool { return !w.fullSince.IsZero() }

// fill notes that the window is full.
func (w *window) fill(now time.Time) { w.fullSince, w.reported = now, time.Time{} }

// open notes that the window has room.
func (w *window) open() { w.fullSince, w.reported = time.Time{}, time.Time{} }

// pause records that the source pauses the shard if messages are parked; false
// if it was paused or none are.
func (w *window) pause() bool {
	if w.paused || len(w.parked) == 0 {
		return false
	}
	w.paused = true
	return true
}

// resume ends the pause; false if there was none.
func (w *window) resume() bool {
	was := w.paused
	w.paused = false
	return was
}

// stalls says whether the window has been full for stallAfter since the last
// report, and records a report.
func (w *window) stalls(now time.Time) bool {
	since := w.fullSince
	if w.reported.After(since) {
		since = w.reported
	}
	if now.Sub(since) < stallAfter {
		return false
	}
	w.reported = now
	return true
}

// behindParked says whether m must wait because an older message of its shard
// does.
func (w *window) behindParked(m *streamer.Message) bool {
	return len(w.parked) > 0 && byEmission(m, w.parked[0]) > 0
}

// inFlight counts the messages that were handed out, from the oldest that is
// not done. Slots without a message of the program do not count.
func (l *ledger) inFlight() int { return l.live - l.buffered - l.passed }

// full says whether the window has no room for the next message. It considers
// fresh acknowledgements before it says so.
func (l *ledger) full(limit int) bool {
	if len(l.parked) > 0 {
		return !l.fits(l.parked[0], limit)
	}
	if l.inFlight() < limit {
		return false
	}
	l.advance()
	return l.inFlight() >= limit
}

// fits says whether m lies less than limit messages beyond the oldest that is
// not done. A message below one that was handed out therefore always fits.
func (l *ledger) fits(m *streamer.Message, limit int) bool {
	if slotOf(m)-l.passed < limit {
		return true
	}
	l.advance()
	return slotOf(m)-l.passed < limit
}
