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
	"github.com/gostreamer/streamer/internal/trials"
)

// alone starts a server for a test that breaks all of it.
func alone(t *trials.Trial) *testservers.RedisServer {
	t.Helper()
	return testservers.StartRedis(t.T, testservers.RedisOptions{})
}

// add writes entries as another program would and returns their ids.
func add(t *trials.Trial, s *testservers.RedisServer, key string, from, to int) []string {
	t.Helper()
	var ids []string
	for i := from; i < to; i++ {
		ids = append(ids, s.Do("XADD", key, "*", "msg", fmt.Sprint(i)).(string))
	}
	return ids
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
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				server := alone(t)
				if server == nil {
					return
				}
				add(t, server, "orders", 0, 5)
				c := t.Consumer(t.Connect("redis://"+server.Addr()+"/orders?block=500ms"), trials.Reader(mode))
				ackAll(t.Next(c, span(0, 5)...))
				begin := time.Now()
				server.Do(command...)
				_, err := c.Next(t.Ctx)
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
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				server := alone(t)
				if server == nil {
					return
				}
				add(t, server, "orders", 0, 5)
				c := t.Consumer(t.Connect("redis://"+server.Addr()+"/orders?block=500ms&create=always"), trials.Reader(mode))
				ackAll(t.Next(c, span(0, 5)...))
				t.Must("Commit", c.Commit(t.Ctx))
				server.Do(command...)
				t.Eventually("the stream is gone", func() bool { return server.Int("XLEN", "orders") == 0 })
				add(t, server, "orders", 5, 10)
				ackAll(t.Next(c, span(5, 10)...))
				add(t, server, "orders", 10, 12)
				ackAll(t.Next(c, 10, 11))
			})
		})
	}
}

// TestAGroupThatVanishesGoesOnWhereItWas: XGROUP DESTROY under its members,
// with messages handed out.
func TestAGroupThatVanishesGoesOnWhereItWas(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		t.Run(trials.NameOf(mode), func(t *testing.T) {
			trial := trials.New(t)
			server := alone(trial)
			if server == nil {
				return
			}
			add(trial, server, "orders", 0, 20)
			c := trial.Consumer(trial.Connect("redis://"+server.Addr()+"/orders?block=500ms"), trials.Reader(mode))
			ackAll(trial.Next(c, span(0, 10)...))
			trial.Must("Commit", c.Commit(trial.Ctx))
			server.Do("XGROUP", "DESTROY", "orders", "g")
			add(trial, server, "orders", 20, 30)
			seen := map[int]int{}
			trial.Eventually("messages 10 to 29", func() bool {
				m, err := c.Next(trial.Ctx)
				trial.Must("Next", err)
				m.Ack()
				seen[trials.NumberOf(m.Value)]++
				return len(seen) == 20
			})
			for n, copies := range seen {
				if n < 10 || copies > 1 {
					t.Errorf("message %d came %d times", n, copies)
				}
			}
			trial.Must("Commit", c.Commit(trial.Ctx))
			pending := server.Do("XPENDING", "orders", "g").([]any)[0]
			if pending != int64(0) {
				t.Errorf("%v messages are pending", pending)
			}
		})
	}
}

