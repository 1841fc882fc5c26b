package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// refusal is a state of a server in which it refuses commands, and which ends
// without the program's doing.
type refusal struct {
	code         string // which it answers
	enter, leave func(*trials.Trial, *testservers.RedisServer)
	all          bool // it refuses reads too
}

func set(name, value string) func(*trials.Trial, *testservers.RedisServer) {
	return func(_ *trials.Trial, s *testservers.RedisServer) { s.Do("CONFIG", "SET", name, value) }
}

var refusals = map[string]refusal{
	"a snapshot that failed": {code: "MISCONF", enter: failSnapshot, leave: mendSnapshot},
	"full memory":            {code: "OOM", enter: set("maxmemory", "1"), leave: set("maxmemory", "0")},
	"no replicas":            {code: "NOREPLICAS", enter: set("min-replicas-to-write", "1"), leave: set("min-replicas-to-write", "0")},
	"a replica": {
		code:  "READONLY",
		enter: func(_ *trials.Trial, s *testservers.RedisServer) { s.Do("REPLICAOF", "127.0.0.1", "1") },
		leave: func(_ *trials.Trial, s *testservers.RedisServer) { s.Do("REPLICAOF", "NO", "ONE") },
	},
	"a replica without its master": {
		code: "MASTERDOWN", all: true,
		enter: func(_ *trials.Trial, s *testservers.RedisServer) {
			s.Do("CONFIG", "SET", "replica-serve-stale-data", "no")
			s.Do("REPLICAOF", "127.0.0.1", "1")
		},
		leave: func(_ *trials.Trial, s *testservers.RedisServer) { s.Do("REPLICAOF", "NO", "ONE") },
	},
	"a script that runs": {
		code: "BUSY", all: true,
		enter: func(t *trials.Trial, s *testservers.RedisServer) {
			s.Do("CONFIG", "SET", "busy-reply-threshold", "10")
			background(t, s, "EVAL", "while true do end", "0")
		},
		leave: func(_ *trials.Trial, s *testservers.RedisServer) { s.Do("SCRIPT", "KILL") },
	},
	"data that is loaded": {
		code: "LOADING", all: true, enter: startLoading,
		leave: func(_ *trials.Trial, s *testservers.RedisServer) { s.Do("CONFIG", "SET", "key-load-delay", "0") },
	},
}

// background has the server begin what answers late.
func background(t *trials.Trial, s *testservers.RedisServer, command ...string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = s.Try(command...)
	}()
	t.Cleanup(func() { <-done })
}

// failSnapshot puts a directory where the snapshot is to be.
func failSnapshot(t *trials.Trial, s *testservers.RedisServer) {
	t.Must("make a directory", os.MkdirAll(filepath.Join(snapshot(s), "in the way"), 0o700))
	s.Do("BGSAVE")
	t.Eventually("the snapshot failed", func() bool { return refuses(s, "MISCONF", "SET", "probe", "1") })
}

func mendSnapshot(t *trials.Trial, s *testservers.RedisServer) {
	t.Must("remove a directory", os.RemoveAll(snapshot(s)))
	s.Do("BGSAVE")
	t.Eventually("the snapshot is written", func() bool { return !refuses(s, "MISCONF", "SET", "probe", "1") })
}

func snapshot(s *testservers.RedisServer) string {
	return filepath.Join(s.Do("CONFIG", "GET", "dir").([]any)[1].(string), "dump.rdb")
}

// startLoading has the server load what it holds, slowly.
func startLoading(t *trials.Trial, s *testservers.RedisServer) {
	s.Do("CONFIG", "SET", "rdbcompression", "no")
	s.Do("DEBUG", "POPULATE", "1200", "ballast", "100")
	s.Do("CONFIG", "SET", "key-load-delay", "10000")
	s.Do("CONFIG", "SET", "loading-process-events-interval-bytes", "1024")
	background(t, s, "DEBUG", "RELOAD")
}

func refuses(s *testservers.RedisServer, code string, command ...string) bool {
	_, err := s.Try(command...)
	return err != nil && strings.Contains(err.Error(), code)
}

// fragile starts a server that can come into any of the states.
func fragile(t *trials.Trial) *testservers.RedisServer {
	return testservers.StartRedis(t.T, testservers.RedisOptions{Config: []string{
		"save 100000 100000000", "stop-writes-on-bgsave-error yes", "enable-debug-command yes",
	}})
}

