package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// tell has the source report, between two messages, something that is none.
func (r *rig) tell(f func(c *driver.SourceConfig)) {
	r.t.Helper()
	synctest.Wait()
	f(&r.source(0).c)
	synctest.Wait()
}

func TestProgressMarksTakeNoRoomInTheWindow(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 10, CommitEvery: streamer.Never})
		for i := range 10 { // a message and a mark in turn, as small transactions have them
			r.add(0, 1)
			r.tell(func(c *driver.SourceConfig) {
				c.Progress(driver.Mark{StreamShard: streamer.StreamShard{Stream: "s", Shard: 0}, Seq: streamer.SeqUint(uint64(i + 1))})
			})
		}
		held := r.expect(c, upTo(0, 1, 10)...)
		r.add(0, 1)
		r.nothing(c, time.Second) // ten messages are in flight
		held[0].Ack()
		r.expect(c, "0/11")
	})
}

func TestUndecodableEntriesTakeNoRoomInTheWindow(t *testing.T) {
	for _, can := range []abilities{{cursor: true}, {acker: true}} {
		t.Run(fmt.Sprintf("%+v", can), func(t *testing.T) {
			inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 1)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 10, CommitEvery: streamer.Never})
				r.tell(func(c *driver.SourceConfig) {
					for i := range 1000 {
						c.Skipped(streamer.StreamShard{Stream: "s", Shard: 0}, streamer.SeqUint(uint64(i+2)), streamer.ErrInvalid)
					}
				})
				r.expect(c, "0/1")
			})
		})
	}
}

func TestUndecodableEntriesAreAcknowledgedOneByOneWhereMessagesAre(t *testing.T) {
	inBubble(t, abilities{acker: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 1)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: streamer.Never})
		skip := func(n uint64) {
			r.tell(func(c *driver.SourceConfig) {
				c.Skipped(streamer.StreamShard{Stream: "s", Shard: 0}, streamer.SeqUint(n), streamer.ErrInvalid)
			})
		}
		skip(7)
		r.fails("ack", errors.New("lost"))
		if err := c.Commit(t.Context()); err == nil {
			t.Fatal("Commit = nil, want the failure")
		}
		skip(9)
		r.expect(c, "0/1")[0].Ack()
		if err := c.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.ackedOf(0); !slices.Equal(got, []uint64{1, 7, 9}) {
			t.Fatalf("acknowledged %v, want the message and both entries, once each", got)
		}
		if err := errors.Join(c.Commit(t.Context()), c.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestUndecodableEntriesBehindAnOpenMessageTakeNoMemory(t *testing.T) {
	for _, can := range []abilities{{cursor: true}, {acker: true}} {
		inBubble(t, can, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.add(0, 1)
			c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, CommitEvery: time.Second})
			r.expect(c, "0/1") // and is not acknowledged
			const rounds, each = 100, 1000
			grown := heapGrowth(func() {
				for i := range rounds {
					r.tell(func(c *driver.SourceConfig) {
						for j := range each {
							c.Skipped(streamer.StreamShard{Stream: "s", Shard: 0}, streamer.SeqUint(uint64(i*each+j+2)), streamer.ErrInvalid)
						}
					})
					r.sleep(2 * time.Second) // a commit
					r.change(func() { clear(r.acked); clear(r.source0().told); r.calls = nil })
				}
			})
			if per := float64(grown) / (rounds * each); per > 20 {
				t.Errorf("%+v: %.0f bytes are kept for each entry that was passed over", can, per)
			}
		})
	}
}

// heapGrowth is how much more memory is in use after f.
func heapGrowth(f func()) int64 {
	var from, to runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&from)
	f()
	runtime.GC()
	runtime.ReadMemStats(&to)
	return int64(to.HeapAlloc) - int64(from.HeapAlloc)
}

func TestMessagesThatWentBackToTheGroupTakeNoRoomInTheWindow(t *testing.T) {
	inBubble(t, sharedCan, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 17)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Ack: streamer.AckManual, MaxInFlight: 8})
		held := r.expect(c, "0/1")
		r.sleep(time.Second) // 2 to 10 go back
		if got := r.releasedOf(0); len(got) != minShare-1 {
			t.Fatalf("gave back %v, want all but the first", got)
		}
		held = append(held, r.expect(c, upTo(0, 11, 17)...)...)
		r.add(0, 3)
		r.nothing(c, time.Second) // eight are in flight
		ackAll(held)
		ackAll(r.expect(c, upTo(0, 18, 20)...))
	})
}

func TestWhatAStreamGivesBackComesBeforeWhatIsParked(t *testing.T) {
	for _, ack := range []streamer.AckPolicy{streamer.AckManual, streamer.AckOnDelivery} {
		t.Run(fmt.Sprint(ack), func(t *testing.T) {
			inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.add(0, 5)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, Ack: ack, MaxInFlight: 1})
				ctx, cancel := context.WithCancel(t.Context())
				lent := c.Stream(ctx)
				synctest.Wait() // it offers 0/1
				r.nothing(c, time.Second)
				cancel()
				for range lent {
				}
				for i := 1; i <= 5; i++ {
					ackAll(r.expect(c, upTo(0, i, i)...))
				}
			})
		})
	}
}

func TestAShardThatWasRevokedWhilePausedIsReadWhenItComesBack(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprint("lost=", lost), func(t *testing.T) {
			inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.shards = 2
				r.add(0, 40)
				r.add(1, 40)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, MaxInFlight: 20, Prefetch: 20, CommitEvery: streamer.Never})
				held := r.take(c, 40) // both windows are full
				r.nothing(c, time.Second)
				r.revoke(lost)()
				ackAll(held)
				r.source(0).c.Assigned(shardList(0, 1))
				r.change(func() { r.source0().next[streamer.StreamShard{Stream: "s", Shard: 0}] = 0 })
				n := map[streamer.ShardID]int{}
				for got := r.drain(c); len(got) > 0; got = r.drain(c) {
					ackAll(got)
					for _, m := range got {
						n[m.Shard]++
					}
				}
				if n[0] != 40 || n[1] != 20 {
					t.Fatalf("%v messages arrived after the shard came back, want all 40 of it and 20 of the other", n)
				}
			})
		})
	}
}

// A pause that is decided on before a revocation may reach the source after it.
func TestALatePauseDoesNotReachTheNextAssignment(t *testing.T) {
	inBubble(t, abilities{cursor: true, pauser: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 40)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.LoadBalanced, MaxInFlight: 5, Prefetch: 10, CommitEvery: streamer.Never})
		r.take(c, 5)
		r.nothing(c, time.Second)
		r.revoke(true)()
		r.comesBack(1)
		c.q.Load().s.applyPause(streamer.StreamShard{Stream: "s", Shard: 0})
		r.expect(c, upTo(0, 2, 6)...)
	})
}

// Nothing else does: no taker waits, and the next one may be a long time
// coming.
func TestAWindowThatReopensWakesTheFetcher(t *testing.T) {
	inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 5)
		c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable, MaxInFlight: 5, Prefetch: 20, CommitEvery: streamer.Never})
		held := r.expect(c, upTo(0, 1, 5)...)
		synctest.Wait()
		r.add(0, 5)
		r.sleep(time.Second)
		r.add(0, 5) // what a Fetch that was under way did not bring
		r.sleep(time.Second)
		was := r.source(0).fetched()
		ackAll(held)
		r.sleep(time.Second)
		if n := r.source(0).fetched(); n != 15 {
			t.Fatalf("%d messages are fetched, %d before the window reopened, want 15", n, was)
		}
	})
}
