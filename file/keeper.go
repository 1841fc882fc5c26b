package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
)

// keepEvery is how often a process looks at who else shares its group. A dead one's shards are taken over within that time.
const keepEvery = 200 * time.Millisecond

// keeper keeps a source's share of a group that several processes share: it takes shards that are free, gives up what it has beyond its share, and mends the group
// when somebody removed it. Its goroutine is the source's, which joins it on Close. What it takes and gives up the source learns between two reads.
type keeper struct {
	s    *source
	poke chan struct{} // capacity 1: look at once
	turn chan struct{} // capacity 1: holding the token is the right to tell the engine of shards that were gained or lost

	// giving is of capacity 1: holding the token is the right to take shards from
	// the engine that are to be given up, which waits for what is in work. Who
	// holds it may take turn, not the other way round.
	giving chan struct{}

	cancel context.CancelFunc
	run    sync.WaitGroup

	none    bool     // the source has no shard to read; Fetch's
	opening bool     // in open
	tell    []func() // what the program has to be told when no lock is held

	known map[streamer.StreamShard]uint64 // in open: the last numbers of the shards that existed

	// of the holder of source.committing:
	seat       *group.Seat // nil when it was given up
	owned      map[streamer.StreamShard]*shard
	leaving    map[streamer.StreamShard]bool // owned ones that are being given up
	looked     time.Duration                 // how long it took to look at the group
	staged     []*shard                      // that the source is to read from now on, or no more, as soon as the engine knows
	stagedFrom int64
	lost       []streamer.StreamShard // that others have by now
	bare       int                    // how often in a row the group had no position at all

	// of source.mu:
	found   map[streamer.StreamShard]int64 // where shards without a position begin that reading has come by
	changes []*shard                       // staged ones
	from    int64                          // where a source has to read from that had no shard before these changes
	exist   bool                           // the group has shards
	settled bool                           // the process has its share
	failed  error                          // what the consumer has to be told
}

func newKeeper(s *source) *keeper {
	return &keeper{
		s: s, poke: make(chan struct{}, 1), turn: make(chan struct{}, 1), giving: make(chan struct{}, 1), cancel: func() {}, from: never, stagedFrom: never,
		none: true, owned: map[streamer.StreamShard]*shard{}, leaving: map[streamer.StreamShard]bool{}, found: map[streamer.StreamShard]int64{},
	}
}

// start runs the keeper's goroutine.
func (k *keeper) start() {
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	k.run.Go(func() { k.loop(ctx) })
}

// stop joins it.
func (k *keeper) stop() {
	k.cancel()
	k.run.Wait()
}

func (k *keeper) loop(ctx context.Context) {
	timer := time.NewTimer(keepEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.poke:
		case <-timer.C:
		}
		if err := k.round(ctx); err != nil && ctx.Err() == nil {
			k.report(err)
		}
		timer.Reset(max(keepEvery, 10*k.lookTakes())) // the directory of a group may be large
	}
}

// lookTakes is how long the last look at the group took, without what came of it.
func (k *keeper) lookTakes() time.Duration {
	k.s.committing.Lock()
	defer k.s.committing.Unlock()
	return k.looked
}

// report tells the consumer of a failure that will not pass, and of another that it is tried again.
func (k *keeper) report(err error) {
	if !errors.Is(err, streamer.ErrInvalid) && !errors.Is(err, streamer.ErrPositionGone) {
		k.s.cfg.Retrying("group", err, keepEvery)
		return
	}
	k.s.mu.Lock()
	k.failed = err
	k.s.mu.Unlock()
	k.s.nudge()
}

// hold takes the right to tell the engine of shards.
func (k *keeper) hold(ctx context.Context) error { return k.acquire(ctx, k.turn) }

func (k *keeper) free() { <-k.turn }

func (k *keeper) acquire(ctx context.Context, token chan struct{}) error {
	select {
	case token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-k.s.done:
		return streamer.ErrClosed
	}
}

// holdAll takes the right to tell the engine anything of shards.
func (k *keeper) holdAll(ctx context.Context) error {
	if err := k.acquire(ctx, k.giving); err != nil {
		return err
	}
	if err := k.hold(ctx); err != nil {
		<-k.giving
		return err
	}
	return nil
}

func (k *keeper) freeAll() {
	k.free()
	<-k.giving
}

// look makes the next round come at once.
func (k *keeper) look() {
	select {
	case k.poke <- struct{}{}:
	default:
	}
}

