package redis_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// load adds entries in one round trip.
func load(t *trials.Trial, s *testservers.RedisServer, key string, from, n int) {
	t.Helper()
	s.Do("EVAL", `for i = ARGV[1], ARGV[1] + ARGV[2] - 1 do redis.call('XADD', KEYS[1], '*', 'msg', string.format('%d', i)) end return 1`,
		"1", key, fmt.Sprint(from), fmt.Sprint(n))
}

// lagOf is what one consumer has left.
func lagOf(t *trials.Trial, c streamer.Consumer) int64 {
	t.Helper()
	t.Must("Commit", c.Commit(t.Ctx))
	all, err := c.Lag(t.Ctx)
	t.Must("Lag", err)
	return all[0].Messages
}

// readUpTo reads and acknowledges up to the message of a number.
func readUpTo(t *trials.Trial, c streamer.Consumer, last int) {
	t.Helper()
	for {
		m, err := c.Next(t.Ctx)
		t.Must("Next", err)
		m.Ack()
		if trials.NumberOf(m.Value) == last {
			return
		}
	}
}

// TestLagCountsWhatExists: whatever is trimmed or deleted, before or behind
// what a consumer has read, lag is what it can still get.
func TestLagCountsWhatExists(t *testing.T) {
	const sent, kept = 15_000, 100
	cases := map[string]struct {
		before func(*trials.Trial, *testservers.RedisServer) // the consumer opens
		last   int                                           // that is read; -1: none
		after  func(*trials.Trial, *testservers.RedisServer)
		want   int64
	}{
		"trimmed unread, all read": {before: trimTo(kept), last: sent - 1, want: 0},
		"trimmed unread, half of the rest read": {
			before: trimTo(kept), last: sent - kept/2 - 1, want: kept / 2,
		},
		"trimmed unread, none read":   {before: trimTo(kept), last: -1, want: kept},
		"trimmed behind what is read": {last: 5000 - 1, after: trimTo(12_000), want: 10_000},
		"trimmed beyond what is read": {last: 5000 - 1, after: trimTo(kept), want: kept},
		"trimmed while it reads, all read": {
			after: both(trimTo(kept), readTo(sent-1)), last: 5, want: 0,
		},
		"trimmed while it reads, half of the rest read": {
			after: both(trimTo(kept), readTo(sent-kept/2-1)), last: 5, want: kept / 2,
		},
		"trimmed twice":                  {before: trimTo(12_000), last: 5000 - 1, after: trimTo(9500), want: 9500},
		"all gone, none read":            {last: -1, after: trimTo(0), want: 0},
		"all gone, some read":            {last: 5000 - 1, after: trimTo(0), want: 0},
		"the newest deleted":             {last: sent - 3, after: deleteNewest(2), want: 0},
		"trimmed, then the newest gone":  {before: trimTo(kept), last: sent - 11, after: deleteNewest(4), want: 6},
		"trimmed unread, more is added":  {before: trimTo(kept), last: sent - 1, after: addMore(30), want: 30},
		"trimmed, a hole, more is added": {before: trimTo(kept), last: sent - 1, after: both(addMore(30), deleteNewest(1)), want: 29},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				server := alone(t)
				if server == nil {
					return
				}
				if mode != streamer.RealTime {
					server.Do("XGROUP", "CREATE", "orders", "g", "0", "MKSTREAM")
				}
				load(t, server, "orders", 0, sent)
				if c.before != nil {
					c.before(t, server)
				}
				s := t.Connect("redis://" + server.Addr() + "/orders?block=500ms&prefetch=1&max_in_flight=1")
				consumer := t.Consumer(s, trials.Reader(mode))
				if c.last >= 0 {
					readUpTo(t, consumer, c.last)
				}
				if c.after != nil {
					t.Must("Commit", consumer.Commit(t.Ctx))
					t.Must("Close", consumer.Close())
					c.after(t, server)
					o := trials.Reader(mode)
					if mode == streamer.RealTime { // it has no position to come back to
						return
					}
					consumer = t.Consumer(s, o)
				}
				if got := lagOf(t, consumer); got != c.want {
					t.Errorf("lag is %d, want %d", got, c.want)
				}
				t.Must("Close", consumer.Close())
				if mode == streamer.RealTime {
					return
				}
				groups, err := s.Admin().Groups(t.Ctx, "orders")
				t.Must("Groups", err)
				if got := groups[0].Lag[0].Messages; got != c.want {
					t.Errorf("the group's lag is %d, want %d", got, c.want)
				}
			})
		})
	}
}