// within waits until a server is in the state.
func (r *refusal) within(t *trials.Trial, s *testservers.RedisServer) {
	r.enter(t, s)
	probe := []string{"XADD", "probe", "*", "msg", "0"}
	if r.all {
		probe = []string{"XLEN", "probe"}
	}
	t.Eventually("the server answers "+r.code, func() bool { return refuses(s, r.code, probe...) })
}

// listening connects with a hook that counts refusals.
func listening(t *trials.Trial, uri string) (streamer.Streamer, *atomic.Int64) {
	told := new(atomic.Int64)
	hooks := streamer.JoinHooks(t.Hooks(), streamer.Hooks{Retrying: func(e streamer.RetryEvent) {
		if errors.Is(e.Err, streamer.ErrThrottled) {
			told.Add(1)
		}
	}})
	s, err := streamer.ConnectWith(t.Ctx, uri, streamer.StreamerOptions{Hooks: hooks, Logger: slog.New(slog.DiscardHandler)})
	t.Must("connect", err)
	t.Cleanup(func() { _ = s.Close() })
	return s, told
}

// TestAServerThatRefusesForAWhileStopsNothing: producer and consumer continue
// by themselves, whatever is opened meanwhile is open afterwards, and nothing
// is lost.
func TestAServerThatRefusesForAWhileStopsNothing(t *testing.T) {
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) { refusing(t, mode, r) })
		})
	}
}

func refusing(t *trials.Trial, mode streamer.ConsumerMode, r refusal) {
	server := fragile(t)
	if server == nil {
		return
	}
	uri := "redis://" + server.Addr() + "/orders?create=always&block=500ms&claim_interval=300ms"
	s, told := listening(t, uri)
	in := t.Take(t.Consumer(s, trials.Reader(mode)))
	f := t.Flow(t.Producer(s), trials.Steady)
	in.Proceeds(100)
	r.within(t, server)
	t.Eventually("Retrying is told of it", func() bool { return told.Load() >= 3 })
	late, err := streamer.ConnectWith(t.Ctx, strings.Replace(uri, "orders", "late", 1), streamer.StreamerOptions{Logger: slog.New(slog.DiscardHandler)})
	t.Must("connect while the server refuses", err)
	defer late.Close()
	opened := openLate(t, late, mode)
	stay := time.NewTimer(time.Second)
	<-stay.C
	r.leave(t, server)
	in.Proceeds(100)
	f.Stop()
	t.Settle(f, in, entries(t, server, "orders"), false)
	if err := <-opened; err != nil {
		t.Errorf("what was opened while the server refused: %v", err)
	}
}

// openLate opens a consumer and a producer and sends a record through them.
func openLate(t *trials.Trial, s streamer.Streamer, mode streamer.ConsumerMode) <-chan error {
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			c, err := s.Consumer(t.Ctx, trials.Reader(mode))
			if err != nil {
				return fmt.Errorf("Consumer: %w", err)
			}
			p, err := s.Producer(t.Ctx, streamer.ProducerOptions{})
			if err != nil {
				return fmt.Errorf("Producer: %w", err)
			}
			if _, err := p.Send(t.Ctx, streamer.Record{Value: []byte("late")}).Wait(t.Ctx); err != nil {
				return fmt.Errorf("Send: %w", err)
			}
			_, err = c.Next(t.Ctx)
			return err
		}()
	}()
	return done
}

