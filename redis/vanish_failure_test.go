package redis_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
)

// alone starts a server for a test that breaks all of it.
func alone(t *trial) *testservers.RedisServer {
	t.Helper()
	return testservers.StartRedis(t.T, testservers.RedisOptions{})
}

// add writes entries as another program would and returns their ids.
func add(t *trial, s *testservers.RedisServer, key string, from, to int) []string {
	t.Helper()
	var ids []string
	for i := from; i < to; i++ {
		ids = append(ids, s.Do("XADD", key, "*", "msg", fmt.Sprint(i)).(string))
	}
	return ids
}

// next takes messages and checks their numbers.
func (t *trial) next(c streamer.Consumer, want ...int) []*streamer.Message {
	t.Helper()
	var list []*streamer.Message
	for _, n := range want {
		m, err := c.Next(t.ctx)
		t.must(fmt.Sprintf("Next for message %d", n), err)
		if got := numberOf(m.Value); got != n {
			t.Fatalf("message %d came instead of %d", got, n)
		}
		list = append(list, m)
	}
	return list
}

func ackAll(list []*streamer.Message) {
	for _, m := range list {
		m.Ack()
	}
}

func span(from, to int) []int {
	list := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	return list
}

// removals are the ways in which a stream vanishes.
var removals = map[string][]string{
	"DEL": {"DEL", "orders"}, "FLUSHALL": {"FLUSHALL"}, "RENAME": {"RENAME", "orders", "elsewhere"}, "expiry": {"PEXPIRE", "orders", "1"},
}

// TestAStreamThatVanishesIsNotFound: once, and not a busy loop.
func TestAStreamThatVanishesIsNotFound(t *testing.T) {
	for name, command := range removals {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
				server := alone(t)
				if server == nil {
					return
				}
				add(t, server, "orders", 0, 5)
				c := t.consumer(t.connect("redis://"+server.Addr()+"/orders?block=500ms"), reader(mode))
				ackAll(t.next(c, span(0, 5)...))
				begin := time.Now()
				server.Do(command...)
				_, err := c.Next(t.ctx)
				if !errors.Is(err, streamer.ErrNotFound) {
					t.Fatalf("Next: %v", err)
				}
				before := commands(server)
				t.Logf("%v after %v", err, time.Since(begin).Round(time.Millisecond))
				<-time.After(300 * time.Millisecond)
				if n := commands(server) - before; n > 60 {
					t.Errorf("%d commands within 0.3 s afterwards", n)
				}
			})
		})
	}
}

// TestAStreamThatIsMadeAnewGoesOnFromItsBeginning: with create=always.
func TestAStreamThatIsMadeAnewGoesOnFromItsBeginning(t *testing.T) {
	for name, command := range removals {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
				server := alone(t)
				if server == nil {
					return
				}
				add(t, server, "orders", 0, 5)
				c := t.consumer(t.connect("redis://"+server.Addr()+"/orders?block=500ms&create=always"), reader(mode))
				ackAll(t.next(c, span(0, 5)...))
				t.must("Commit", c.Commit(t.ctx))
				server.Do(command...)
				t.eventually("the stream is gone", func() bool { return server.Int("XLEN", "orders") == 0 })
				add(t, server, "orders", 5, 10)
				ackAll(t.next(c, span(5, 10)...))
				add(t, server, "orders", 10, 12)
				ackAll(t.next(c, 10, 11))
			})
		})
	}
}

// TestAGroupThatVanishesGoesOnWhereItWas: XGROUP DESTROY under its members, with messages handed out.
func TestAGroupThatVanishesGoesOnWhereItWas(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		t.Run(nameOf(mode), func(t *testing.T) {
			trial := newTrial(t)
			server := alone(trial)
			if server == nil {
				return
			}
			add(trial, server, "orders", 0, 20)
			c := trial.consumer(trial.connect("redis://"+server.Addr()+"/orders?block=500ms"), reader(mode))
			ackAll(trial.next(c, span(0, 10)...))
			trial.must("Commit", c.Commit(trial.ctx))
			server.Do("XGROUP", "DESTROY", "orders", "g")
			add(trial, server, "orders", 20, 30)
			seen := map[int]int{}
			trial.eventually("messages 10 to 29", func() bool {
				m, err := c.Next(trial.ctx)
				trial.must("Next", err)
				m.Ack()
				seen[numberOf(m.Value)]++
				return len(seen) == 20
			})
			for n, copies := range seen {
				if n < 10 || copies > 1 {
					t.Errorf("message %d came %d times", n, copies)
				}
			}
			trial.must("Commit", c.Commit(trial.ctx))
			pending := server.Do("XPENDING", "orders", "g").([]any)[0]
			if pending != int64(0) {
				t.Errorf("%v messages are pending", pending)
			}
		})
	}
}

