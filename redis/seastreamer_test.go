package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// The tests of this file are the counterparts of SeaStreamer's own Redis tests,
// under their names there. What differs is intended and said where it does; its
// wrong_type_key_errors is a row of TestAccessThatIsDeniedIsOneTypedError.

// sea is a trial on the shared server, or on the shared cluster, with streams
// of its own.
type sea struct {
	*trials.Trial
	hosts string
}

func newSea(t *testing.T) *sea {
	t.Helper()
	addr := testservers.Redis(t)
	if addr == "" {
		return nil
	}
	return &sea{trials.New(t), addr}
}

// stream is a name that no other test uses.
func (t *sea) stream() string { return "sea-" + uuid.NewString() }

// open connects to a stream, with more options of the URI.
func (t *sea) open(stream string, options ...string) streamer.Streamer {
	t.Helper()
	return t.Connect("redis://" + t.hosts + "/" + stream + "?" + strings.Join(append(options, "block=1s"), "&"))
}

// send stores numbered records, one after another, and checks that their
// receipts rise.
func (t *sea) send(s streamer.Streamer, stream string, from, to int) []streamer.Meta {
	t.Helper()
	p, err := s.Producer(t.Ctx, streamer.ProducerOptions{Stream: stream})
	t.Must("Producer", err)
	var list []streamer.Meta
	for i := from; i < to; i++ {
		m, err := p.Send(t.Ctx, streamer.Record{Value: fmt.Append(nil, i)}).Wait(t.Ctx)
		t.Must("Send", err)
		if n := len(list); m.Stream != stream || n > 0 && m.Seq.Compare(list[n-1].Seq) <= 0 {
			t.Fatalf("record %d: receipt %+v after %+v", i, m, list)
		}
		list = append(list, m)
	}
	return list
}

func (t *sea) quiet(c streamer.Consumer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Ctx, 50*time.Millisecond)
	defer cancel()
	if m, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("one message too many: %v, %v", m, err)
	}
}

func TestSeaStreamerConsumerGroup(t *testing.T) {
	for _, create := range []string{"auto", "always"} {
		t.Run("create="+create, func(t *testing.T) {
			sea := newSea(t)
			if sea == nil {
				return
			}
			stream := sea.stream()
			s := sea.open(stream, "create="+create)
			c, err := s.Consumer(sea.Ctx, trials.Reader(streamer.LoadBalanced))
			if create == "auto" {
				if !errors.Is(err, streamer.ErrNotFound) {
					t.Fatalf("Consumer of a stream that is not there: %v", err)
				}
				return
			}
			sea.Must("Consumer", err)
			sea.send(s, stream, 0, 5)
			ackAll(sea.Next(c, span(0, 5)...))
		})
	}
}

func TestSeaStreamerLoadBalance(t *testing.T) {
	sea := newSea(t)
	if sea == nil {
		return
	}
	stream := sea.stream()
	s := sea.open(stream, "create=always", "prefetch=1")
	members := []*trials.Intake{sea.Take(sea.Consumer(s, trials.Reader(streamer.LoadBalanced))), sea.Take(sea.Consumer(s, trials.Reader(streamer.LoadBalanced)))}
	taken := func() (a, b int) {
		a, _, _ = members[0].Delivered()
		b, _, _ = members[1].Delivered()
		return a, b
	}
	sent := 0
	sea.Eventually("both members have some", func() bool {
		sea.send(s, stream, sent, sent+10)
		sent += 10
		a, b := taken()
		return a > 0 && b > 0
	})
	sea.Eventually("each message is delivered", func() bool { a, b := taken(); return a+b >= sent })
	a, b := taken()
	t.Logf("%d messages: %d and %d", sent, a, b)
	if a+b != sent {
		t.Errorf("%d messages were delivered %d times", sent, a+b)
	}
}

// A member of ours hands back what it has not acknowledged when it closes;
// SeaStreamer's keep it until it is claimed.
func TestSeaStreamerFailover(t *testing.T) {
	sea := newSea(t)
	if sea == nil {
		return
	}
	stream := sea.stream()
	s := sea.open(stream, "create=always", "claim_idle=1s", "claim_interval=100ms")
	member := func(name string) streamer.Consumer {
		o := trials.Reader(streamer.LoadBalanced)
		o.Name = name
		return sea.Consumer(s, o)
	}
	alpha := member("alpha")
	sea.send(s, stream, 0, 5)
	sea.Next(alpha, span(0, 5)...) // and does not acknowledge
	beta := member("beta")
	sea.Must("alpha.Close", alpha.Close())
	ackAll(sea.Next(beta, span(0, 5)...))
	sea.send(s, stream, 5, 10)
	ackAll(sea.Next(beta, span(5, 10)...))
	sea.Must("beta.Close", beta.Close())
	alpha = member("alpha")
	sea.send(s, stream, 10, 12)
	ackAll(sea.Next(alpha, 10, 11))
	sea.quiet(alpha)
}

