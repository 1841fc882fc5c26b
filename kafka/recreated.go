package kafka

import (
	"context"
	"maps"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/twmb/franz-go/pkg/kadm"
)

// With create=always a topic may be deleted and recreated under its readers.
// Its earlier messages and positions, and the commits that are under way, are
// void from then on. The other topics continue.

// vanished says whether the topic was deleted and has not come back yet.
func (t *topic) vanished() bool { return t.id == kadm.TopicID{} && t.shards == 0 }

// awaitsTopic says whether a deleted topic is to come back.
func (s *source) awaitsTopic() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.topics {
		if t.vanished() {
			return true
		}
	}
	return false
}

// forsake gives up a deleted topic.
func (s *source) forsake(ctx context.Context, name string) {
	old := s.disown(name)
	s.cl.PurgeTopicsFromConsuming(name)
	for _, at := range old {
		s.Pause(at, false) // the client would keep it for the topic that comes
	}
	if s.owner != nil && s.owner.disown(ctx, old) != nil {
		return // the source closes
	}
	s.cfg.Vanished(old)
}

// disown forgets the topic's shards. A member of a group still has them, as far
// as its client knows.
func (s *source) disown(name string) []streamer.StreamShard {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics[name] = topic{name: name}
	maps.DeleteFunc(s.starts, func(at streamer.StreamShard, _ position) bool { return at.Stream == name })
	var old []streamer.StreamShard
	for at := range s.shards {
		if at.Stream != name {
			continue
		}
		old = append(old, at)
		delete(s.shards, at)
		if s.grouped {
			s.retired[at] = true
		}
	}
	return old
}

// disown forgets what is committed of shards that do not exist any more.
func (o *owner) disown(ctx context.Context, shards []streamer.StreamShard) error {
	if err := o.enter(ctx); err != nil {
		return err
	}
	defer o.leave()
	for _, at := range shards {
		delete(o.saved, at)
		delete(o.when, at)
	}
	return nil
}

// readRecreated reads a topic that was recreated, from its beginning.
func (s *source) readRecreated(ctx context.Context, now topic) {
	if !s.grouped {
		s.begin(ctx, now, now.each())
		return
	}
	if s.retires(now.name) { // the client would take the shards for those it has
		return
	}
	s.know(now)
	s.cl.AddConsumeTopics(now.name)
}

// retires says whether the client of a member has not given all shards of a
// deleted topic back to the group.
func (s *source) retires(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := range s.retired {
		if at.Stream == name {
			return true
		}
	}
	for at := range s.shards {
		if at.Stream == name {
			return true
		}
	}
	return false
}

// void leaves out the marks of topics that do not exist any more. Their ids
// keep a position out of a topic that has the same name, so there is nothing
// that could be committed.
func (s *source) void(upTo []driver.Mark) []driver.Mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := make([]driver.Mark, 0, len(upTo))
	for _, m := range upTo {
		t, known := s.topics[m.Stream]
		if !known || !t.vanished() {
			left = append(left, m)
		}
	}
	return left
}