// TestWhatAServerRefusesForLongIsThrottled: one typed error, when the time for
// trying is over, from a receipt, the administration and Lag.
func TestWhatAServerRefusesForLongIsThrottled(t *testing.T) {
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trial := trials.New(t)
			server := fragile(trial)
			if server == nil {
				return
			}
			add(trial, server, "orders", 0, 5)
			s, told := listening(trial, "redis://"+server.Addr()+"/orders?create=always&delivery_timeout=2s")
			c := trial.Consumer(s, trials.Reader(streamer.RealTime))
			trial.Next(c, span(0, 5)...)
			p := trial.Producer(s)
			r.within(trial, server)
			_, err := p.Send(trial.Ctx, streamer.Record{Value: []byte("1")}).Wait(trial.Ctx)
			throttled(t, "Send", err)
			if told.Load() == 0 {
				t.Error("Retrying was told of nothing")
			}
			err = s.Admin().Create(trial.Ctx, "created", 1)
			throttled(t, "Create", err)
			if _, err := c.Lag(trial.Ctx); err != nil {
				throttled(t, "Lag", err)
			}
			if _, err := s.Admin().Describe(trial.Ctx, "orders"); err != nil {
				throttled(t, "Describe", err)
			}
			if err := s.Ping(trial.Ctx); err != nil {
				t.Errorf("Ping: %v", err)
			}
			r.leave(trial, server)
			trial.Eventually("the server has recovered", func() bool { return !refuses(server, r.code, "XLEN", "orders") })
			trial.Must("Create", s.Admin().Create(trial.Ctx, "created", 1))
		})
	}
}

func throttled(t *testing.T, what string, err error) {
	t.Helper()
	var typed *streamer.Error
	if !errors.Is(err, streamer.ErrThrottled) || !errors.As(err, &typed) {
		t.Errorf("%s: %v; want ErrThrottled", what, err)
	}
}

// TestAShardThatAppearsWhileTheServerRefusesIsReadLater: the consumer
// continues.
func TestAShardThatAppearsWhileTheServerRefusesIsReadLater(t *testing.T) {
	trial := trials.New(t)
	server := fragile(trial)
	if server == nil {
		return
	}
	add(trial, server, "orders:0", 0, 1)
	s, told := listening(trial, "redis://"+server.Addr()+"/orders?shards=auto&block=200ms")
	c := trial.Consumer(s, trials.Reader(streamer.LoadBalanced))
	ackAll(trial.Next(c, 0))
	add(trial, server, "orders:1", 1, 2)
	server.Do("CONFIG", "SET", "maxmemory", "1")
	ctx, cancel := context.WithCancel(trial.Ctx)
	defer cancel()
	next := make(chan error, 1)
	go func() {
		m, err := c.Next(ctx)
		if err == nil && trials.NumberOf(m.Value) != 1 {
			err = fmt.Errorf("message %q", m.Value)
		}
		next <- err
	}()
	trial.Eventually("the new shard is refused", func() bool { return told.Load() > 0 })
	server.Do("CONFIG", "SET", "maxmemory", "0")
	trial.Must("Next", <-next)
}

// TestWhatIsAcknowledgedAheadIsDeliveredOnceThroughARefusal: with AckOnDelivery
// a fetch is acknowledged before it is handed out, which is refused as well.
func TestWhatIsAcknowledgedAheadIsDeliveredOnceThroughARefusal(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		t.Run(trials.NameOf(mode), func(t *testing.T) {
			t.Parallel()
			trial := trials.New(t)
			server := fragile(trial)
			if server == nil {
				return
			}
			s, told := listening(trial, "redis://"+server.Addr()+"/orders?create=always&block=500ms")
			o := trials.Reader(mode)
			o.Ack = streamer.AckOnDelivery
			in := trial.Take(trial.Consumer(s, o))
			f := trial.Flow(trial.Producer(s), trials.Steady)
			in.Proceeds(100)
			r := refusals["a snapshot that failed"]
			r.within(trial, server)
			trial.Eventually("Retrying is told of it", func() bool { return told.Load() >= 5 })
			r.leave(trial, server)
			in.Proceeds(100)
			f.Stop()
			trial.Settle(f, in, entries(trial, server, "orders"), false)
		})
	}
}

// TestANodeThatRefusesForAWhileStopsNothing: of a cluster.
func TestANodeThatRefusesForAWhileStopsNothing(t *testing.T) {
	for _, r := range []refusal{refusals["full memory"], refusals["no replicas"], refusals["a script that runs"]} {
		t.Run(r.code, func(t *testing.T) {
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				c, f, in := onCluster(t, testservers.ClusterOptions{}, mode)
				if c == nil {
					return
				}
				node := c.Master("orders:0")
				r.enter(t, node)
				stay := time.NewTimer(time.Second) // less than makes a node count as dead
				<-stay.C
				r.leave(t, node)
				in.Proceeds(100)
				f.Proceeds(100)
				f.Stop()
				t.Settle(f, in, clusterEntries(t, c), false)
			})
		})
	}
}
