package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/list"
)

// flow is the part of a session that counts what was fetched and not handed
// out, and knows which windows are full. Except for room and pausing it belongs
// to session.mu.
type flow struct {
	buffered held                   // emitted and not handed out
	parked   held                   // the part of buffered that waits behind full windows
	full     []*ledger              // may have a full window
	reopened []streamer.StreamShard // their windows have room again; unlock tells the source

	resting    bool               // undelivered messages went back to the group: fetch again when a taker asks
	slowMember *queue             // its undelivered messages are to go back to the group
	interrupt  context.CancelFunc // ends the Fetch that is under way

	room    chan struct{} // capacity 1: the fetcher may look again
	pausing sync.Mutex    // orders the calls of Pause: the last state wins
}

func newFlow() flow { return flow{room: make(chan struct{}, 1)} }

// held counts messages and their memory.
type held struct{ messages, bytes int }

func (h *held) add(m *streamer.Message) { h.messages++; h.bytes += m.Size() + messageSize }
func (h *held) sub(m *streamer.Message) { h.messages--; h.bytes -= m.Size() + messageSize }

// enter counts a fetched message.
func (f *flow) enter(m *streamer.Message) { f.buffered.add(m) }

// leave counts a message that is handed out or dropped.
func (f *flow) leave(m *streamer.Message) {
	f.buffered.sub(m)
	runOf(m).led.buffered--
}

// dropParked drops the parked messages of a shard.
func (f *flow) dropParked(l *ledger) {
	for _, m := range l.parked {
		f.parked.sub(m)
		f.leave(m)
	}
	l.parked = nil
	l.open()
	f.full = list.Without(f.full, l)
}

// park sets a message aside whose shard's window is full, so that those of
// other shards pass.
func (f *flow) park(l *ledger, m *streamer.Message) {
	l.parked = append(l.parked, m)
	f.parked.add(m)
}

// unpark passes the parked messages of a shard that fit its window now to put,
// in order. put may not keep the slice.
func (f *flow) unpark(l *ledger, limit int, put func([]*streamer.Message)) {
	n := 0
	for n < len(l.parked) && l.fits(l.parked[n], limit) {
		f.parked.sub(l.parked[n])
		n++
	}
	put(l.parked[:n])
	clear(l.parked[:n])
	if l.parked = l.parked[n:]; len(l.parked) == 0 {
		l.parked = nil
	}
}

// anyFull says whether the window of some shard is full.
func (f *flow) anyFull(limit int) bool {
	return slices.ContainsFunc(f.full, func(l *ledger) bool { return l.isFull() && l.full(limit) })
}

// endFull records that the shard's window is no longer full.
func (f *flow) endFull(l *ledger) {
	l.open()
	l.unwatch()
	f.full = list.Without(f.full, l)
	if l.resume() {
		f.reopened = append(f.reopened, l.StreamShard)
	}
}

// takeReopened returns the shards that are to be fetched again.
func (f *flow) takeReopened() []streamer.StreamShard {
	all := f.reopened
	f.reopened = nil
	return all
}

// pausesDue lists the full shards that the source still fetches.
func (f *flow) pausesDue() []streamer.StreamShard {
	var due []streamer.StreamShard
	for _, l := range f.full {
		if l.pause() {
			due = append(due, l.StreamShard)
		}
	}
	return due
}

// stalled lists the shards whose windows have been full for stallAfter since
// the last report.
func (f *flow) stalled(now time.Time, limit int) []*ledger {
	var all []*ledger
	for _, l := range f.full {
		if l.full(limit) && l.stalls(now) {
			all = append(all, l)
		}
	}
	return all
}
