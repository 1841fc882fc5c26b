package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// twin is a consumer of two topics, into both of which records flow: r.topic,
// which is deleted and recreated, and a second one that is left alone.
type twin struct {
	*rig
	other   string
	c       streamer.Consumer
	retries atomic.Int64
	stop    chan struct{}
	flows   sync.WaitGroup

	mu   sync.Mutex
	next map[string]map[streamer.ShardID]uint64 // the offset that is due
	seen map[string]int
	jump error // a message of other that was lost or delivered twice
}

func twins(r *rig, o streamer.ConsumerOptions) *twin {
	r.Helper()
	w := &twin{rig: r, other: "other-" + uuid.NewString(), stop: make(chan struct{}), seen: map[string]int{}, next: map[string]map[streamer.ShardID]uint64{}}
	mine := r.topic
	r.topic = w.other
	r.create(2, nil)
	r.topic = mine
	r.Cleanup(func() { _, _ = r.adm.DeleteTopics(context.Background(), w.other) })
	s := r.connect(kafka.Config{Create: streamer.CreateAlways, Shards: 2}, streamer.StreamerOptions{
		Hooks: streamer.Hooks{Retrying: func(streamer.RetryEvent) { w.retries.Add(1) }}})
	o.Streams = []string{r.topic, w.other}
	o.CommitEvery = 20 * time.Millisecond
	c, err := s.Consumer(r.ctx(), o)
	r.must(err)
	w.c = c
	for _, topic := range o.Streams {
		w.flow(topic)
	}
	w.take()
	r.Cleanup(w.end)
	return w
}

// flow sends records until the test ends, each when the one before is stored or
// has failed.
func (w *twin) flow(topic string) {
	s := w.connect(kafka.Config{Create: streamer.CreateNever}, streamer.StreamerOptions{})
	p, err := s.Producer(w.ctx(), streamer.ProducerOptions{Stream: topic})
	w.must(err)
	w.flows.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-w.stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			_, _ = p.Send(context.Background(), streamer.Record{Value: fmt.Append(nil, i)}).Wait(context.Background())
		}
	})
}

// take acknowledges messages until the test ends.
func (w *twin) take() {
	ctx, cancel := context.WithCancel(context.Background())
	w.flows.Go(func() {
		<-w.stop
		cancel()
	})
	w.flows.Go(func() {
		for {
			m, err := w.c.Next(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				w.Errorf("Next: %v", err)
				return
			}
			w.note(m)
			m.Ack()
		}
	})
}

func (w *twin) note(m *streamer.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[m.Stream]++
	if w.next[m.Stream] == nil {
		w.next[m.Stream] = map[streamer.ShardID]uint64{}
	}
	if due := w.next[m.Stream][m.Shard]; m.Stream == w.other && m.Seq.Uint() != due {
		w.jump = errors.Join(w.jump, fmt.Errorf("shard %d: %d instead of %d", m.Shard, m.Seq.Uint(), due))
	}
	w.next[m.Stream][m.Shard] = m.Seq.Uint() + 1
}

func (w *twin) end() {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	w.flows.Wait()
}

func (w *twin) got(topic string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[topic]
}

// proceeds waits for more messages of a topic.
func (w *twin) proceeds(topic string) {
	w.Helper()
	from := w.got(topic)
	w.until("messages of "+topic, func() bool { return w.got(topic) >= from+20 })
}

// readToTheEnd waits until the consumer has the last record of the new topic:
// it continues from the beginning, not from where it was in the old one.
func (w *twin) readToTheEnd() {
	w.Helper()
	ends, err := w.adm.ListEndOffsets(w.ctx(), w.topic)
	w.must(err)
	ends.Each(func(o kadm.ListedOffset) {
		w.until(fmt.Sprintf("offset %d of partition %d", o.Offset-1, o.Partition), func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.next[w.topic][streamer.ShardID(o.Partition)] >= uint64(o.Offset) //nolint:gosec // never negative
		})
	})
}

func (w *twin) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.next, w.topic)
}

func TestATopicMadeAnewWhileRecordsFlowStopsNeitherItsConsumerNorOtherTopics(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		w := twins(r, o)
		w.proceeds(w.topic)
		for round := range 3 {
			r.delete()
			r.create(2+round, nil)
			w.proceeds(w.topic)
			w.proceeds(w.other)
			r.must(w.c.Commit(r.ctx()))
			w.forget()
			w.proceeds(w.topic)
			w.readToTheEnd()
		}
		w.end()
		r.must(w.c.Commit(r.ctx()))
		r.must(w.c.Close())
		if w.jump != nil {
			r.Errorf("the topic that was left alone: %v", w.jump)
		}
	})
}

func TestATopicThatIsGoneForAWhileHoldsUpNoOther(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		w := twins(r, o)
		w.proceeds(w.topic)
		r.delete()
		w.proceeds(w.other)
		r.must(w.c.Commit(r.ctx()))
		before := w.retries.Load()
		for range 10 {
			w.proceeds(w.other)
		}
		if n := w.retries.Load() - before; n > 5 {
			r.Errorf("%d retries while the topic was away", n)
		}
		r.must(w.c.Commit(r.ctx()))
		r.create(1, nil)
		w.proceeds(w.topic)
		w.end()
		r.must(w.c.Commit(r.ctx()))
		if w.jump != nil {
			r.Errorf("the topic that was left alone: %v", w.jump)
		}
	})
}

// TestAGroupThatStartedAtTheEndReadsATopicMadeAnewFromItsBeginning: where the
// group started in the old topic says nothing about the new one.
func TestAGroupThatStartedAtTheEndReadsATopicMadeAnewFromItsBeginning(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		s := r.connect(kafka.Config{Create: streamer.CreateAlways}, streamer.StreamerOptions{})
		r.send(r.producer(s), 0, 30)
		o.AutoReset = streamer.Latest
		c := r.consumer(s, o)
		r.delete()
		r.create(2, nil)
		r.send(r.producer(s), 0, 10)
		for _, m := range r.expect(c, 0, 10) {
			m.Ack()
		}
		r.must(c.Commit(r.ctx()))
	})
}

func TestTheErrorOfATopicThatIsGoneNamesIt(t *testing.T) {
	perMode(t, func(r *rig, o streamer.ConsumerOptions) {
		s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
		other := "other-" + uuid.NewString()
		admin := s.Admin()
		r.must(admin.Create(r.ctx(), other, 1))
		r.Cleanup(func() { _, _ = r.adm.DeleteTopics(context.Background(), other) })
		o.Streams = []string{other, r.topic}
		c, err := s.Consumer(r.ctx(), o)
		r.must(err)
		r.send(r.producer(s), 0, 5)
		for _, m := range r.expect(c, 0, 5) {
			m.Ack()
		}
		r.delete()
		named := func(what string, err error) {
			var e *streamer.Error
			if !errors.Is(err, streamer.ErrNotFound) || !errors.As(err, &e) || e.Stream != r.topic {
				r.Errorf("%s: %v, want ErrNotFound that names %s", what, err, r.topic)
			}
			if errors.Is(err, kerr.UnknownTopicID) {
				r.Errorf("%s: %v", what, err)
			}
		}
		if o.Mode != streamer.RealTime {
			named("Commit", c.Commit(r.ctx()))
		}
		_, err = c.Next(r.ctx())
		named("Next", err)
	})
}
