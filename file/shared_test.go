package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/file/internal/group"
)

// apart is a backend whose groups are not those of the process: what connects
// with it is to the others what another process is.
type apart struct {
	*backend
	deals driver.Deals
}

func (a *apart) Deals() *driver.Deals { return &a.deals }

// apart starts a program on the log that shares groups as another process
// would.
func (r *rig) apart(edit ...func(*Config)) streamer.Streamer {
	r.Helper()
	c := r.cfg
	for _, e := range edit {
		e(&c)
	}
	b, err := newBackend(c)
	r.ok(err)
	o := r.o
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := engine.New(&apart{backend: b.(*backend)}, o)
	r.ok(err)
	r.Cleanup(func() { s.Close() })
	return s
}

func balanced(group string) streamer.ConsumerOptions {
	o := resumable(group)
	o.Mode = streamer.LoadBalanced
	return o
}

// nothing fails if a message comes soon.
func (r *rig) nothing(c streamer.Consumer) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, 50*time.Millisecond)
	defer cancel()
	if m, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		r.Fatalf("Next = %v, %v; want nothing", m, err)
	}
}

// owns waits until each consumer owns so many shards, and no two the same.
func (r *rig) owns(counts []int, cs ...streamer.Consumer) {
	r.Helper()
	var is []int
	r.await(fmt.Sprint("shares ", counts), func() bool {
		var all []streamer.StreamShard
		is = nil
		for _, c := range cs {
			is = append(is, len(c.Assignment()))
			all = append(all, c.Assignment()...)
		}
		slices.SortFunc(all, streamer.StreamShard.Compare)
		return slices.Equal(is, counts) && len(slices.Compact(all)) == len(all)
	})
}

// TestStandBy: who owns no shard waits, and continues at the first message that
// the owner has not acknowledged when that leaves.
func TestStandBy(t *testing.T) {
	for name, rig := range map[string]func(*testing.T, ...func(*Config)) *rig{"file": newRig, "directory": newSegmented} {
		t.Run(name, func(t *testing.T) { testStandBy(rig(t)) })
	}
}

func testStandBy(r *rig) {
	r.produce("a", numbers(0, 10)...)
	first := r.apart()
	owner := r.consumer(first, balanced("g"), "a")
	for _, m := range r.expect(owner, numbers(0, 5)...)[:4] {
		m.Ack()
	}
	standBy := r.consumer(r.apart(), balanced("g"), "a")
	r.owns([]int{1, 0}, owner, standBy)
	r.nothing(standBy)
	r.ok(first.Close())
	r.expect(standBy, numbers(4, 10)...)
	r.produce("a", "10")
	r.expect(standBy, "10")
}

// TestSharesAreEven: processes that come and go have as many shards as each
// other, or one more.
func TestSharesAreEven(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Shards = 5 })
	r.produce("a", numbers(0, 50)...)
	var programs []streamer.Streamer
	var cs []streamer.Consumer
	join := func(counts ...int) {
		t.Helper()
		programs = append(programs, r.apart())
		cs = append(cs, r.consumer(programs[len(programs)-1], balanced("g"), "a"))
		r.owns(counts, cs...)
	}
	join(5)
	join(3, 2)
	join(2, 2, 1)
	join(2, 1, 1, 1)
	for range 3 {
		join(append(slices.Repeat([]int{1}, min(5, len(cs)+1)), slices.Repeat([]int{0}, max(0, len(cs)-4))...)...)
	}
	for i, counts := range [][]int{{1, 1, 1, 1, 1, 0}, {1, 1, 1, 1, 1}, {2, 1, 1, 1}, {2, 2, 1}, {3, 2}, {5}} {
		r.ok(programs[i].Close())
		cs = cs[1:]
		r.owns(counts, cs...)
	}
	got := map[string]bool{}
	for range 50 {
		got[string(r.next(cs[0]).Value)] = true
	}
	if len(got) != 50 {
		t.Errorf("%d different messages", len(got))
	}
}

// TestAShardMovesWithItsPosition: what is acknowledged of a shard that goes to
// another process stays done, and what is in progress there is waited for.
func TestAShardMovesWithItsPosition(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Shards = 2 })
	p := r.producer(r.connect(), "a")
	for i := range 40 {
		at := streamer.ShardID(i / 20)
		r.send(p, streamer.Record{Shard: &at, Value: fmt.Append(nil, i)})
	}
	one := r.consumer(r.apart(), balanced("g"), "a")
	held := r.expect(one, numbers(0, 30)...)
	two := r.consumer(r.apart(), balanced("g"), "a")
	r.owns([]int{1, 0}, one, two) // one shard is on its way
	r.nothing(two)
	for _, m := range held {
		m.Ack()
	}
	r.owns([]int{1, 1}, one, two)
	r.expect(two, numbers(30, 40)...)
}

