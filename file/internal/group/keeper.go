package group

import (
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/gostreamer/streamer"
)

// Keeper keeps count of the shards that a process owns of a group which several
// processes share, and plans what changes in what the process reads. It looks
// at no file and calls nothing: its caller takes and frees the locks, reports
// to the Keeper what has come of it, and applies each Plan between two reads.
//
// A change goes through two steps. Gain and Drop stage it; Publish makes it
// part of the next Plan, which is to happen when the engine knows of the shard.
//
// Its methods are safe for concurrent use.
type Keeper struct {
	mu sync.Mutex // no other lock is taken while it is held

	owned   map[streamer.StreamShard]bool
	leaving map[streamer.StreamShard]bool // owned ones that are being given up
	lost    []streamer.StreamShard        // that other processes have by now

	staged Plan // the engine may not know of these changes yet
	ready  Plan // it does: the next Plan

	found   map[streamer.StreamShard]int64 // shards without a position, and where they begin
	exists  bool                           // the group has shards
	settled bool                           // the process has its share
	failed  error
}

// Plan is what changes in what a process reads.
type Plan struct {
	Changes []Change // at most one for each shard
	From    int64    // where a process begins to read that had no shard; Nowhere: it need not
}

// Change says that a shard is read from now on, or is not read any more.
type Change struct {
	streamer.StreamShard
	Read bool
}

// Nowhere is an offset that no log reaches.
const Nowhere = math.MaxInt64

func (p *Plan) empty() bool { return len(p.Changes) == 0 && p.From == Nowhere }

func (p *Plan) add(other Plan) {
	p.Changes = append(p.Changes, other.Changes...)
	p.From = min(p.From, other.From)
}

// cut removes the change by which a shard would be read, and reports whether
// there was one.
func (p *Plan) cut(at streamer.StreamShard) bool {
	n := len(p.Changes)
	p.Changes = slices.DeleteFunc(p.Changes, func(c Change) bool { return c.Read && c.StreamShard == at })
	return len(p.Changes) < n
}

// NewKeeper is the Keeper of a process that owns nothing.
func NewKeeper() *Keeper {
	return &Keeper{
		owned: map[streamer.StreamShard]bool{}, leaving: map[streamer.StreamShard]bool{}, found: map[streamer.StreamShard]int64{},
		staged: Plan{From: Nowhere}, ready: Plan{From: Nowhere},
	}
}

// Balance is what a process has to do for its share of a group.
type Balance struct {
	Share  int                    // how many shards that is
	Wanted []streamer.StreamShard // to be taken if they are free
	Want   int                    // so many of them
	Bare   []streamer.StreamShard // have no position: the first process to lock one fixes it
	First  bool                   // Bare are the first shards of the group, else they are new ones
	Excess []streamer.StreamShard // to be given up
}

// Balance compares what the process owns with the share of the member of that
// rank. listed are the shards with a position, bare those without one, which
// are shared out as well if the group begins with them.
func (k *Keeper) Balance(listed, bare []streamer.StreamShard, first bool, rank, members int) *Balance {
	b := &Balance{Bare: bare, First: first}
	if first {
		listed = slices.Concat(listed, bare)
		slices.SortFunc(listed, streamer.StreamShard.Compare)
	}
	from, count := Share(len(listed), rank, members)
	b.Share, b.Want = count, count
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range slices.Concat(listed[from:], listed[:from]) {
		switch {
		case k.leaving[at]:
		case !k.owned[at]:
			b.Wanted = append(b.Wanted, at)
		case b.Want == 0:
			b.Excess = append(b.Excess, at)
		default:
			b.Want--
		}
	}
	return b
}

// Newcomers forgets the shards that were found and have a position by now,
// which is what has reports, and lists the others in order.
func (k *Keeper) Newcomers(has map[streamer.StreamShard]bool) []streamer.StreamShard {
	k.mu.Lock()
	defer k.mu.Unlock()
	for at := range k.found {
		if has[at] {
			k.settle(at)
		}
	}
	return inOrder(k.found)
}

// settle notes that a shard that was found has a position. The next round says
// whose it is, and whether the process has its share of all shards. mu is held.
func (k *Keeper) settle(at streamer.StreamShard) {
	delete(k.found, at)
	k.settled = false
}

