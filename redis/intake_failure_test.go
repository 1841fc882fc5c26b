package redis_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/gostreamer/streamer"
)

// intake is what one consumer delivered. Its goroutine is joined by stop.
type intake struct {
	t        *trial
	consumer streamer.Consumer
	cancel   context.CancelFunc
	done     chan struct{}

	mu       sync.Mutex
	messages int
	copies   map[string]int // deliveries of each message, by place
	backward int            // first deliveries of a shard that did not rise
	last     map[streamer.StreamShard]streamer.SeqNo
	err      error // that ended it
}

// take starts to take messages, and to acknowledge each.
func (t *trial) take(c streamer.Consumer) *intake {
	ctx, cancel := context.WithCancel(t.ctx)
	in := &intake{t: t, consumer: c, cancel: cancel, done: make(chan struct{}), copies: map[string]int{}, last: map[streamer.StreamShard]streamer.SeqNo{}}
	go in.run(ctx)
	t.Cleanup(func() { cancel(); <-in.done })
	return in
}

func (in *intake) run(ctx context.Context) {
	defer close(in.done)
	for {
		m, err := in.consumer.Next(ctx)
		if err != nil {
			in.end(ctx, err)
			return
		}
		in.count(m)
		m.Ack()
	}
}

func (in *intake) end(ctx context.Context, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if ctx.Err() == nil {
		in.err = err
	}
}

func (in *intake) count(m *streamer.Message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
	in.messages++
	place := placeOf(s, m.Seq)
	if in.copies[place]++; in.copies[place] > 1 {
		return
	}
	if in.last[s] != (streamer.SeqNo{}) && m.Seq.Compare(in.last[s]) <= 0 {
		in.backward++
	}
	in.last[s] = m.Seq
}

func placeOf(s streamer.StreamShard, seq streamer.SeqNo) string { return fmt.Sprint(s.Shard, " ", seq) }

// delivered is how many messages came, how many of these had come before, and the error that ended it.
func (in *intake) delivered() (messages, repeated int, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.messages, in.messages - len(in.copies), in.err
}

// proceeds waits until more messages have come.
func (in *intake) proceeds(more int) {
	in.t.Helper()
	before, _, _ := in.delivered()
	in.t.eventually("the consumer goes on", func() bool {
		n, _, err := in.delivered()
		if err != nil {
			in.t.Fatalf("Next: %v", err)
		}
		return n >= before+more
	})
}

// missing says how many of these places have not come yet.
func (in *intake) missing(places []string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for _, p := range places {
		if in.copies[p] == 0 {
			n++
		}
	}
	return n
}

func (in *intake) stop() {
	in.cancel()
	<-in.done
}
