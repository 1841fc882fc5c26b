package stdio

import (
	"slices"

	"github.com/gostreamer/streamer"
)

// A line is read once: what a source emitted and no consumer was handed would
// be gone when that source closes. So a source remembers its last lines, asks
// the engine now and then which of them are handed out, and leaves the rest to
// the next source, whose own come after them.

// unread is a source's lines that perhaps no consumer was handed.
type unread struct {
	before     []entry // left by sources that have closed; not emitted yet
	sent       []entry // emitted; those that were not handed out are among them
	fresh      int     // of them emitted since the engine was asked
	freshBytes int
}

// emitted remembers a line that is about to be emitted.
func (u *unread) emitted(e *entry) {
	u.sent = append(u.sent, *e)
	u.fresh++
	u.freshBytes += len(e.value)
}

// forget releases the lines that were handed out. It asks seldom, because
// asking takes as long as the engine holds messages, which is up to twice
// MaxBatch; what lies in between must not keep much memory alive.
func (s *source) forget() {
	if s.fresh < max(4*s.c.MaxBatch, 64) && s.freshBytes < window {
		return
	}
	kept := copy(s.sent, s.undelivered())
	clear(s.sent[kept:])
	s.sent = s.sent[:kept]
	s.fresh, s.freshBytes = 0, 0
}

// undelivered is those of sent that were not handed out. It moves them to the
// end of sent. What the engine names of a shard is in the order of sent and
// goes up to the last one, but some that were handed out may be missing.
func (s *source) undelivered() []entry {
	named := make(map[*track][]inFlight)
	kept := len(s.sent)
	for i := len(s.sent) - 1; i >= 0; i-- {
		e := &s.sent[i]
		all, asked := named[e.track]
		if !asked {
			all = s.inFlight(e.StreamShard)
		}
		if n := len(all); n > 0 && all[n-1].seq == e.position() {
			if !all[n-1].handedOut {
				kept--
				s.sent[kept] = *e
			}
			all = all[:n-1]
		}
		named[e.track] = all
	}
	return s.sent[kept:]
}

// inFlight is a message that the engine has of a shard.
type inFlight struct {
	seq       streamer.SeqNo
	handedOut bool
}

func (s *source) inFlight(at streamer.StreamShard) (all []inFlight) {
	for seq, handedOut := range s.c.InFlight(at) {
		all = append(all, inFlight{seq, handedOut})
	}
	return all
}

// handOutBefore emits lines that a source before this one left. It is false
// when there were none.
func (s *source) handOutBefore(emit func([]streamer.Message)) bool {
	n, room := 0, s.room()
	var slab []streamer.Message
	for ; n < len(s.before) && len(slab) < room; n++ {
		if e := &s.before[n]; s.reads(e) {
			slab = append(slab, streamer.Message{})
			e.fill(&slab[len(slab)-1])
			s.emitted(e)
		}
	}
	s.before = s.before[n:]
	if len(slab) == 0 {
		return false
	}
	s.report()
	emit(slab)
	return true
}

// rest is what s leaves when it closes.
func (s *source) rest() []entry {
	rest := slices.Concat(s.undelivered(), s.before)
	s.unread = unread{}
	return rest
}

// inherit keeps what a source that closes leaves, but for what others who are
// open read themselves. in.mu is held.
func (in *input) inherit(rest []entry) {
	for i := range rest {
		e := &rest[i]
		reads := func(s *source) bool { return e.everyone || s.subscribes(e.Stream) }
		if !slices.ContainsFunc(in.sources, reads) {
			in.left = append(in.left, *e)
		}
	}
}
