package memory

import (
	"errors"
	"fmt"

	"github.com/gostreamer/streamer"
)

var errUndecodable = errors.New("the entry cannot be decoded")

// AddShard adds a shard to a stream and returns when every reader knows of it.
// ErrNotFound. Records with keys may go to other shards from then on.
func (l *Log) AddShard(stream string) (id streamer.ShardID, err error) {
	err = l.change(func() error {
		st := l.streams[stream]
		if st == nil {
			return notFound(stream)
		}
		if len(st.shards) == MaxShards {
			return &streamer.Error{Stream: stream, Kind: streamer.ErrInvalid, Err: fmt.Errorf("a stream has %d shards at most", MaxShards)}
		}
		for _, g := range l.groups {
			g.restore() // a progress that was forgotten would not grow
		}
		id = streamer.ShardID(len(st.shards))
		st.grow(1)
		l.regroup(st)
		return nil
	})
	return id, err
}

// regroup tells the readers of a stream that its shards are others. mu is held.
func (l *Log) regroup(st *stream) {
	for _, g := range l.groups {
		if g.membersOn(st.name) > 0 {
			g.rebalance()
		}
	}
	for s := range l.sources {
		if s.group == nil && s.subs[st.name] != nil {
			s.kick()
		}
	}
}

// Trim drops the messages of a shard before seq, or all of them when seq is
// beyond the end. ErrNotFound.
func (l *Log) Trim(at streamer.StreamShard, seq streamer.SeqNo) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	sh, err := l.shardOf(at)
	if err != nil {
		return err
	}
	sh.trim(sh.search(func(n uint64) bool { return streamer.SeqUint(n).Compare(seq) >= 0 }))
	return nil
}

// AppendUndecodable appends an entry to a shard that consumers cannot decode
// and skip. ErrNotFound.
func (l *Log) AppendUndecodable(at streamer.StreamShard) (streamer.SeqNo, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sh, err := l.shardOf(at)
	if err != nil {
		return streamer.SeqNo{}, err
	}
	return streamer.SeqUint(sh.appendOdd(errUndecodable)), nil
}

// Revoke takes a shard from the member of group that reads it and returns when
// the member has given it up. The member may finish its messages and commit
// (see driver.SourceConfig.Revoked). The shard is not read until giveBack is
// called, which returns when its reader knows. ErrNotFound when the group has
// no position in the stream; ErrUnsupported when its members share the shards.
// Neither may be called from a hook.
func (l *Log) Revoke(group string, at streamer.StreamShard) (giveBack func(), err error) {
	return l.withhold(group, at, false)
}

// Lose is Revoke without notice: the member learns of it when the shard is
// already gone, and its uncommitted messages are redelivered.
func (l *Log) Lose(group string, at streamer.StreamShard) (giveBack func(), err error) {
	return l.withhold(group, at, true)
}

func (l *Log) withhold(group string, at streamer.StreamShard, lost bool) (giveBack func(), err error) {
	var p *progress
	err = l.change(func() error {
		var err error
		if p, err = l.ownedProgress(group, at); err != nil {
			return err
		}
		pl := &p.places[at.Shard]
		pl.withheld = true
		if lost {
			pl.disown(at)
		}
		l.kickGroup(group)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func() {
		l.mu.Lock()
		p.places[at.Shard].withheld = false
		l.kickGroup(group)
		l.mu.Unlock()
		l.awaitSettled()
	}, nil
}

// ownedProgress finds a group's progress in the stream of a shard that one
// member owns. mu is held.
func (l *Log) ownedProgress(group string, at streamer.StreamShard) (*progress, error) {
	if _, err := l.shardOf(at); err != nil {
		return nil, err
	}
	p := l.streams[at.Stream].groups[group]
	if p == nil {
		return nil, noGroup(at.Stream, group)
	}
	if g := l.groups[group]; g != nil && g.mode == streamer.LoadBalanced && g.acks == ByMessage {
		return nil, fmt.Errorf("the members of group %q share the shard: %w", group, streamer.ErrUnsupported)
	}
	return p, nil
}

func noGroup(stream, group string) error {
	return &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: fmt.Errorf("group %q has no position here", group)}
}

// disown takes the shard from its owner, who does not know yet.
func (pl *place) disown(at streamer.StreamShard) {
	s := pl.owner
	if s == nil {
		return
	}
	pl.owner = nil
	if c := s.cursor(at); c != nil {
		c.active = false
	}
	if pl.window != nil {
		pl.window.releaseAll(s.id)
	}
}

func (l *Log) kickGroup(group string) {
	if g := l.groups[group]; g != nil {
		for _, m := range g.members {
			m.kick()
		}
	}
}

// Expel treats a member of group, or every member if name is empty, like a
// server that gets no more heartbeats from it. Its shards and messages go to
// the others at once. The member does not learn of it, gets no more messages,
// and its next commit is ErrFenced: it is like the death of a process without a
// second process. Expel returns when the others know. ErrNotFound when there is
// no such member.
func (l *Log) Expel(group, name string) error {
	return l.change(func() error {
		found := false
		for s := range l.sources {
			if s.group != nil && s.group.name == group && !s.expelled && (name == "" || s.cfg.Name == name) {
				found = true
				s.expelled = true
				l.leave(s)
			}
		}
		if !found {
			return fmt.Errorf("member %q of group %q: %w", name, group, streamer.ErrNotFound)
		}
		return nil
	})
}

// Forget deletes a group's positions in a stream, also while it has members, as
// an administrator of a server could. ErrNotFound. Members restore the
// positions when they notice.
func (l *Log) Forget(stream, group string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.streams[stream]
	if st == nil {
		return notFound(stream)
	}
	if st.groups[group] == nil {
		return noGroup(stream, group)
	}
	delete(st.groups, group)
	if g := l.groups[group]; g != nil {
		for _, m := range g.members {
			if m.subs[stream] != nil {
				m.orphaned = true
				m.signal()
			}
		}
	}
	return nil
}

func vanished(group string) error {
	return fmt.Errorf("group %q vanished and was made again where it had come to: %w", group, streamer.ErrNotFound)
}
