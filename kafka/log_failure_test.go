package kafka_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
)

// warned is a log of warnings.
type warned struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *warned) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *warned) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Split(strings.TrimSpace(w.b.String()), "\n")
}

func TestABrokerThatIsAwayIsOneWarningForEachConsumerAndProducer(t *testing.T) {
	server := testservers.StartKafka(t, testservers.KafkaOptions{})
	if server == nil {
		return
	}
	r := &rig{TB: t, brokers: server.Addrs()}
	r.prepare(2, nil)
	logs := map[string]*warned{}
	var retries sync.Map
	connect := func(name string) streamer.Streamer {
		logs[name] = &warned{}
		s, err := streamer.ConnectWith(r.ctx(), "kafka://"+r.brokers[0]+"/"+r.topic, streamer.StreamerOptions{
			Logger: slog.New(slog.NewTextHandler(logs[name], &slog.HandlerOptions{Level: slog.LevelWarn})),
			Hooks:  streamer.Hooks{Retrying: func(streamer.RetryEvent) { retries.Store(name, true) }},
		})
		r.must(err)
		t.Cleanup(func() { s.Close() })
		return s
	}
	consumers := map[string]streamer.Consumer{}
	for name, o := range map[string]streamer.ConsumerOptions{
		"real time":     {},
		"resumable":     {Mode: streamer.Resumable, Group: "resumable"},
		"load balanced": {Mode: streamer.LoadBalanced, Group: "balanced"},
	} {
		o.Start, o.CommitEvery = streamer.End(), 100*time.Millisecond
		c, err := connect(name).Consumer(r.ctx(), o)
		r.must(err)
		consumers[name] = c
	}
	p, err := connect("producer").Producer(r.ctx(), streamer.ProducerOptions{})
	r.must(err)
	there := func() {
		_, err := p.Send(r.ctx(), streamer.Record{Value: []byte("x")}).Wait(r.ctx())
		r.must(err)
		for _, c := range consumers {
			_, err := c.Next(r.ctx())
			r.must(err)
		}
	}
	there()

	server.Kill()
	receipt := p.Send(context.Background(), streamer.Record{Value: []byte("y")})
	time.Sleep(12 * time.Second) // the time that the broker is away is what this is about
	server.Restart()
	_, err = receipt.Wait(r.ctx())
	r.must(err)
	there()
	for name, log := range logs {
		if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "retrying") {
			t.Errorf("%s has %d warnings, want 1:\n%s", name, len(lines), strings.Join(lines, "\n"))
		}
		if _, told := retries.Load(name); !told {
			t.Errorf("%s: the hook was not called", name)
		}
	}
}