// TestResumableAndSharedExcludeEachOther: a Resumable owner gets ErrBusy while
// processes share the group, and they wait while it has the shards.
func TestResumableAndSharedExcludeEachOther(t *testing.T) {
	for _, stream := range []string{"a", wildcard} {
		t.Run(stream, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Shards = 2 })
			r.produce("a", numbers(0, 10)...)
			alone, shared := resumable("g"), balanced("g")
			alone.Streams, shared.Streams = []string{stream}, []string{stream}
			s := r.apart()
			c := r.consumer(s, shared, stream)
			_, err := r.apart().Consumer(r.ctx, alone)
			r.is(err, streamer.ErrBusy)
			r.next(c).Ack()
			r.ok(s.Close())
			s = r.apart()
			c = r.consumer(s, alone, stream)
			waiting := r.consumer(r.apart(), shared, stream)
			r.nothing(waiting)
			if n := len(waiting.Assignment()); n != 0 {
				t.Errorf("%d shards", n)
			}
			_, err = r.apart().Consumer(r.ctx, alone)
			r.is(err, streamer.ErrBusy)
			r.next(c).Ack()
			r.ok(s.Close())
			for range 8 {
				r.next(waiting)
			}
			r.nothing(waiting)
		})
	}
}

// TestNewShardsOfASharedGroup are read from their beginning, once, the process
// that sees them first.
func TestNewShardsOfASharedGroup(t *testing.T) {
	r := newRig(t)
	r.produce("a", "before")
	o := balanced("g")
	o.AutoReset = streamer.Latest
	for _, streams := range [][]string{{"a"}, {wildcard}} {
		o.Group = streams[0]
		var cs []streamer.Consumer
		for range 3 {
			cs = append(cs, r.consumer(r.apart(), o, streams...))
		}
		p := r.producer(r.connect(), "a")
		for i := range 60 {
			at := streamer.ShardID(i % 6)
			r.send(p, streamer.Record{Shard: &at, Value: fmt.Append(nil, streams[0], i)})
		}
		r.ok(p.Close())
		r.owns([]int{2, 2, 2}, cs...)
		got := map[string]int{}
		for _, c := range cs {
			for range 20 {
				m := r.next(c)
				got[string(m.Value)]++
				m.Ack()
			}
		}
		if len(got) != 60 {
			t.Errorf("%v: %d different messages of 60", streams, len(got))
		}
	}
}

// TestAShardWhoseOwnerDiesBeforeItHasAPosition is read from its beginning all
// the same: what others have skipped of it they do not count as seen.
func TestAShardWhoseOwnerDiesBeforeItHasAPosition(t *testing.T) {
	r := newRig(t)
	o := balanced("g")
	o.AutoReset = streamer.Latest
	r.produce("a", "before")
	s := r.apart()
	c := r.consumer(s, o, "a")
	g := group.New(r.cfg.Path, "g", false)
	fresh := streamer.StreamShard{Stream: "a", Shard: 7}
	r.ok(g.Lock(fresh))
	p := r.producer(r.connect(), "a")
	r.send(p, streamer.Record{Shard: &fresh.Shard, Value: []byte("new")})
	for i := range 200 {
		r.send(p, streamer.Record{Value: fmt.Append(nil, i)})
	}
	for _, m := range r.expect(c, numbers(0, 200)...) {
		m.Ack()
	}
	r.ok(c.Commit(r.ctx))
	r.ok(s.Close())
	r.ok(g.Unlock())
	r.expect(r.consumer(r.apart(), o, "a"), "new")
}

// TestASharedGroupThatVanishes is made again by the owners of its shards, where
// it had come to.
func TestASharedGroupThatVanishes(t *testing.T) {
	for _, stream := range []string{"a", wildcard} {
		t.Run(stream, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Shards = 2 })
			r.produce("a", numbers(0, 20)...)
			var programs []streamer.Streamer
			var cs []streamer.Consumer
			for range 3 {
				programs = append(programs, r.apart())
				o := balanced("g")
				o.AutoReset = streamer.Latest
				if len(cs) == 0 {
					o.AutoReset = streamer.Earliest
				}
				cs = append(cs, r.consumer(programs[len(programs)-1], o, stream))
			}
			r.owns([]int{1, 1, 0}, cs...)
			for _, c := range cs[:2] {
				for range 5 {
					r.next(c).Ack()
				}
				r.ok(c.Commit(r.ctx))
			}
			r.await("the removal", func() bool { return os.RemoveAll(group.Dir(r.cfg.Path)) == nil }) // others may be making it again
			for _, shard := range []int{0, 1} {
				r.await("a position", func() bool {
					c, err := group.LoadCursor(r.cursorPath("g", "a", shard))
					return err == nil && c != nil && c.Done == 5
				})
			}
			r.ok(programs[0].Close())
			r.ok(programs[1].Close())
			for range 10 {
				r.next(cs[2])
			}
			r.nothing(cs[2])
		})
	}
}

// TestASharedGroupThatVanishesWithItsOwner is started over by who stood by:
// no process knows where it had come to.
func TestASharedGroupThatVanishesWithItsOwner(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 10)...)
	s := r.apart()
	for _, m := range r.expect(r.consumer(s, balanced("g"), "a"), numbers(0, 5)...) {
		m.Ack()
	}
	r.ok(s.Close())
	owner := group.New(r.cfg.Path, "g", false)
	r.ok(owner.Lock(streamer.StreamShard{Stream: "a"}))
	standBy := r.consumer(r.apart(), balanced("g"), "a")
	r.nothing(standBy)
	r.await("the removal", func() bool { return os.RemoveAll(group.Dir(r.cfg.Path)) == nil })
	r.ok(owner.Unlock())
	r.expect(standBy, numbers(0, 10)...)
}

