package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
)

// strangers are members of groups that other clients make. They print the value
// of each record; n ends them, 0 never.
func strangers(t *testing.T) map[string]func(r *rig, n int) *exec.Cmd {
	return map[string]func(*rig, int) *exec.Cmd{
		"Java": func(r *rig, n int) *exec.Cmd {
			args := []string{"--bootstrap-server", r.brokers[0], "--topic", r.topic, "--group", r.topic}
			if n > 0 {
				args = append(args, "--max-messages", fmt.Sprint(n), "--timeout-ms", fmt.Sprint(hang.Milliseconds()))
			}
			return testservers.KafkaTool(t, consoleConsumer, args...)
		},
		"librdkafka": func(r *rig, n int) *exec.Cmd {
			args := []string{"-b", r.brokers[0], "-q", "-u", "-X", "auto.offset.reset=earliest", "-G", r.topic, r.topic}
			if n > 0 {
				args = append([]string{"-c", fmt.Sprint(n)}, args...)
			}
			return testservers.Kcat(t, args...)
		},
	}
}

func memberOf(r *rig) streamer.ConsumerOptions {
	return streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: r.topic, AutoReset: streamer.Earliest}
}

// numbers are the lines "from" to "to"-1.
func numbers(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func TestOtherClientsAndWeGoOnWhereAGroupIs(t *testing.T) {
	t.Parallel()
	const first, second, third = 30, 70, 100
	for name, stranger := range strangers(t) {
		t.Run(name, func(t *testing.T) {
			r := onReal(t, 1, nil)
			if r == nil {
				return
			}
			tool := stranger(r, second-first)
			if tool == nil {
				return
			}
			s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
			p := r.producer(s)
			r.send(p, 0, second)
			c := r.consumer(s, memberOf(r))
			for _, m := range r.expect(c, 0, first) {
				m.Ack()
			}
			r.must(c.Close())
			r.sameLines(strings.Fields(r.output(tool, "")), numbers(first, second))
			r.send(p, second, third)
			r.expect(r.consumer(s, memberOf(r)), second, third)
		})
	}
}

// shown is what a tool that runs has printed.
type shown struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *shown) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *shown) values() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Fields(s.text.String())
}

// run starts a tool that is killed when the test ends.
func (r *rig) run(tool *exec.Cmd) *shown {
	r.Helper()
	var out shown
	tool.Stdout = &out
	r.must(tool.Start())
	r.Cleanup(func() {
		_ = tool.Process.Kill() // it may have ended by itself
		_ = tool.Wait()         // it was killed
	})
	return &out
}

func TestAGroupIsSharedWithMembersOfOtherClients(t *testing.T) {
	t.Parallel()
	const n = 200
	fits := map[string]kafka.Config{"Java": {}, "librdkafka": {Balancers: []kafka.Balancer{kafka.Range}}}
	for name, stranger := range strangers(t) {
		t.Run(name, func(t *testing.T) {
			r := onReal(t, 4, nil)
			if r == nil {
				return
			}
			tool := stranger(r, 0)
			if tool == nil {
				return
			}
			theirs := r.run(tool)
			s := r.connect(fits[name], streamer.StreamerOptions{})
			r.awaitMember()
			if len(fits[name].Balancers) > 0 {
				_, err := r.connect(kafka.Config{}, streamer.StreamerOptions{}).Consumer(r.ctx(), func() streamer.ConsumerOptions {
					o := memberOf(r)
					o.Streams = []string{r.topic}
					return o
				}())
				if !errors.Is(err, streamer.ErrInvalid) || !strings.Contains(err.Error(), "balancers=") {
					t.Errorf("a member that shares in another way: %v", err)
				}
			}
			c := r.consumer(s, memberOf(r))
			r.until("the shards to be shared", func() bool { return len(c.Assignment()) == 2 })
			p := r.producer(s)
			for i := range n {
				p.Send(r.ctx(), streamer.Record{Key: fmt.Append(nil, i), Value: fmt.Append(nil, i)})
			}
			r.must(p.Flush(r.ctx()))
			ours := r.takeUntil(c, func(ours int) bool { return ours+len(theirs.values()) >= n })
			r.sameLines(append(ours, theirs.values()...), numbers(0, n))
			if len(ours) == 0 || len(ours) == n {
				t.Errorf("%d of %d messages came to us", len(ours), n)
			}
		})
	}
}

// awaitMember waits until the group named as the topic has a member.
func (r *rig) awaitMember() {
	r.Helper()
	r.until("a member of the group", func() bool {
		described, err := r.adm.DescribeGroups(r.ctx(), r.topic)
		return err == nil && described[r.topic].State == "Stable"
	})
}

// takeUntil takes messages until enough says so.
func (r *rig) takeUntil(c streamer.Consumer, enough func(n int) bool) (values []string) {
	r.Helper()
	ctx, stop := context.WithCancel(r.ctx())
	defer stop()
	var mu sync.Mutex
	var work sync.WaitGroup
	work.Go(func() {
		for m, err := range c.Messages(ctx) {
			if err != nil {
				r.Error(err)
				return
			}
			mu.Lock()
			values = append(values, string(m.Value))
			mu.Unlock()
		}
	})
	r.until("all messages", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return enough(len(values))
	})
	stop()
	work.Wait()
	return values
}
