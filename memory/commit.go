package memory

import (
	"context"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// cursorSource commits one position per shard.
type cursorSource struct{ *source }

// CommitCursors implements driver.CursorCommitter.
func (s cursorSource) CommitCursors(ctx context.Context, upTo []driver.Mark) error {
	v, err := strikeCommit(ctx, s.log, upTo, func(m driver.Mark) streamer.StreamShard { return m.StreamShard })
	if err != nil {
		return err
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.group.restore()
	for _, m := range upTo {
		if !v.spares(m.StreamShard) {
			continue
		}
		if err := s.commit(m); err != nil {
			return err
		}
	}
	return v.err()
}

// strikeCommit applies the faults to a commit in the shards of list.
func strikeCommit[T any](ctx context.Context, l *Log, list []T, at func(T) streamer.StreamShard) (verdict, error) {
	return l.faults.strike(ctx, Commit, func(f *Fault) bool {
		return slices.ContainsFunc(list, func(v T) bool { return f.covers(at(v)) })
	})
}

// commit moves the group's position. mu is held.
func (s cursorSource) commit(m driver.Mark) error {
	sub, err := s.ownerOf(m.StreamShard)
	if err != nil {
		return err
	}
	sh, next := sub.stream.shards[m.Shard], sub.cursors[m.Shard].from
	if !m.Seq.IsZero() {
		// Not Seq+1 first: the highest number would wrap.
		next = sh.next
		if seq := m.Seq.Uint(); seq < sh.next {
			next = seq + 1
		}
	}
	pl := sub.place(m.Shard)
	pl.next, pl.set = max(next, sh.first), true
	return nil
}

// ackSource acknowledges single messages.
type ackSource struct{ *source }

// AckMessages implements driver.MessageAcker.
func (s ackSource) AckMessages(ctx context.Context, done []driver.Acked) error {
	return s.each(ctx, done, func(w *window, seq uint64) { w.finish(seq) })
}

// sharedSource is a member of a group whose members share every shard.
type sharedSource struct{ ackSource }

// Release implements driver.Releaser. Messages that no other member takes may
// return to this source.
func (s sharedSource) Release(ctx context.Context, undelivered []driver.Acked) error {
	return s.each(ctx, undelivered, func(w *window, seq uint64) { w.release(seq) })
}

// each calls f for those of the messages that the source still has. Another may
// have the rest by now.
func (s ackSource) each(ctx context.Context, messages []driver.Acked, f func(w *window, seq uint64)) error {
	v, err := strikeCommit(ctx, s.log, messages, func(a driver.Acked) streamer.StreamShard { return a.StreamShard })
	if err != nil {
		return err
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.group.restore()
	for _, a := range messages {
		if !v.spares(a.StreamShard) {
			continue
		}
		sub, err := s.ownerOf(a.StreamShard)
		if err != nil {
			return err
		}
		w := sub.window(a.Shard)
		for _, seq := range a.Seqs {
			if w.has(seq.Uint(), s.id) {
				f(w, seq.Uint())
			}
		}
		sub.stream.shards[a.Shard].offer()
	}
	return v.err()
}

// ownerOf is the subscription of a shard in which the source may commit:
// ErrFenced when another may by now. While the engine does not know yet, but
// will learn of it, that is Transient: without the shard the rest of the commit
// can succeed. mu is held.
func (s *source) ownerOf(at streamer.StreamShard) (*subscription, error) {
	if s.left {
		return nil, streamer.ErrClosed
	}
	sub := s.subs[at.Stream]
	switch {
	case sub == nil || sub.cursor(at.Shard) == nil:
		return nil, fenced(at, s.cfg.Group)
	case sub.stream.deleted && !s.always:
		return nil, notFound(at.Stream)
	case !sub.owns(at.Shard):
		return nil, driver.Transient(fenced(at, s.cfg.Group), 0)
	}
	return sub, nil
}

// restore gives a group that vanished from its streams back the progress that
// its members know of. mu is held.
func (g *group) restore() {
	for _, m := range g.members {
		if !m.orphaned {
			continue
		}
		for _, sub := range m.subs {
			if !sub.stream.deleted && sub.stream.groups[g.name] == nil {
				sub.stream.groups[g.name] = sub.progress
			}
		}
	}
}

// mend restores the source's group and returns how to report it. mu is held.
func (s *source) mend() (report func()) {
	s.group.restore()
	s.orphaned = false
	cfg := &s.cfg
	return func() {
		cfg.Retrying("group", vanished(cfg.Group), 0)
		cfg.Retrying("group", nil, 0)
	}
}