// open makes the process a member of the group, and fixes the position of every shard that has none: when it returns each is durable. It takes its share as far as
// that is free.
func (k *keeper) open(ctx context.Context) error {
	seat, err := k.s.group.Enroll(k.s.cfg.Streams)
	if err != nil {
		return err
	}
	k.seat, k.opening = seat, true
	for {
		b, _, err := k.attempt(ctx)
		if err != nil {
			return err
		}
		k.publish(b)
		if !k.awaited(b) {
			break
		}
		select { // another process is about to fix it, or dies
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	k.opening, k.known = false, nil
	k.s.install()
	return nil
}

// awaited says whether some shard is still without a position.
func (k *keeper) awaited(b *balance) bool {
	if k.s.wild() && !k.wildly() {
		return true
	}
	for _, at := range b.bare {
		if !k.s.group.HasCursor(at) {
			return true
		}
	}
	return false
}

// round brings what the process owns closer to its share.
func (k *keeper) round(ctx context.Context) error {
	if err := k.hold(ctx); err != nil {
		return err
	}
	defer k.free()
	b, gained, err := k.attempt(ctx)
	if lost := k.takeLost(); len(lost) > 0 {
		k.s.cfg.Revoked(lost, true)
	}
	if len(gained) > 0 {
		k.s.cfg.Assigned(gained)
	}
	if b != nil && len(b.excess) > 0 {
		k.giveUp(ctx, b.excess)
	}
	if k.publish(b) {
		k.s.nudge()
	}
	return err
}

// publish hands what has changed to Fetch, when the engine knows of it: not before, or messages would come that it takes for another's. It says whether there is
// anything new.
func (k *keeper) publish(b *balance) (news bool) {
	s := k.s
	s.committing.Lock()
	defer s.committing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	news = len(k.staged) > 0
	k.changes = append(k.changes, k.staged...)
	k.from = min(k.from, k.stagedFrom)
	k.staged, k.stagedFrom = nil, never
	if news && s.fetching.TryLock() { // else Fetch does it: it may not be called for long
		s.install()
		s.fetching.Unlock()
	}
	if b != nil {
		settled := len(k.owned) >= max(b.share, 1) && (b.anew || len(b.bare) == 0) // what is new is not shared out yet
		news = news || settled != k.settled
		k.settled, k.exist = settled, len(k.owned)+len(b.wanted) > 0
	}
	return news
}

// attempt takes what is missing from the share, if that is free.
func (k *keeper) attempt(ctx context.Context) (b *balance, gained []streamer.StreamShard, err error) {
	b, gained, err = k.tryTaking(ctx)
	for _, f := range k.tell {
		f()
	}
	k.tell = nil
	return b, gained, err
}

func (k *keeper) tryTaking(ctx context.Context) (b *balance, gained []streamer.StreamShard, err error) {
	k.s.committing.Lock()
	defer k.s.committing.Unlock()
	from := time.Now()
	b, err = k.balance()
	k.looked = time.Since(from)
	if b == nil || err != nil {
		return nil, nil, err
	}
	if len(b.excess) == 0 {
		gained, err = k.take(ctx, b)
	}
	return b, gained, err
}

// takeLost is what others have by now though this process owned it.
func (k *keeper) takeLost() []streamer.StreamShard {
	k.s.committing.Lock()
	defer k.s.committing.Unlock()
	lost := k.lost
	k.lost = nil
	return lost
}

// giveUp gives shards up, unless others are on their way. That takes as long as
// the program needs for what it holds of them, and the process goes on looking
// after the group meanwhile. The token is held.
func (k *keeper) giveUp(ctx context.Context, gone []streamer.StreamShard) {
	select {
	case k.giving <- struct{}{}:
	default:
		return
	}
	k.s.committing.Lock()
	for _, at := range gone {
		k.leaving[at] = true
	}
	k.s.committing.Unlock()
	k.run.Go(func() {
		defer func() { <-k.giving }()
		k.release(ctx, gone)
	})
}

// release gives shards up: what is in work is waited for and committed before
// others can have them. giving is held.
func (k *keeper) release(ctx context.Context, gone []streamer.StreamShard) {
	k.s.cfg.Revoked(gone, false)
	if k.hold(ctx) != nil {
		return // the source is being closed, which gives up all
	}
	defer k.free()
	k.s.committing.Lock()
	for _, at := range gone {
		k.disown(at)
		k.s.group.Free(at)
	}
	k.s.committing.Unlock()
	if k.publish(nil) {
		k.s.nudge()
	}
	k.look()
}

// disown ends commits of a shard. committing is held.
func (k *keeper) disown(at streamer.StreamShard) {
	sh := k.owned[at]
	delete(k.owned, at)
	delete(k.leaving, at)
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	if sh != nil {
		sh.saved = nil
	}
	known := func(c *shard) bool { return c == sh }
	if slices.ContainsFunc(k.staged, known) || slices.ContainsFunc(k.changes, known) { // it was not read yet
		k.staged, k.changes = slices.DeleteFunc(k.staged, known), slices.DeleteFunc(k.changes, known)
		return
	}
	k.staged = append(k.staged, newShard(at))
}

// resign gives up the process's place among the others, and keeps the shards that it has: nothing more will be read here.
func (k *keeper) resign() {
	k.s.committing.Lock()
	defer k.s.committing.Unlock()
	if k.seat != nil {
		k.seat.Leave()
		k.seat = nil
	}
}

// intact says whether the process's place is still there, or was given up.
func (k *keeper) intact() bool { return k.seat == nil || k.seat.Intact() }

// lockAgain takes the place and the locks of a group that was removed. A shard
// is lost when another process has made it durable by now. One that another
// holds without a position is not: that process gives it back, for it cannot
// know where the shard had come to. committing is held.
func (k *keeper) lockAgain() error {
	if k.seat != nil {
		k.seat.Leave()
		seat, err := k.s.group.Enroll(k.s.cfg.Streams)
		if err != nil {
			return err
		}
		k.seat = seat
	}
	for _, at := range sortedShards(k.owned) {
		err := k.s.group.Lock(at)
		if errors.Is(err, streamer.ErrBusy) {
			if c, err := k.s.group.Load(at); c == nil {
				return fmt.Errorf("group %q vanished, and another process looks at %s shard %v: %w", k.s.cfg.Group, at.Stream, at.Shard, cmp.Or(cursorError(err), streamer.ErrBusy))
			}
			k.disown(at)
			k.lost = append(k.lost, at)
			k.look()
			continue
		}
		if err != nil {
			return err
		}
	}
	return k.takeWildcard()
}

// sortedShards lists the keys of a map in order.
func sortedShards[V any](of map[streamer.StreamShard]V) []streamer.StreamShard {
	return slices.SortedFunc(maps.Keys(of), streamer.StreamShard.Compare)
}
