package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/twmb/franz-go/pkg/kerr"
)

// owner commits for a Resumable source, as long as nothing else does.
type owner struct {
	id    string
	slot  chan struct{}                      // capacity 1: holding the token is the right to commit; it guards the rest
	saved map[streamer.StreamShard]position  // what is committed
	when  map[streamer.StreamShard]time.Time // since when
	last  time.Time                          // the latest commit
}

func newOwner() *owner {
	return &owner{
		id:    uuid.NewString(),
		slot:  make(chan struct{}, 1),
		saved: make(map[streamer.StreamShard]position),
		when:  make(map[streamer.StreamShard]time.Time),
	}
}

func (o *owner) enter(ctx context.Context) error {
	select {
	case o.slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (o *owner) leave() { <-o.slot }

// resumable is a source whose positions are committed.
type resumable struct{ *source }

var _ driver.CursorCommitter = resumable{}

// openResumable takes the group's positions over: from now on they have this
// source's note.
func (b *backend) openResumable(ctx context.Context, cfg driver.SourceConfig) (driver.Source, error) {
	if err := checkGroup(cfg.Group); err != nil {
		return nil, err
	}
	p, err := b.plan(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	s := b.newSource(cfg, p)
	s.owner = newOwner()
	s.secure = func(ctx context.Context, starts map[streamer.StreamShard]position) error {
		return s.owner.adopt(ctx, s, starts)
	}
	if err := reach(ctx, func() error { return s.owner.store(ctx, s, s.known(), p.starts) }); err != nil {
		if isMemberError(err) {
			err = &streamer.Error{Kind: streamer.ErrBusy, Err: fmt.Errorf("group %q has members that share the stream: %w", cfg.Group, err)}
		}
		return nil, b.explain(ctx, err)
	}
	if err := s.openAt(p); err != nil {
		return nil, err
	}
	s.watch(duty{claimEvery, s.renew})
	return resumable{s}, nil
}

// checkGroup refuses a name that a record of the brokers' own topic cannot
// have.
func checkGroup(group string) error {
	if group == "" {
		return fmt.Errorf("%w group: it has no name", streamer.ErrInvalid)
	}
	return nil
}

// isMemberError says that a commit was refused because the group has members,
// or others than the one that commits.
func isMemberError(err error) bool {
	return errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.IllegalGeneration) || errors.Is(err, kerr.RebalanceInProgress) ||
		errors.Is(err, kerr.StaleMemberEpoch)
}

// store commits positions with the owner's note.
func (o *owner) store(ctx context.Context, s *source, topics map[string]topic, at map[streamer.StreamShard]position) error {
	now := time.Now()
	note := claim{o.id, now.Add(claimTime)}.String()
	places := make(map[streamer.StreamShard]place, len(at))
	for sh, p := range at {
		places[sh] = place{p, note}
	}
	err := retryWhileLoading(ctx, func() error { return s.b.commit(ctx, alone(s.cfg.Group), topics, places) })
	if err != nil {
		return err
	}
	o.last = now
	for sh, p := range at {
		o.saved[sh], o.when[sh] = p, now
	}
	s.committed(at)
	return nil
}

// known are the topics as they are read.
func (s *source) known() map[string]topic {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.topics)
}

// check looks for another owner's note: ErrFenced. It returns the shards whose
// position the brokers have forgotten.
func (o *owner) check(ctx context.Context, s *source) (forgotten []streamer.StreamShard, err error) {
	places, err := s.b.committed(ctx, s.cfg.Group, s.cfg.Streams)
	if err != nil {
		return nil, err
	}
	for sh := range o.saved {
		p, ok := places[sh]
		if !ok {
			forgotten = append(forgotten, sh)
			continue
		}
		if c, ours := parseClaim(p.note); !ours || c.owner != o.id {
			return nil, &streamer.Error{Stream: sh.Stream, Shard: &sh.Shard, Kind: streamer.ErrFenced,
				Err: fmt.Errorf("another one has taken over group %q, or moved it", s.cfg.Group)}
		}
	}
	return forgotten, nil
}

// advance commits positions in topics as they were when these positions were
// reached, unless another owner has. Those that the brokers have forgotten are
// committed again.
func (o *owner) advance(ctx context.Context, s *source, topics map[string]topic, at map[streamer.StreamShard]position) error {
	forgotten, err := o.check(ctx, s)
	if err != nil {
		return err
	}
	for _, sh := range forgotten {
		if _, ok := at[sh]; !ok {
			at[sh] = o.saved[sh]
		}
	}
	if err := o.store(ctx, s, topics, at); err != nil {
		return err
	}
	if len(forgotten) > 0 && s.cfg.Logger != nil {
		s.cfg.Logger.Warn("the brokers had forgotten a group's positions; they are committed again", "backend", scheme, "group", s.cfg.Group, "shards", len(forgotten))
	}
	return nil
}

// CommitCursors implements driver.CursorCommitter.
func (r resumable) CommitCursors(ctx context.Context, upTo []driver.Mark) error {
	o, topics := r.owner, r.known()
	upTo = r.void(upTo)
	if err := o.enter(ctx); err != nil {
		return err
	}
	defer o.leave()
	at, _ := r.places(upTo)
	return r.refused(ctx, o.advance(ctx, r.source, topics, at))
}

// refused types the error of a commit.
func (s *source) refused(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case isMemberError(err):
		return &streamer.Error{Kind: streamer.ErrFenced, Err: fmt.Errorf("group %q has got members: %w", s.cfg.Group, err)}
	case isVanished(err) && s.life.Err() != nil:
		return context.Cause(s.life)
	case isVanished(err): // the watcher finds out what has become of the topic
		s.lookNow()
		return driver.Transient(unkind(err), errorPause)
	case isCold(err) || isNetwork(err):
		return driver.Transient(typed(err), errorPause)
	}
	return typed(err)
}

