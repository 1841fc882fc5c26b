package redis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/faultproxy"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// TestAServerKilledAndRestartedLosesAndRepeatsNothing: with appendfsync always,
// what a receipt says is stored survives SIGKILL, and producer and consumer go
// on by themselves.
func TestAServerKilledAndRestartedLosesAndRepeatsNothing(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		server := testservers.StartRedis(t.T, testservers.RedisOptions{AOF: true})
		if server == nil {
			return
		}
		s := t.Connect("redis://" + server.Addr() + "/orders?create=always")
		in := t.Take(t.Consumer(s, trials.Reader(mode)))
		f := t.Flow(t.Producer(s), trials.Steady)
		kills := trials.Soak(4, 50)
		var longest time.Duration
		for range kills {
			in.Proceeds(100)
			server.Kill()
			server.Restart()
			before := time.Now()
			f.Proceeds(1)
			in.Proceeds(1)
			longest = max(longest, time.Since(before))
		}
		in.Proceeds(100)
		f.Stop()
		t.Settle(f, in, entries(t, server, "orders"), false)
		t.Logf("%d kills; producer and consumer went on at most %v after the server answered again", kills, longest)
	})
}

// TestOpeningOutlastsAnOutage: what is opened while the server is away, or not
// ready yet, is open when it is back.
func TestOpeningOutlastsAnOutage(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		server := testservers.StartRedis(t.T, testservers.RedisOptions{AOF: true})
		if server == nil {
			return
		}
		tried := make(chan struct{}, 100)
		o := streamer.StreamerOptions{Hooks: streamer.Hooks{Retrying: func(streamer.RetryEvent) { tried <- struct{}{} }}}
		s, err := streamer.ConnectWith(t.Ctx, "redis://"+server.Addr()+"/orders?create=always", o)
		t.Must("connect", err)
		defer s.Close()
		server.Kill()
		opened := make(chan streamer.Consumer, 1)
		go func() {
			c, err := s.Consumer(t.Ctx, trials.Reader(mode))
			if err != nil {
				t.Errorf("Consumer: %v", err)
			}
			opened <- c
		}()
		<-tried
		server.Restart()
		c := <-opened
		if c == nil {
			return
		}
		_, err = t.Producer(s).Send(t.Ctx, streamer.Record{Value: []byte("0")}).Wait(t.Ctx)
		t.Must("Send", err)
		m, err := c.Next(t.Ctx)
		t.Must("Next", err)
		if string(m.Value) != "0" {
			t.Errorf("got %q", m.Value)
		}
	})
}

// TestConnectionsCutInTheMiddle: connections break after a random number of
// bytes, of a request or of a reply, again and again.
func TestConnectionsCutInTheMiddle(t *testing.T) {
	for _, d := range []faultproxy.Direction{faultproxy.Requests, faultproxy.Replies} {
		t.Run(d.String(), func(t *testing.T) {
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				server := testservers.StartRedis(t.T, testservers.RedisOptions{})
				if server != nil {
					cutting(t, server, mode, d)
				}
			})
		})
	}
}

func cutting(t *trials.Trial, server *testservers.RedisServer, mode streamer.ConsumerMode, d faultproxy.Direction) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	proxy := faultproxy.New(t.T, server.Addr())
	s := t.Connect("redis://" + proxy.Addr() + "/orders?create=always")
	in := t.Take(t.Consumer(s, trials.Reader(mode)))
	f := t.Flow(t.Producer(s), trials.Steady)
	in.Proceeds(10)
	cuts := trials.Soak(20, 500)
	for range cuts {
		cut := proxy.CutAfter(d, 1+random.Int64N(20000))
		t.Eventually("the next cut", func() bool {
			select {
			case <-cut:
				return true
			default:
				return false
			}
		})
		in.Proceeds(1)
	}
	in.Proceeds(100)
	f.Stop()
	t.Settle(f, in, entries(t, server, "orders"), false)
	_, connections, broken := proxy.Connections()
	t.Logf("seed %d: %d cuts of %s, %d connections of %d broken", seed, cuts, d, broken, connections)
}

// TestAServerThatIsSilentForAWhile: it holds its connections and says nothing,
// longer than any reply may take; then it continues.
func TestAServerThatIsSilentForAWhile(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		server := testservers.StartRedis(t.T, testservers.RedisOptions{})
		if server == nil {
			return
		}
		s := t.Connect("redis://" + server.Addr() + "/orders?create=always&block=500ms")
		in := t.Take(t.Consumer(s, trials.Reader(mode)))
		f := t.Flow(t.Producer(s), trials.Pace{Burst: 1, Every: 5 * time.Millisecond})
		in.Proceeds(50)
		silence := time.NewTimer(7 * time.Second)
		server.Suspend()
		<-silence.C
		server.Continue()
		f.Proceeds(1)
		in.Proceeds(100)
		f.Stop()
		t.Settle(f, in, entries(t, server, "orders"), false)
	})
}

// TestAPausedServerSurvivesAReadThatIsInterrupted: servers are paused before
// every orderly fail-over, and some do not survive every way to interrupt a
// read then.
func TestAPausedServerSurvivesAReadThatIsInterrupted(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		server := testservers.StartRedis(t.T, testservers.RedisOptions{})
		if server == nil {
			return
		}
		s := t.Connect("redis://" + server.Addr() + "/orders?create=always&block=20ms")
		c := t.Consumer(s, trials.Reader(mode))
		for _, paused := range []string{"WRITE", "ALL"} {
			server.Do("CLIENT", "PAUSE", "1000", paused)
			held, cancel := context.WithTimeout(t.Ctx, 300*time.Millisecond)
			_, err := c.Next(held)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Next: %v", err)
			}
			if mode != streamer.LoadBalanced {
				t.Must("Rewind", c.Rewind(t.Ctx, streamer.End()))
			}
		}
		t.Must("Close", c.Close())
		server.Do("PING")
	})
}