// TestTrimmingUnderAReader: producers trim, as maxlen does, faster than the reader reads. It goes on at what is left, in order, and never twice.
func TestTrimmingUnderAReader(t *testing.T) {
	eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
		server := alone(t)
		if server == nil {
			return
		}
		s := t.connect("redis://" + server.Addr() + "/orders?create=always&maxlen=100")
		o := reader(mode)
		o.Prefetch, o.MaxInFlight = 10, 10
		c := t.consumer(s, o)
		f := t.flow(t.producer(s), pace{burst: 100, every: 2 * time.Millisecond})
		last, gaps, taken := -1, 0, 0
		for taken < 300 {
			m, err := c.Next(t.ctx)
			t.must("Next", err)
			m.Ack()
			n := numberOf(m.Value)
			if n <= last {
				t.Fatalf("message %d came after %d", n, last)
			}
			if n > last+1 {
				gaps++
			}
			last, taken = n, taken+1
			if taken%20 == 0 {
				f.proceeds(1500)
			}
		}
		f.stop()
		left := entries(t, server, "orders")
		t.Logf("sent %d, on the server %d; delivered %d in order with %d gaps", f.sent, len(left), taken, gaps)
		if len(left) > f.sent/4 { // producers trim now and then, and the server whole nodes
			t.Errorf("%d entries of %d are left with maxlen=100", len(left), f.sent)
		}
		newest := left[len(left)-1].number
		for last < newest {
			m, err := c.Next(t.ctx)
			t.must("Next", err)
			m.Ack()
			last = numberOf(m.Value)
		}
		if mode == streamer.RealTime {
			return
		}
		t.must("Commit", c.Commit(t.ctx))
		t.must("Close", c.Close())
		if pending := server.Do("XPENDING", "orders", "g").([]any)[0]; pending != int64(0) {
			t.Errorf("%v messages are pending for good", pending)
		}
	})
}

// TestPendingEntriesThatWereDeletedAreDoneWith: a member died holding entries that XDEL and XTRIM then took away.
func TestPendingEntriesThatWereDeletedAreDoneWith(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		t.Run(nameOf(mode), func(t *testing.T) {
			trial := newTrial(t)
			server := alone(trial)
			if server == nil {
				return
			}
			ids := add(trial, server, "orders", 0, 10)
			server.Do("XGROUP", "CREATE", "orders", "g", "0")
			dead := map[streamer.ConsumerMode]string{streamer.Resumable: "g", streamer.LoadBalanced: "dead"}[mode]
			server.Do("XREADGROUP", "GROUP", "g", dead, "COUNT", "8", "STREAMS", "orders", ">")
			server.Do("XDEL", "orders", ids[4], ids[5])
			server.Do("XTRIM", "orders", "MAXLEN", "8")
			server.Do("XTRIM", "orders", "MINID", ids[3])
			o := reader(mode)
			if mode == streamer.LoadBalanced {
				o.Name = dead // it is back; an owner of a Resumable group has the group's name
			}
			c := trial.consumer(trial.connect("redis://"+server.Addr()+"/orders?claim_idle=100ms&claim_interval=50ms"), o)
			ackAll(trial.next(c, 3, 6, 7, 8, 9))
			trial.must("Commit", c.Commit(trial.ctx))
			trial.eventually("nothing is pending", func() bool {
				return server.Do("XPENDING", "orders", "g").([]any)[0] == int64(0)
			})
		})
	}
}

// TestEntriesThatAreNoMessagesArePassedOver: no msg, odd fields, names that are not UTF-8. Each is reported, done with, and its neighbours arrive.
func TestEntriesThatAreNoMessagesArePassedOver(t *testing.T) {
	eachMode(t, func(t *trial, mode streamer.ConsumerMode) {
		server := alone(t)
		if server == nil {
			return
		}
		add(t, server, "orders", 0, 1)
		for range 150 { // more than a page, so that a cursor that stays would be seen
			server.Do("XADD", "orders", "*", "payload", "x")
		}
		add(t, server, "orders", 1, 2)
		server.Do("XADD", "orders", "*", "\xff\xfe", "x", "MSG", "x")
		server.Do("XADD", "orders", "*", "msg", "2", "msg", "again")
		server.Do("XADD", "orders", "*", "before", "x", "msg", "3", "after", "x")
		server.Do("XADD", "orders", "*", "msg", "4", "h", "\xff no headers")
		add(t, server, "orders", 5, 6)
		skipped := make(chan streamer.SkipEvent, 1000)
		s, err := streamer.ConnectWith(t.ctx, "redis://"+server.Addr()+"/orders", streamer.StreamerOptions{
			Logger: slog.New(slog.DiscardHandler), Hooks: streamer.Hooks{Skipped: func(e streamer.SkipEvent) { skipped <- e }},
		})
		t.must("connect", err)
		defer s.Close()
		c := t.consumer(s, reader(mode))
		ackAll(t.next(c, 0, 1, 2, 3, 5))
		t.must("Commit", c.Commit(t.ctx))
		t.Logf("%d entries were skipped, the first: %v", len(skipped), (<-skipped).Err)
		if n := len(skipped) + 1; n < 152 {
			t.Errorf("%d entries were reported as skipped, want 152 at least", n)
		}
		if mode != streamer.RealTime {
			if pending := server.Do("XPENDING", "orders", "g").([]any)[0]; pending != int64(0) {
				t.Errorf("%v entries are pending", pending)
			}
		}
	})
}

// TestAnyKeyIsAStream: also one that looks like a shard, and one with a hash tag.
func TestAnyKeyIsAStream(t *testing.T) {
	trial := newTrial(t)
	server := alone(trial)
	if server == nil {
		return
	}
	s := trial.connect("redis://" + server.Addr())
	for _, key := range []string{"orders:eu", "{tag}orders", "a b/c?d#e%", "ключ", strings.Repeat("long", 200)} {
		p, err := s.Producer(trial.ctx, streamer.ProducerOptions{Stream: key})
		trial.must("Producer", err)
		m, err := p.Send(trial.ctx, streamer.Record{Value: []byte("7")}).Wait(trial.ctx)
		trial.must("Send", err)
		if got := entries(trial, server, key); len(got) != 1 || got[0].id != m.Seq.String() {
			t.Errorf("key %q has %v, the receipt says %v", key, got, m.Seq)
		}
		o := reader(streamer.RealTime)
		o.Streams = []string{key}
		trial.next(trial.consumer(s, o), 7)
	}
}