// adopt commits the beginning of shards that have appeared.
func (o *owner) adopt(ctx context.Context, s *source, starts map[streamer.StreamShard]position) error {
	if err := o.enter(ctx); err != nil {
		return err
	}
	defer o.leave()
	for sh := range starts {
		delete(o.saved, sh) // a topic's that was recreated
	}
	return o.advance(ctx, s, s.known(), starts)
}

// renew writes the owner's note again while nothing is committed, and every
// position that is old.
func (s *source) renew(ctx context.Context) error {
	o := s.owner
	if err := o.enter(ctx); err != nil {
		return nil
	}
	defer o.leave()
	now := time.Now()
	if now.Sub(o.last) < claimEvery/2 || len(o.saved) == 0 {
		return nil
	}
	err := o.advance(ctx, s, s.known(), o.stale(now))
	if errors.Is(err, streamer.ErrFenced) || isMemberError(err) {
		return s.refused(ctx, err)
	}
	return nil // a commit will say it, or the next renewal succeed
}

// stale are the positions that have not been committed for long, and one of
// every stream.
func (o *owner) stale(now time.Time) map[streamer.StreamShard]position {
	at := make(map[streamer.StreamShard]position)
	oldest := make(map[string]streamer.StreamShard)
	for sh, when := range o.when {
		if now.Sub(when) > refreshAfter {
			at[sh] = o.saved[sh]
		}
		if first, ok := oldest[sh.Stream]; !ok || when.Before(o.when[first]) {
			oldest[sh.Stream] = sh
		}
	}
	for _, sh := range oldest {
		at[sh] = o.saved[sh]
	}
	return at
}

// Lag implements driver.Lagger, relative to the committed positions.
func (r resumable) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	if err := r.owner.enter(ctx); err != nil {
		return nil, err
	}
	at := r.positions()
	maps.Copy(at, r.owner.saved)
	r.owner.leave()
	return r.lagBehind(ctx, at)
}

// Close implements driver.Source. It removes the owner's metadata, so that the
// group is free at once.
func (r resumable) Close(ctx context.Context) error {
	r.end(streamer.ErrClosed)
	r.watching.Wait()
	r.release(ctx)
	return r.closeClient(ctx)
}

// release commits the same positions without a note. It does not matter when it
// fails: a note grows old.
func (r resumable) release(ctx context.Context) {
	o := r.owner
	if o.enter(ctx) != nil {
		return
	}
	defer o.leave()
	if _, err := o.check(ctx, r.source); err != nil {
		return
	}
	places := make(map[streamer.StreamShard]place, len(o.saved))
	for sh, p := range o.saved {
		places[sh] = place{position: p}
	}
	_ = r.b.commit(ctx, alone(r.cfg.Group), r.known(), places)
}
