package trials

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// Intake is what one consumer delivered. Its goroutine is joined by Stop.
type Intake struct {
	t        *Trial
	consumer streamer.Consumer
	cancel   context.CancelFunc
	done     chan struct{}

	mu       sync.Mutex
	messages int
	copies   map[string]int // deliveries of each message, by place
	backward int            // first deliveries of a shard that did not rise
	last     map[streamer.StreamShard]streamer.SeqNo
	err      error // that ended it

	// of Watch:
	committed map[streamer.StreamShard]streamer.SeqNo // up to here; nil: it does not matter
	after     int                                     // messages that were redelivered though they were committed
	watching  sync.WaitGroup
}

// Take starts to take messages, and to acknowledge each.
func (t *Trial) Take(c streamer.Consumer) *Intake {
	ctx, cancel := context.WithCancel(t.Ctx)
	in := &Intake{t: t, consumer: c, cancel: cancel, done: make(chan struct{}), copies: map[string]int{}, last: map[streamer.StreamShard]streamer.SeqNo{}}
	go in.run(ctx)
	t.Cleanup(func() { cancel(); <-in.done })
	return in
}

func (in *Intake) run(ctx context.Context) {
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

// Watch is for a member of a group that may lose its shards, after which all
// that is uncommitted is redelivered. It asks the server all the time, in a
// goroutine that Stop joins, up to where the group has committed; from now on
// nothing that comes after that counts as repeated.
func (in *Intake) Watch(committed func(context.Context) (map[streamer.StreamShard]streamer.SeqNo, error)) {
	ctx, cancel := context.WithCancel(in.t.Ctx)
	in.watching.Go(func() {
		defer cancel()
		for ticks := time.NewTicker(commitEvery); ; {
			select {
			case <-ticks.C:
				if upTo, err := committed(ctx); err == nil {
					in.mu.Lock()
					in.committed = upTo
					in.mu.Unlock()
				}
			case <-in.done:
				ticks.Stop()
				return
			}
		}
	})
	in.mu.Lock()
	in.committed = map[streamer.StreamShard]streamer.SeqNo{}
	in.mu.Unlock()
	in.t.Cleanup(func() { cancel(); in.Stop() })
}

func (in *Intake) end(ctx context.Context, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if ctx.Err() == nil {
		in.err = err
	}
}

func (in *Intake) count(m *streamer.Message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
	in.messages++
	if c, ok := in.committed[s]; ok && m.Seq.Compare(c) <= 0 {
		in.after++
	}
	place := placeOf(m.Shard, m.Seq.String())
	if in.copies[place]++; in.copies[place] > 1 {
		return
	}
	if in.last[s] != (streamer.SeqNo{}) && m.Seq.Compare(in.last[s]) <= 0 {
		in.backward++
	}
	in.last[s] = m.Seq
}

// placeOf names where a message is.
func placeOf(shard streamer.ShardID, seq string) string { return fmt.Sprint(shard, " ", seq) }

// Delivered is how many messages came, how many of these had come before, and
// the error that ended it.
func (in *Intake) Delivered() (messages, repeated int, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.messages, in.messages - len(in.copies), in.err
}

// Proceeds waits until more messages have come.
func (in *Intake) Proceeds(more int) {
	in.t.Helper()
	before, _, _ := in.Delivered()
	in.t.Eventually("the consumer goes on", func() bool {
		n, _, err := in.Delivered()
		if err != nil {
			in.t.Fatalf("Next: %v", err)
		}
		return n >= before+more
	})
}

// AwaitShard waits until a stream's next message of a shard has come, and says
// how long that took.
func (in *Intake) AwaitShard(s streamer.StreamShard) time.Duration {
	in.t.Helper()
	begin := time.Now()
	last := func() streamer.SeqNo {
		in.mu.Lock()
		defer in.mu.Unlock()
		return in.last[s]
	}
	before := last()
	in.t.Eventually(fmt.Sprint("a message of shard ", s.Shard), func() bool { return last() != before || in.Failed() })
	return time.Since(begin)
}

// Failed says that the consumer has ended with an error.
func (in *Intake) Failed() bool {
	_, _, err := in.Delivered()
	return err != nil
}

// missing says how many of these entries have not come yet.
func (in *Intake) missing(all []Entry) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for _, e := range all {
		if in.copies[e.place()] == 0 {
			n++
		}
	}
	return n
}

// Stop ends taking.
func (in *Intake) Stop() {
	in.cancel()
	<-in.done
	in.watching.Wait()
}

// Next takes messages of a consumer and checks their numbers.
func (t *Trial) Next(c streamer.Consumer, want ...int) []*streamer.Message {
	t.Helper()
	var list []*streamer.Message
	for _, n := range want {
		m, err := c.Next(t.Ctx)
		t.Must(fmt.Sprintf("Next for message %d", n), err)
		if got := NumberOf(m.Value); got != n {
			t.Fatalf("message %d came instead of %d", got, n)
		}
		list = append(list, m)
	}
	return list
}
