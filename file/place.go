package file

import (
	"context"
	"path/filepath"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/disk"
)

// place is where programs of this process say that a log is. The log that it
// leads to may be another later on: when a symbolic link in it is switched, or
// the file behind it replaced. Consumers and producers follow their place, and
// a log may be at several.
type place struct {
	path  string       // absolute; symbolic links are as they were named
	deals driver.Deals // of the groups that read what is here

	refs int // the table's
}

// place makes a path known. It needs a leave.
func (t *logTable) place(path string) (*place, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, disk.Translate(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.places[path]
	if p == nil {
		p = &place{path: path}
		if t.places == nil {
			t.places = map[string]*place{}
		}
		t.places[path] = p
	}
	p.refs++
	return p, nil
}

// stay is place for one who has it already.
func (t *logTable) stay(p *place) *place {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.refs++
	return p
}

func (t *logTable) leave(p *place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.refs--; p.refs == 0 {
		delete(t.places, p.path)
	}
}

// relocate goes on in the log that the source's place leads to now, which it
// takes over: where the group has come to there, else at its beginning. On
// failure the source is as it was.
func (s *source) relocate(ctx context.Context, l *openLog) error {
	c := s.cfg
	c.Start, c.Reset, c.Fallback = s.afresh(), streamer.Earliest, streamer.Position{}
	n := newSource(c, s.conf, logs.stay(s.place), l)
	if err := n.openAt(ctx); err != nil {
		n.giveUp()
		return err
	}
	s.exchange(n)
	s.announce() // before a round reports anything
	if s.sharing != nil {
		s.startSharing()
	}
	logs.leave(n.place)
	return nil
}

// afresh is where a log is read that takes the place of another.
func (s *source) afresh() streamer.Position {
	first := streamer.Beginning()
	if s.group != nil {
		first = streamer.Committed()
	}
	if s.cfg.Start.Kind() != streamer.PerShard {
		return first
	}
	each := map[streamer.StreamShard]streamer.Position{}
	for _, sh := range s.shards() {
		if sh.read {
			each[sh.StreamShard] = first
		}
	}
	return streamer.Each(each)
}

// exchange makes what n has opened the source's own, and releases what it had.
// Where processes share the group, the right to tell the engine of shards is
// held.
func (s *source) exchange(n *source) {
	if s.sharing != nil {
		s.sharing.stop()
	}
	s.committing.Lock()
	defer s.committing.Unlock()
	old := &source{log: s.log, sharing: s.sharing, input: s.input, follower: follower{wake: s.wake}}
	s.log.owners.leave(s)
	s.mu.Lock()
	old.claim.takeFrom(&s.claim)
	s.claim.takeFrom(&n.claim)
	s.log, s.sharing, s.input, s.position = n.log, n.sharing, n.input, n.position
	s.unknown, s.streams, s.seen, s.coming, s.fresh, s.is = n.unknown, n.streams, n.seen, nil, nil, n.is
	s.turned++
	s.wake, s.watched, s.pause = n.wake, n.watched, 0
	if s.group != nil {
		s.log.owners.enter(s)
	}
	s.mu.Unlock()
	old.unmoor()
}
