package file

import (
	"sync/atomic"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// lane is how far a shard is behind the others because its window was full.
// While it is paused the log is read on for the others, and the shard's
// messages are skipped; later the source goes back to the first of them,
// reads on for this shard alone, and returns to where it was.
type lane struct {
	paused   atomic.Bool
	behind   int64 // the shard's messages before this offset were emitted, those after it were not; onPar: as for all others. Fetch changes it with source.mu held
	catching bool  // the source has gone back for it
	next     int64 // messages before this offset are not to be emitted (again)
}

// onPar is the behind of a shard that was never paused, or has caught up.
const onPar = -1

// Pause implements driver.Pauser.
func (s *source) Pause(at streamer.StreamShard, paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.streams[at.Stream][at.Shard]
	if sh == nil {
		return
	}
	sh.paused.Store(paused)
	if !paused && sh.behind != onPar {
		s.nudge()
	}
}

// admits reports whether a message is emitted now.
func (s *source) admits(sh *shard, e *logfile.Entry) bool {
	if e.Start < sh.next || sh.behind != onPar && !sh.catching {
		return false
	}
	if !sh.paused.Load() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh.behind == onPar {
		s.lagging++
	}
	sh.behind, sh.catching = e.Start, false
	return false
}

// catchUp goes back for shards that were paused and are not any more, or
// returns when they have caught up or are paused again.
func (s *source) catchUp() {
	if s.lagging == 0 {
		return
	}
	if s.front > 0 && !s.inTheBack() {
		s.returnToFront()
	}
	if s.front == 0 {
		s.goBack()
	}
}

// inTheBack reports whether the source still reads for shards that it has gone
// back for.
func (s *source) inTheBack() bool {
	if s.positioned() >= s.front {
		return false
	}
	for _, of := range s.streams {
		for _, sh := range of {
			if sh.catching && !sh.paused.Load() {
				return true
			}
		}
	}
	return false
}

// returnToFront ends the catching up. Shards that have not come to the front
// stay behind where they are.
func (s *source) returnToFront() {
	arrived := s.positioned() >= s.front
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.streams {
		for _, sh := range of {
			if sh.catching && arrived {
				sh.behind = onPar
				s.lagging--
			}
			sh.catching = false
		}
	}
	if !arrived {
		s.r.SeekTo(s.front)
	}
	s.front = 0
}

// goBack goes back for all shards that were paused and are not any more. The
// others have had everything up to here.
func (s *source) goBack() {
	front, to := s.positioned(), int64(never)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.streams {
		for _, sh := range of {
			if sh.behind != onPar && !sh.paused.Load() {
				sh.catching, sh.next = true, sh.behind
				to = min(to, sh.behind)
			} else {
				sh.next = front
			}
		}
	}
	if to == never {
		return
	}
	s.front = front
	s.r.SeekTo(to)
}

// progressed notes the offset that reading has reached. mu is held.
func (s *source) progressed() {
	at := s.positioned()
	s.seen = max(s.seen, at)
	if s.front == 0 {
		return
	}
	for _, of := range s.streams {
		for _, sh := range of {
			if sh.catching {
				sh.behind = max(sh.behind, at) // it may be further than another that the source went back for
			}
		}
	}
}

// emittedTo is the offset before which every message of the shard was emitted.
// source.mu is held.
func (sh *shard) emittedTo(seen int64) int64 {
	if sh.behind != onPar {
		return min(seen, sh.behind)
	}
	return seen
}
