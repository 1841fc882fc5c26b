package kafka_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
)

// balance counts what was acknowledged in time.
type balance struct {
	mu     sync.Mutex
	copies map[string]int
}

// take acknowledges messages until ctx ends.
func (b *balance) take(ctx context.Context, c streamer.Consumer) {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return
		}
		if m.Ack() {
			b.mu.Lock()
			b.copies[string(m.Value)]++
			b.mu.Unlock()
		}
	}
}

func (b *balance) different() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.copies)
}

func (b *balance) twice() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, copies := range b.copies {
		if copies > 1 {
			n++
		}
	}
	return n
}

// sendUntil sends different messages until stop is closed, and says how many.
func sendUntil(r *rig, stop <-chan struct{}) (sent int) {
	p := r.producer(r.connect(kafka.Config{}, streamer.StreamerOptions{}))
	for {
		select {
		case <-stop:
			if err := p.Close(); err != nil {
				r.Error(err)
			}
			return sent
		case <-time.After(time.Millisecond):
		}
		for range 20 {
			p.Send(context.Background(), streamer.Record{Value: fmt.Append(nil, sent), Key: fmt.Append(nil, sent%100)})
			sent++
		}
	}
}

// Members come and go all the time: nothing is lost, and nothing comes twice
// that was acknowledged in time.
func TestMembersComeAndGoUnderLoad(t *testing.T) {
	const comers, cycles, shards = 2, 50, 6
	r := onReal(t, shards, nil)
	if r == nil {
		return
	}
	o := streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: r.topic, AutoReset: streamer.Earliest, Ack: streamer.AckManual}
	b := balance{copies: make(map[string]int)}
	stays := r.consumer(r.connect(kafka.Config{}, streamer.StreamerOptions{}), o)
	var work sync.WaitGroup
	staying, leave := context.WithCancel(t.Context())
	work.Go(func() { b.take(staying, stays) })
	stop, sent := make(chan struct{}), make(chan int, 1)
	work.Go(func() { sent <- sendUntil(r, stop) })

	var cycle atomic.Int64
	var coming sync.WaitGroup
	for range comers {
		coming.Go(func() {
			for cycle.Add(1) <= cycles {
				s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
				c := r.consumer(s, o)
				ctx, cancel := context.WithTimeout(t.Context(), 2*quick)
				b.take(ctx, c)
				cancel()
				r.must(s.Close())
			}
		})
	}
	coming.Wait()
	close(stop)
	n := <-sent
	r.until("everything to arrive", func() bool { return b.different() == n })
	leave()
	work.Wait()
	t.Logf("%d messages over %d cycles of join and leave: 0 lost, %d twice", n, cycles, b.twice())
	if b.twice() > 0 {
		t.Errorf("%d messages came twice that were acknowledged in time", b.twice())
	}
}