func trimTo(n int) func(*trials.Trial, *testservers.RedisServer) {
	return func(_ *trials.Trial, s *testservers.RedisServer) { s.Do("XTRIM", "orders", "MAXLEN", fmt.Sprint(n)) }
}

// readTo has a group read and acknowledge up to the message of a number.
func readTo(last int) func(*trials.Trial, *testservers.RedisServer) {
	return func(t *trials.Trial, s *testservers.RedisServer) {
		c := t.Consumer(t.Connect("redis://"+s.Addr()+"/orders?prefetch=1&max_in_flight=1"), trials.Reader(streamer.LoadBalanced))
		readUpTo(t, c, last)
		t.Must("Commit", c.Commit(t.Ctx))
		t.Must("Close", c.Close())
	}
}

func addMore(n int) func(*trials.Trial, *testservers.RedisServer) {
	return func(t *trials.Trial, s *testservers.RedisServer) { load(t, s, "orders", 0, n) }
}

func deleteNewest(n int) func(*trials.Trial, *testservers.RedisServer) {
	return func(_ *trials.Trial, s *testservers.RedisServer) {
		for _, e := range s.Do("XREVRANGE", "orders", "+", "-", "COUNT", fmt.Sprint(n)).([]any) {
			s.Do("XDEL", "orders", e.([]any)[0].(string))
		}
	}
}

func both(f, g func(*trials.Trial, *testservers.RedisServer)) func(*trials.Trial, *testservers.RedisServer) {
	return func(t *trials.Trial, s *testservers.RedisServer) { f(t, s); g(t, s) }
}

// TestPendingEntriesThatAreTrimmedAreNoLag: what a dead member held, and no
// longer exists, is not left to do.
func TestPendingEntriesThatAreTrimmedAreNoLag(t *testing.T) {
	for _, kept := range []int{0, 3, 8, 20} {
		t.Run(fmt.Sprint(kept), func(t *testing.T) {
			trial := trials.New(t)
			server := alone(trial)
			if server == nil {
				return
			}
			server.Do("XGROUP", "CREATE", "orders", "g", "0", "MKSTREAM")
			load(trial, server, "orders", 0, 20)
			server.Do("XREADGROUP", "GROUP", "g", "dead", "COUNT", "15", "STREAMS", "orders", ">")
			server.Do("XTRIM", "orders", "MAXLEN", fmt.Sprint(kept))
			groups, err := trial.Connect("redis://"+server.Addr()).Admin().Groups(trial.Ctx, "orders")
			trial.Must("Groups", err)
			if got := groups[0].Lag[0].Messages; got != int64(kept) {
				t.Errorf("lag is %d, want %d", got, kept)
			}
		})
	}
}

// TestLagBesideFetchingCountsEachMessageOnce: the server is asked several
// things, and delivers between them.
func TestLagBesideFetchingCountsEachMessageOnce(t *testing.T) {
	const stored, done = 3000, 1000
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		if mode == streamer.RealTime {
			return // it has nothing in flight
		}
		server := alone(t)
		if server == nil {
			return
		}
		ids := add(t, server, "orders", 0, stored+1)
		server.Do("XDEL", "orders", ids[stored/2]) // the server loses count
		s := t.Connect("redis://" + server.Addr() + "/orders?block=100ms")
		o := trials.Reader(mode)
		o.Prefetch, o.MaxInFlight = 4, streamer.NoLimit
		c := t.Consumer(s, o)
		for range done {
			m, err := c.Next(t.Ctx)
			t.Must("Next", err)
			m.Ack()
		}
		t.Must("Commit", c.Commit(t.Ctx))
		ctx, stop := context.WithCancel(t.Ctx)
		var reading sync.WaitGroup
		reading.Go(func() {
			for ctx.Err() == nil {
				_, _ = c.Next(ctx)
			}
		})
		for range 200 {
			lags, err := c.Lag(t.Ctx)
			t.Must("Lag", err)
			if n := lags[0].Messages; n != stored-done {
				t.Errorf("lag is %d, want %d", n, stored-done)
				break
			}
		}
		stop()
		reading.Wait()
	})
}
