package redis_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// named is a LoadBalanced member with a name.
func named(name string) streamer.ConsumerOptions {
	o := trials.Reader(streamer.LoadBalanced)
	o.Name = name
	return o
}

// mustBeBusy opens what is another program's.
func mustBeBusy(t *trials.Trial, s streamer.Streamer, o streamer.ConsumerOptions, says string) {
	t.Helper()
	c, err := s.Consumer(t.Ctx, o)
	if err == nil {
		_ = c.Close()
	}
	if !errors.Is(err, streamer.ErrBusy) || !strings.Contains(err.Error(), says) {
		t.Fatalf("Consumer: %v, want ErrBusy that says %q", err, says)
	}
}

// TestTheSecondMemberOfANameIsRefused: in the same program and in another, on
// each shard; the name is free at once after Close, and when opening failed.
func TestTheSecondMemberOfANameIsRefused(t *testing.T) {
	trial := trials.New(t)
	server := alone(trial)
	if server == nil {
		return
	}
	uri := "redis://" + server.Addr() + "/orders?shards=2&create=always"
	s, other := trial.Connect(uri), trial.Connect(uri)
	c := trial.Consumer(s, named("worker-1"))
	mustBeBusy(trial, s, named("worker-1"), "name=")
	mustBeBusy(trial, other, named("worker-1"), "worker-1")
	second := trial.Consumer(other, named("worker-2"))
	p := trial.Producer(s)
	for i := range 100 {
		p.Send(trial.Ctx, streamer.Record{Value: []byte{byte('0' + i%10)}})
	}
	trial.Must("Flush", p.Flush(trial.Ctx))
	for range 5 {
		m, err := c.Next(trial.Ctx)
		trial.Must("Next", err)
		m.Ack()
	}
	trial.Must("Close", c.Close())
	c = trial.Consumer(other, named("worker-1"))
	trial.Must("Close", second.Close())
	trial.Must("Close", c.Close())

	missing := named("worker-1")
	missing.Streams = []string{"orders", "missing"}
	once := trial.Connect("redis://" + server.Addr() + "/orders?shards=2")
	for range 2 {
		if _, err := once.Consumer(trial.Ctx, missing); !errors.Is(err, streamer.ErrNotFound) {
			t.Fatalf("Consumer: %v, want ErrNotFound", err)
		}
	}
	trial.Must("Close", trial.Consumer(s, named("worker-1")).Close())
}

// TestAMemberKeepsItsNameWhateverItDoes: it is idle, its buffer is full, or its
// reads wait for long.
func TestAMemberKeepsItsNameWhateverItDoes(t *testing.T) {
	for name, options := range map[string]string{
		"idle":        "block=100ms",
		"waits long":  "block=1m",
		"buffer full": "prefetch=1&max_in_flight=1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trial := trials.New(t)
			server := alone(trial)
			if server == nil {
				return
			}
			s := trial.Connect("redis://" + server.Addr() + "/orders?create=always&claim_idle=2s&claim_interval=1h&" + options)
			c := trial.Consumer(s, named("worker-1"))
			add(trial, server, "orders", 0, 10)
			trial.Next(c, 0)
			for end := time.Now().Add(6 * time.Second); time.Now().Before(end); {
				mustBeBusy(trial, s, named("worker-1"), "worker-1")
				<-time.After(50 * time.Millisecond)
			}
		})
	}
}

// TestAMemberThatDiedLeavesItsNameAndWhatItHeld: to the next of that name, when
// it has been silent for claim_idle, 14 s at most.
func TestAMemberThatDiedLeavesItsNameAndWhatItHeld(t *testing.T) {
	trial := trials.New(t)
	server := alone(trial)
	if server == nil {
		return
	}
	add(trial, server, "orders", 0, 10)
	server.Do("XGROUP", "CREATE", "orders", "g", "0")
	server.Do("XREADGROUP", "GROUP", "g", "worker-1", "COUNT", "4", "STREAMS", "orders", ">")
	s := trial.Connect("redis://" + server.Addr() + "/orders?claim_idle=1s")
	begin := time.Now()
	var c streamer.Consumer
	trial.Eventually("the name is free", func() (ok bool) {
		var err error
		if c, err = s.Consumer(trial.Ctx, named("worker-1")); err != nil && !errors.Is(err, streamer.ErrBusy) {
			t.Fatal(err)
		}
		return err == nil
	})
	t.Logf("the name was free after %v", time.Since(begin).Round(time.Millisecond))
	ackAll(trial.Next(c, span(0, 10)...))
}