// TestTrimmingUnderAReader: producers trim, as maxlen does, faster than the
// reader reads. It continues at what is left, in order, and never twice.
func TestTrimmingUnderAReader(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		server := alone(t)
		if server == nil {
			return
		}
		s := t.Connect("redis://" + server.Addr() + "/orders?create=always&maxlen=100")
		o := trials.Reader(mode)
		o.Prefetch, o.MaxInFlight = 10, 10
		c := t.Consumer(s, o)
		f := t.Flow(t.Producer(s), trials.Pace{Burst: 100, Every: 2 * time.Millisecond})
		last, gaps, taken := -1, 0, 0
		for taken < 300 {
			m, err := c.Next(t.Ctx)
			t.Must("Next", err)
			m.Ack()
			n := trials.NumberOf(m.Value)
			if n <= last {
				t.Fatalf("message %d came after %d", n, last)
			}
			if n > last+1 {
				gaps++
			}
			last, taken = n, taken+1
			if taken%20 == 0 {
				f.Proceeds(1500)
			}
		}
		f.Stop()
		sent, _ := f.Counts()
		left := entries(t, server, "orders")
		t.Logf("sent %d, on the server %d; delivered %d in order with %d gaps", sent, len(left), taken, gaps)
		if len(left) > sent/4 { // producers trim now and then, and the server whole nodes
			t.Errorf("%d entries of %d are left with maxlen=100", len(left), sent)
		}
		newest := left[len(left)-1].Number
		for last < newest {
			m, err := c.Next(t.Ctx)
			t.Must("Next", err)
			m.Ack()
			last = trials.NumberOf(m.Value)
		}
		if mode == streamer.RealTime {
			return
		}
		t.Must("Commit", c.Commit(t.Ctx))
		t.Must("Close", c.Close())
		if pending := server.Do("XPENDING", "orders", "g").([]any)[0]; pending != int64(0) {
			t.Errorf("%v messages are pending for good", pending)
		}
	})
}

// TestPendingEntriesThatWereDeletedAreDoneWith: a member died holding entries
// that XDEL and XTRIM then took away.
func TestPendingEntriesThatWereDeletedAreDoneWith(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		t.Run(trials.NameOf(mode), func(t *testing.T) {
			trial := trials.New(t)
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
			o := trials.Reader(mode)
			if mode == streamer.LoadBalanced {
				o.Name = dead // it is back; an owner of a Resumable group has the group's name
			}
			s := trial.Connect("redis://" + server.Addr() + "/orders?claim_idle=100ms&claim_interval=50ms")
			var c streamer.Consumer
			trial.Eventually("its name is free", func() bool {
				var err error
				c, err = s.Consumer(trial.Ctx, o)
				return err == nil
			})
			ackAll(trial.Next(c, 3, 6, 7, 8, 9))
			trial.Must("Commit", c.Commit(trial.Ctx))
			trial.Eventually("nothing is pending", func() bool {
				return server.Do("XPENDING", "orders", "g").([]any)[0] == int64(0)
			})
		})
	}
}

// TestEntriesThatAreNoMessagesArePassedOver: no msg, odd fields, names that are
// not UTF-8. Each is reported, done with, and its neighbours arrive.
func TestEntriesThatAreNoMessagesArePassedOver(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
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
		s, err := streamer.ConnectWith(t.Ctx, "redis://"+server.Addr()+"/orders", streamer.StreamerOptions{
			Logger: slog.New(slog.DiscardHandler), Hooks: streamer.Hooks{Skipped: func(e streamer.SkipEvent) { skipped <- e }},
		})
		t.Must("connect", err)
		defer s.Close()
		c := t.Consumer(s, trials.Reader(mode))
		ackAll(t.Next(c, 0, 1, 2, 3, 5))
		t.Must("Commit", c.Commit(t.Ctx))
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

// TestAnyKeyIsAStream: also one that looks like a shard, and one with a hash
// tag.
func TestAnyKeyIsAStream(t *testing.T) {
	trial := trials.New(t)
	server := alone(trial)
	if server == nil {
		return
	}
	s := trial.Connect("redis://" + server.Addr())
	for _, key := range []string{"orders:eu", "{tag}orders", "a b/c?d#e%", "ключ", strings.Repeat("long", 200)} {
		p, err := s.Producer(trial.Ctx, streamer.ProducerOptions{Stream: key})
		trial.Must("Producer", err)
		m, err := p.Send(trial.Ctx, streamer.Record{Value: []byte("7")}).Wait(trial.Ctx)
		trial.Must("Send", err)
		if got := entries(trial, server, key); len(got) != 1 || got[0].Seq != m.Seq.String() {
			t.Errorf("key %q has %v, the receipt says %v", key, got, m.Seq)
		}
		o := trials.Reader(streamer.RealTime)
		o.Streams = []string{key}
		trial.Next(trial.Consumer(s, o), 7)
	}
}