// Find notes a shard without a position, which begins at an offset.
func (k *Keeper) Find(at streamer.StreamShard, offset int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.found[at] = offset
}

// Placed reports whether no shard is without a position, as far as is known.
func (k *Keeper) Placed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.found) == 0
}

// Before is seen, or the offset of the first shard without a position if that
// is less.
func (k *Keeper) Before(seen int64) int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range k.found {
		seen = min(seen, at)
	}
	return seen
}

// Forget forgets the shards without a position: they were in another log.
func (k *Keeper) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.found)
}

// Gain notes that the process owns shards, each with a position, and stages
// that they are read. From is where a process begins that had none.
func (k *Keeper) Gain(shards []streamer.StreamShard, from int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range shards {
		k.owned[at] = true
		k.settle(at)
		k.staged.Changes = append(k.staged.Changes, Change{at, true})
	}
	k.staged.From = min(k.staged.From, from)
}

// Leave notes that shards are being given up: they count for no share any more.
func (k *Keeper) Leave(shards []streamer.StreamShard) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range shards {
		k.leaving[at] = true
	}
}

// Drop notes that the process does not own a shard any more, and stages that it
// is not read. If it is not read yet, it never is.
func (k *Keeper) Drop(at streamer.StreamShard) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.owned, at)
	delete(k.leaving, at)
	staged, ready := k.staged.cut(at), k.ready.cut(at)
	if !staged && !ready {
		k.staged.Changes = append(k.staged.Changes, Change{at, false})
	}
}

// Lose notes that another process has taken over a shard, which was dropped.
func (k *Keeper) Lose(at streamer.StreamShard) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lost = append(k.lost, at)
}

// TakeLost is the shards that were lost since it was called last.
func (k *Keeper) TakeLost() []streamer.StreamShard {
	k.mu.Lock()
	defer k.mu.Unlock()
	lost := k.lost
	k.lost = nil
	return lost
}

// Owns reports whether the process owns a shard.
func (k *Keeper) Owns(at streamer.StreamShard) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.owned[at]
}

// Owned lists the shards that the process owns, in order.
func (k *Keeper) Owned() []streamer.StreamShard {
	k.mu.Lock()
	defer k.mu.Unlock()
	return inOrder(k.owned)
}

// Changing is the shards in whose reading a change is planned. One that was
// given up may still be read.
func (k *Keeper) Changing() map[streamer.StreamShard]bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := map[streamer.StreamShard]bool{}
	for _, c := range slices.Concat(k.ready.Changes, k.staged.Changes) {
		all[c.StreamShard] = true
	}
	return all
}

// Publish makes what is staged part of the next Plan. b, if not nil, is what
// the round has found that led to it. staged says that there was a change, news
// that there was one or that the process has its share, or has it not, since
// now.
func (k *Keeper) Publish(b *Balance) (staged, news bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	staged = len(k.staged.Changes) > 0
	k.ready.add(k.staged)
	k.staged = Plan{From: Nowhere}
	if b == nil {
		return staged, staged
	}
	settled := len(k.owned) >= max(b.Share, 1) && (b.First || len(b.Bare) == 0) // new shards are not shared out yet
	news = staged || settled != k.settled
	k.settled, k.exists = settled, len(k.owned)+len(b.Wanted) > 0
	return staged, news
}

// Next is the plan to apply now; ok is false when nothing has changed.
func (k *Keeper) Next() (p Plan, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p = k.ready
	k.ready = Plan{From: Nowhere}
	return p, !p.empty()
}

// Exist reports whether the group has shards, whosever they are.
func (k *Keeper) Exist() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.exists
}

// Complete reports whether the process has its share and no shard is to come:
// no plan is to be applied, and no shard waits for an owner.
func (k *Keeper) Complete() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.ready.Changes)+len(k.found) == 0 && (k.settled || !k.exists)
}

// Fail notes an error that will not pass.
func (k *Keeper) Fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failed = err
}

// Failed is the error of Fail.
func (k *Keeper) Failed() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failed
}

// inOrder lists the keys of a map in order.
func inOrder[V any](of map[streamer.StreamShard]V) []streamer.StreamShard {
	return slices.SortedFunc(maps.Keys(of), streamer.StreamShard.Compare)
}