func TestSeaStreamerRealtime(t *testing.T) {
	for _, cluster := range []bool{false, true} {
		t.Run(fmt.Sprint("cluster=", cluster), func(t *testing.T) {
			sea := newSea(t)
			if sea == nil {
				return
			}
			if cluster {
				sea.hosts = strings.Join(testservers.RedisCluster(t), ",")
			}
			one, two := sea.stream(), sea.stream()
			s := sea.open(one)
			sea.send(s, one, 0, 5)
			sea.send(s, two, 0, 1)
			latest, other := sea.Consumer(s, streamer.ConsumerOptions{}), sea.Consumer(s, streamer.ConsumerOptions{})
			all := sea.Consumer(s, streamer.ConsumerOptions{Streams: []string{one, two}, AutoReset: streamer.Earliest})
			sea.Must("Close", other.Close())
			for _, m := range sea.send(s, one, 5, 10) {
				if m.Shard != 0 {
					t.Fatalf("receipt %+v", m)
				}
			}
			sea.Next(latest, span(5, 10)...)
			sea.quiet(latest)
			got := map[string]int{}
			for range 11 {
				m, err := all.Next(sea.Ctx)
				sea.Must("Next", err)
				if n := trials.NumberOf(m.Value); m.Stream == one && n != got[one] {
					t.Fatalf("message %d came instead of %d", n, got[one])
				}
				got[m.Stream]++
			}
			sea.quiet(all)
		})
	}
}

// The three tests of realtime-multi that are about a fast stream and quiet
// ones: what lands in a quiet one between two reads is not lost.
func TestSeaStreamerRealtimeMulti(t *testing.T) {
	for _, quiet := range []int{1, 3} {
		for _, history := range []int{0, 3} {
			t.Run(fmt.Sprintf("quiet=%d/history=%d", quiet, history), func(t *testing.T) {
				sea := newSea(t)
				if sea == nil {
					return
				}
				streams := []string{sea.stream()}
				s := sea.open(streams[0], "create=always")
				for range quiet {
					streams = append(streams, sea.stream())
				}
				for _, stream := range streams {
					sea.send(s, stream, 0, history)
				}
				c := sea.Consumer(s, streamer.ConsumerOptions{Streams: streams})
				want := map[string]int{}
				for round := range 5 { // multiple_rounds
					sea.send(s, streams[0], history+round*20, history+round*20+20)
					for _, stream := range streams[1:] {
						sea.send(s, stream, history+round, history+round+1)
					}
					for range 20 + quiet {
						m, err := c.Next(sea.Ctx)
						sea.Must("Next", err)
						if n := trials.NumberOf(m.Value); n != history+want[m.Stream] { // latest_skips_history, in order, none lost
							t.Fatalf("round %d: %s has message %d instead of %d", round, m.Stream, n, history+want[m.Stream])
						}
						want[m.Stream]++
					}
				}
				sea.quiet(c)
			})
		}
	}
}

func TestSeaStreamerAbsentStreams(t *testing.T) {
	for name, reset := range map[string]streamer.AutoReset{"latest": streamer.Latest, "earliest": streamer.Earliest} {
		t.Run(name, func(t *testing.T) {
			sea := newSea(t)
			if sea == nil {
				return
			}
			streams := []string{sea.stream(), sea.stream(), sea.stream()}
			s := sea.open(streams[0], "create=always")
			c := sea.Consumer(s, streamer.ConsumerOptions{Streams: streams, AutoReset: reset})
			for round := range 5 {
				for _, stream := range streams {
					sea.send(s, stream, round, round+1)
				}
				for range streams {
					m, err := c.Next(sea.Ctx)
					sea.Must("Next", err)
					if n := trials.NumberOf(m.Value); n != round {
						t.Fatalf("round %d: %s has message %d", round, m.Stream, n)
					}
				}
			}
		})
	}
}
