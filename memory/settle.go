package memory

import (
	"github.com/gostreamer/streamer"
)

// kick has s compare what it reads with what it should read. mu is held.
//
// The settling goroutine belongs to the source: it ends when nothing is left to
// change, and Close waits for it. It is the only one that tells the engine of
// gained and lost shards, so it tells one thing after the other.
func (s *source) kick() {
	if s.settling == nil && !s.closed {
		s.settling = make(chan struct{})
		go s.settle()
	}
}

// settle tells the engine which shards come and go until that is what it should
// read.
func (s *source) settle() {
	for s.settleOnce() {
	}
}

// settleOnce makes one change known and says whether there may be another.
func (s *source) settleOnce() bool {
	s.log.mu.Lock()
	c := s.compare()
	if c.empty() {
		s.rest()
		s.log.mu.Unlock()
		return false
	}
	quiet := s.silence()
	s.log.mu.Unlock()

	if quiet != nil {
		<-quiet
	}
	s.revoke(c.lost, true)
	s.revoke(c.gone, false)
	if c.gained {
		s.announce()
	}
	return true
}

// rest ends the settling. mu is held.
func (s *source) rest() {
	close(s.settling)
	s.settling = nil
}

// change is what the engine does not know yet.
type change struct {
	gone, lost []streamer.StreamShard
	gained     bool
}

func (c *change) empty() bool { return len(c.gone)+len(c.lost) == 0 && !c.gained }

// compare claims the shards that s should read and stops reading those that it
// should not. mu is held.
func (s *source) compare() change {
	var c change
	if s.closed || s.expelled {
		return c
	}
	for _, name := range s.cfg.Streams {
		sub := s.subs[name]
		sub.follow()
		sub.reserve()
		for i := range sub.stream.shards {
			sub.compare(streamer.ShardID(i), &c)
		}
	}
	return c
}

func (sub *subscription) compare(id streamer.ShardID, c *change) {
	cur := sub.cursors[id]
	if cur == nil && !sub.readable(id) {
		return
	}
	wanted := sub.claim(id)
	switch {
	case cur == nil && wanted:
		sh := sub.stream.shards[id]
		sub.cursors[id] = &cursor{sub: sub, shard: sh, next: sh.first}
		c.gained = true
	case cur != nil && wanted && !cur.active:
		c.gained = true
	case cur != nil && !wanted && sub.owns(id):
		cur.active = false
		c.gone = append(c.gone, cur.shard.at())
	case cur != nil && !wanted && (sub.src.always || !sub.stream.deleted):
		cur.active = false
		c.lost = append(c.lost, cur.shard.at())
	}
}

// readable says whether the source may read the shard; those that FirstOf left
// out are in skip.
func (sub *subscription) readable(id streamer.ShardID) bool {
	_, ok := sub.src.cfg.StartOf(sub.stream.shards[id].at())
	return ok
}

// silence returns what to wait for until Fetch has emitted what it took before;
// nil: nothing. mu is held.
func (s *source) silence() <-chan struct{} {
	if !s.emitting {
		return nil
	}
	if s.quiet == nil {
		s.quiet = make(chan struct{})
	}
	return s.quiet
}

// revoke takes shards from the engine, then gives them up.
func (s *source) revoke(shards []streamer.StreamShard, lost bool) {
	if len(shards) == 0 {
		return
	}
	s.cfg.Revoked(shards, lost)
	back := s.neverHandedOut(shards)
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.reopen(back)
	for _, at := range shards {
		if s.cursor(at) != nil {
			s.subs[at.Stream].drop(at.Shard)
		}
	}
	if s.group != nil {
		for _, m := range s.group.members {
			m.kick()
		}
	}
}

// announce tells the engine of all shards, then reads those that are new.
func (s *source) announce() {
	s.log.mu.Lock()
	all := s.reading()
	s.log.mu.Unlock()
	s.cfg.Assigned(all)
	s.log.mu.Lock()
	reports := s.activate(all)
	s.log.mu.Unlock()
	for _, report := range reports {
		report()
	}
}

// reading lists the shards that s reads or has claimed. mu is held.
func (s *source) reading() []streamer.StreamShard {
	var all []streamer.StreamShard
	for _, name := range s.cfg.Streams {
		for _, c := range s.subs[name].cursors {
			if c != nil {
				all = append(all, c.shard.at())
			}
		}
	}
	return all
}

// activate begins to read those of shards that are still the source's. mu is
// held.
func (s *source) activate(shards []streamer.StreamShard) (reports []func()) {
	for _, at := range shards {
		c := s.cursor(at)
		if c == nil || c.active || !c.sub.claim(at.Shard) {
			continue
		}
		if report := c.start(); report != nil {
			reports = append(reports, report)
		}
	}
	return reports
}

// start begins to read where the group is; in RealTime c.next is set already.
// It returns how to report a position that was trimmed away.
func (c *cursor) start() (report func()) {
	id := c.shard.id
	if pl := c.sub.place(id); pl != nil {
		if !pl.set {
			// The shard is new to a group that has begun.
			c.sub.progress.commit(id, c.shard.first)
		}
		c.next = pl.committed()
	}
	if c.sub.src.cfg.Reset != streamer.ResetError {
		report = c.catchUp()
	}
	c.from = c.next
	c.active = true
	c.listen()
	c.offer()
	return report
}