// cleanUp removes every consumer of a group, as a job does that takes those
// without pending entries for dead.
func cleanUp(s *testservers.RedisServer) {
	for _, c := range s.Do("XINFO", "CONSUMERS", "orders", "g").([]any) {
		fields := c.([]any)
		if fields[3] == int64(0) {
			s.Do("XGROUP", "DELCONSUMER", "orders", "g", fields[1].(string))
		}
	}
}

// owners lists the consumers that stand for an owner.
func owners(s *testservers.RedisServer) (names []string) {
	for _, c := range s.Do("XINFO", "CONSUMERS", "orders", "g").([]any) {
		if name := c.([]any)[1].(string); strings.HasPrefix(name, "streamer:owner:") {
			names = append(names, name)
		}
	}
	return names
}

// TestACleanUpOfConsumersIsNoTakeOver: XGROUP DELCONSUMER of those without
// pending entries, again and again. The owner continues, its commits count, its
// place is there again, and another owner that comes is still noticed.
func TestACleanUpOfConsumersIsNoTakeOver(t *testing.T) {
	const none, scripts = "", " -eval -evalsha"
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		for _, without := range []string{none, scripts} {
			t.Run(trials.NameOf(mode)+without, func(t *testing.T) {
				t.Parallel()
				trial := trials.New(t)
				server := testservers.StartRedis(t, testservers.RedisOptions{Users: []string{"app on >" + secret + " ~* +@all" + without}})
				if server == nil {
					return
				}
				uri := "redis://app:" + secret + "@" + server.Addr() + "/orders?create=always&block=200ms"
				s := trial.Connect(uri)
				c := trial.Consumer(s, trials.Reader(mode))
				for round := range 5 {
					cleanUp(server)
					add(trial, server, "orders", round*10, round*10+10)
					ackAll(trial.Next(c, span(round*10, round*10+10)...))
					trial.Must("Commit", c.Commit(trial.Ctx))
				}
				cleanUp(server)
				if n := server.Do("XPENDING", "orders", "g").([]any)[0]; n != int64(0) {
					t.Errorf("%v messages are pending: the commits did not count", n)
				}
				if mode == streamer.Resumable {
					trial.Eventually("the place is there again", func() bool { return len(owners(server)) == 1 })
					mustBeBusy(trial, trial.Connect(uri), trials.Reader(mode), "in use")
				}
				add(trial, server, "orders", 50, 60)
				ackAll(trial.Next(c, span(50, 60)...))
				trial.Must("Close", c.Close())
				cleanUp(server)
				add(trial, server, "orders", 60, 61)
				ackAll(trial.Next(trial.Consumer(s, trials.Reader(mode)), 60))
			})
		}
	}
}

// TestAnOwnerThatFindsAnotherInItsPlaceIsFenced: its consumer was removed, and
// another owner's is there.
func TestAnOwnerThatFindsAnotherInItsPlaceIsFenced(t *testing.T) {
	trial := trials.New(t)
	server := alone(trial)
	if server == nil {
		return
	}
	add(trial, server, "orders", 0, 5)
	c := trial.Consumer(trial.Connect("redis://"+server.Addr()+"/orders"), trials.Reader(streamer.Resumable))
	held := trial.Next(c, span(0, 5)...)
	mine := owners(server)[0]
	server.Do("XGROUP", "CREATECONSUMER", "orders", "g", "streamer:owner:another")
	server.Do("XGROUP", "DELCONSUMER", "orders", "g", mine)
	ackAll(held)
	if err := c.Commit(trial.Ctx); !errors.Is(err, streamer.ErrFenced) {
		t.Errorf("Commit: %v, want ErrFenced", err)
	}
}

// TestWhatAnOwnerHeldOutlivesTheRemovalOfItsConsumers: with all that was
// pending; what was not acknowledged comes when the group is opened again.
func TestWhatAnOwnerHeldOutlivesTheRemovalOfItsConsumers(t *testing.T) {
	trial := trials.New(t)
	server := alone(trial)
	if server == nil {
		return
	}
	add(trial, server, "orders", 0, 10)
	s := trial.Connect("redis://" + server.Addr() + "/orders")
	c := trial.Consumer(s, trials.Reader(streamer.Resumable))
	held := trial.Next(c, span(0, 10)...)
	ackAll(held[:4])
	trial.Must("Commit", c.Commit(trial.Ctx))
	for _, name := range append(owners(server), "g") {
		server.Do("XGROUP", "DELCONSUMER", "orders", "g", name)
	}
	held[6].Ack()
	trial.Must("Close", c.Close())
	c = trial.Consumer(s, trials.Reader(streamer.Resumable))
	ackAll(trial.Next(c, 4, 5, 7, 8, 9))
	trial.Must("Close", c.Close())
	if n := server.Do("XPENDING", "orders", "g").([]any)[0]; n != int64(0) {
		t.Errorf("%v messages are pending", n)
	}
}
