package file

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
)

// keepEvery is how often a process looks at which processes share its group. It
// takes over a dead one's shards within that time.
const keepEvery = 200 * time.Millisecond

// sharing is a source's part in a group that several processes share. Its
// goroutine runs rounds: each compares what the process owns with its share,
// locks shards that are free, gives up those beyond its share, and recreates
// the group if that was removed. What follows from it for reading is the
// keeper's next plan, which Fetch applies between two reads.
type sharing struct {
	keeper *group.Keeper

	poke chan struct{} // capacity 1: run a round at once
	turn chan struct{} // capacity 1: holding the token is the right to report gained and lost shards to the engine

	// giving is of capacity 1: holding the token is the right to revoke shards
	// that are to be given up, which waits until their messages are done. The
	// holder may take turn, but the holder of turn must not wait for giving.
	giving chan struct{}

	cancel context.CancelFunc
	run    sync.WaitGroup

	// Of the goroutine that runs rounds or, before there is one, of the
	// opening:
	opening bool                            // the source is being opened
	known   map[streamer.StreamShard]uint64 // while it is: the last numbers of the shards that existed
	bare    int                             // how many rounds in a row the group had no position at all
	looked  time.Duration                   // how long the last look at the group took
	reports []func()                        // to call when no lock is held
}

func newSharing() *sharing {
	return &sharing{
		keeper: group.NewKeeper(), poke: make(chan struct{}, 1), turn: make(chan struct{}, 1), giving: make(chan struct{}, 1), cancel: func() {},
	}
}

// stop ends the goroutine and waits for it.
func (k *sharing) stop() {
	k.cancel()
	k.run.Wait()
}

// look makes the next round run at once.
func (k *sharing) look() {
	select {
	case k.poke <- struct{}{}:
	default:
	}
}

func (k *sharing) free() { <-k.turn }

func (k *sharing) freeAll() {
	k.free()
	<-k.giving
}

// hold takes the token of turn.
func (s *source) hold(ctx context.Context) error { return s.acquire(ctx, s.sharing.turn) }

func (s *source) acquire(ctx context.Context, token chan struct{}) error {
	select {
	case token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return streamer.ErrClosed
	}
}

// holdAll takes both tokens: nothing is reported to the engine then.
func (s *source) holdAll(ctx context.Context) error {
	if err := s.acquire(ctx, s.sharing.giving); err != nil {
		return err
	}
	if err := s.hold(ctx); err != nil {
		<-s.sharing.giving
		return err
	}
	return nil
}

// startSharing starts the goroutine that runs rounds.
func (s *source) startSharing() {
	ctx, cancel := context.WithCancel(context.Background())
	s.sharing.cancel = cancel
	s.sharing.run.Go(func() { s.share(ctx) })
}

func (s *source) share(ctx context.Context) {
	k := s.sharing
	timer := time.NewTimer(keepEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.poke:
		case <-timer.C:
		}
		if err := s.round(ctx); err != nil && ctx.Err() == nil {
			s.reportFailure(err)
		}
		timer.Reset(max(keepEvery, 10*k.looked)) // the directory of a group may be large
	}
}

// reportFailure has Fetch return a failure that will not pass, and reports that
// another is retried.
func (s *source) reportFailure(err error) {
	if !errors.Is(err, streamer.ErrInvalid) && !errors.Is(err, streamer.ErrPositionGone) {
		s.cfg.Retrying("group", err, keepEvery)
		return
	}
	s.sharing.keeper.Fail(err)
	s.nudge()
}

// joinGroup makes the process a member of the group, and fixes the position of
// every shard that has none: when it returns each is durable. It takes the
// process's share as far as that is free.
func (s *source) joinGroup(ctx context.Context, known map[streamer.StreamShard]uint64) error {
	seat, err := s.group.Enroll(s.cfg.Streams)
	if err != nil {
		return err
	}
	k := s.sharing
	s.seat, k.opening, k.known = seat, true, known
	for {
		b, _, err := s.attempt(ctx)
		if err != nil {
			return err
		}
		s.publish(b)
		if !s.awaited(b) {
			break
		}
		select { // another process is about to fix it, or dies
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	k.opening, k.known = false, nil
	p, _ := k.keeper.Next()
	s.install(p)
	return nil
}

// awaited reports whether some shard is still without a position.
func (s *source) awaited(b *group.Balance) bool {
	if s.wild() && !s.wildly() {
		return true
	}
	for _, at := range b.Bare {
		if !s.group.HasCursor(at) {
			return true
		}
	}
	return false
}

// round brings what the process owns closer to its share.
func (s *source) round(ctx context.Context) error {
	if err := s.hold(ctx); err != nil {
		return err
	}
	defer s.sharing.free()
	b, gained, err := s.attempt(ctx)
	if lost := s.sharing.keeper.TakeLost(); len(lost) > 0 {
		s.cfg.Revoked(lost, true)
	}
	if len(gained) > 0 {
		s.cfg.Assigned(gained)
	}
	if b != nil && len(b.Excess) > 0 {
		s.handOver(ctx, b.Excess)
	}
	if s.publish(b) {
		s.nudge()
	}
	return err
}

// publish hands what has changed to Fetch, when the engine knows of it: before
// that, it would take messages of a new shard for another process's. It reports
// whether there is anything new.
func (s *source) publish(b *group.Balance) (news bool) {
	s.committing.Lock()
	defer s.committing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	staged, news := s.sharing.keeper.Publish(b)
	if staged && s.fetching.TryLock() { // else Fetch does it: it may not be called for long
		p, _ := s.sharing.keeper.Next()
		s.install(p)
		s.fetching.Unlock()
	}
	return news
}

// attempt takes the missing shards of the share that are free.
func (s *source) attempt(ctx context.Context) (b *group.Balance, gained []streamer.StreamShard, err error) {
	b, gained, err = s.tryTaking(ctx)
	for _, report := range s.sharing.reports {
		report()
	}
	s.sharing.reports = nil
	return b, gained, err
}

func (s *source) tryTaking(ctx context.Context) (b *group.Balance, gained []streamer.StreamShard, err error) {
	s.committing.Lock()
	defer s.committing.Unlock()
	from := time.Now()
	b, err = s.balance()
	s.sharing.looked = time.Since(from)
	if b == nil || err != nil {
		return nil, nil, err
	}
	if len(b.Excess) == 0 {
		gained, err = s.take(ctx, b)
	}
	return b, gained, err
}

// handOver gives shards up, unless others are being given up. That takes as
// long as the program needs for the messages that it has of them, and rounds go
// on meanwhile. The token of turn is held.
func (s *source) handOver(ctx context.Context, gone []streamer.StreamShard) {
	k := s.sharing
	select {
	case k.giving <- struct{}{}:
	default:
		return
	}
	k.keeper.Leave(gone)
	k.run.Go(func() {
		defer func() { <-k.giving }()
		s.release(ctx, gone)
	})
}

// release gives shards up: messages in flight are waited for and committed
// before another process can lock the shards. The token of giving is held.
func (s *source) release(ctx context.Context, gone []streamer.StreamShard) {
	s.cfg.Revoked(gone, false)
	if s.hold(ctx) != nil {
		return // the source is being closed, which gives up all
	}
	defer s.sharing.free()
	s.committing.Lock()
	for _, at := range gone {
		s.disown(at)
		s.group.Free(at)
	}
	s.committing.Unlock()
	if s.publish(nil) {
		s.nudge()
	}
	s.sharing.look()
}