// TestFiniteSharedGroup: at the end of the log those who have had their share
// are done, and who waits for one continues when they have left.
func TestFiniteSharedGroup(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Shards, c.NoFollow = 2, true })
	r.produce("a", numbers(0, 20)...)
	first := r.apart()
	one := r.consumer(first, balanced("g"), "a")
	for range 15 {
		r.next(one).Ack()
	}
	two := r.consumer(r.apart(), balanced("g"), "a")
	r.nothing(two)
	for range 5 {
		r.next(one)
	}
	r.ends(one)
	r.ok(first.Close())
	for range 5 {
		r.next(two)
	}
	r.ends(two)
}

// TestADamagedPositionStopsWhoTakesItOver with an error that names the file.
func TestADamagedPositionStopsWhoTakesItOver(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 10)...)
	first := r.apart()
	owner := r.consumer(first, balanced("g"), "a")
	c := r.consumer(r.apart(), balanced("g"), "a")
	r.nothing(c)
	r.next(owner)
	r.ok(os.WriteFile(r.cursorPath("g", "a", 0), []byte("damaged"), 0o644))
	r.ok(first.Close())
	_, err := c.Next(r.ctx)
	r.is(err, streamer.ErrInvalid)
	if e, ok := errors.AsType[*CursorError](err); !ok || e.Path != r.cursorPath("g", "a", 0) {
		t.Errorf("error %v", err)
	}
}

// TestTheSameLogAgainForASharedGroup: with create=always each process continues
// in a log that takes the place of another.
func TestTheSameLogAgainForASharedGroup(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Shards, c.Create = 2, streamer.CreateAlways })
	r.produce("a", numbers(0, 10)...)
	second := r.apart()
	cs := []streamer.Consumer{r.consumer(r.apart(), balanced("g"), "a"), r.consumer(second, balanced("g"), "a")}
	r.owns([]int{1, 1}, cs...)
	for _, c := range cs {
		for range 5 {
			r.next(c).Ack()
		}
		r.ok(c.Commit(r.ctx))
	}
	r.ok(os.Remove(r.cfg.Path))
	r.produce("a", numbers(10, 20)...)
	for _, c := range cs {
		for range 5 {
			r.next(c).Ack()
		}
		r.ok(c.Commit(r.ctx))
	}
	r.ok(second.Close())
	r.owns([]int{2}, cs[0])
	r.produce("a", "20")
	r.expect(cs[0], "20")
}

// TestNothingHandedOut: a mark of zero puts a position back to where the source
// began.
func TestNothingHandedOut(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 10)...)
	r.take(resumable("g"), "a", 5)
	b, err := newBackend(r.cfg)
	r.ok(err)
	defer b.Close(r.ctx)
	c := resetting("a", "g", streamer.Committed())
	c.AtMostOnce = true
	src, err := b.OpenSource(r.ctx, c)
	r.ok(err)
	r.ok(src.Fetch(r.ctx, func([]streamer.Message) {}))
	at := streamer.StreamShard{Stream: "a"}
	r.ok(src.(driver.CursorCommitter).CommitCursors(r.ctx, []driver.Mark{{StreamShard: at, Seq: streamer.SeqUint(6)}}))
	r.ok(src.(driver.CursorCommitter).CommitCursors(r.ctx, []driver.Mark{{StreamShard: at}}))
	r.ok(src.Close(r.ctx))
	r.same("messages", r.take(resumable("g"), "a", 5), numbers(5, 10))
}

// TestASharedGroupThatVanishesWhileAnotherLooks keeps its positions: a process
// that has locked a shard of which it finds no position is not its owner.
func TestASharedGroupThatVanishesWhileAnotherLooks(t *testing.T) {
	r := newRig(t)
	var looked atomic.Bool
	r.o.Hooks.Retrying = func(e streamer.RetryEvent) {
		if errors.Is(e.Err, streamer.ErrBusy) {
			looked.Store(true)
		}
	}
	r.produce("a", numbers(0, 10)...)
	c := r.consumer(r.apart(), balanced("g"), "a")
	for range 5 {
		r.next(c).Ack()
	}
	r.ok(c.Commit(r.ctx))
	other := group.New(r.cfg.Path, "g", false)
	r.await("a lock that the other is first to have", func() bool {
		_ = other.Unlock()
		return os.RemoveAll(group.Dir(r.cfg.Path)) == nil && other.Lock(streamer.StreamShard{Stream: "a"}) == nil
	})
	r.await("a round of the owner", looked.Load)
	r.ok(other.Unlock())
	r.await("the position", func() bool {
		cur, err := group.LoadCursor(r.cursorPath("g", "a", 0))
		return err == nil && cur != nil && cur.Done == 5
	})
	for range 5 {
		r.next(c).Ack()
	}
	r.ok(c.Commit(r.ctx))
}
