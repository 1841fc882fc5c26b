package kafka_test

import (
	"errors"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
)

func resumableOf(r *rig) streamer.ConsumerOptions {
	return streamer.ConsumerOptions{Mode: streamer.Resumable, Group: r.topic, AutoReset: streamer.Earliest, Ack: streamer.AckManual}
}

// An owner that commits nothing learns too that another one has taken over.
func TestAnIdleOwnerIsToldThatItWasReplaced(t *testing.T) {
	r := onReal(t, 2, nil)
	if r == nil {
		return
	}
	first := r.consumer(r.connect(kafka.Config{}, streamer.StreamerOptions{}), resumableOf(r))
	second := r.consumer(r.connect(kafka.Config{}, streamer.StreamerOptions{}), resumableOf(r))
	if _, err := first.Next(r.ctx()); !errors.Is(err, streamer.ErrFenced) {
		t.Errorf("Next of the first owner: %v", err)
	}
	r.send(r.producer(r.connect(kafka.Config{}, streamer.StreamerOptions{})), 0, 3)
	for _, m := range r.expect(second, 0, 3) {
		m.Ack()
	}
	r.must(second.Commit(r.ctx()))
	first.Close()
	r.must(second.Close())
}

func TestAGroupIsEitherSharedOrOwned(t *testing.T) {
	r := onReal(t, 2, nil)
	if r == nil {
		return
	}
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
	o := resumableOf(r)
	o.Mode = streamer.LoadBalanced
	c := r.consumer(s, o)
	_, err := s.Consumer(r.ctx(), func() streamer.ConsumerOptions { o := resumableOf(r); o.Streams = []string{r.topic}; return o }())
	if !errors.Is(err, streamer.ErrBusy) {
		t.Errorf("a Resumable consumer of a group that is shared: %v", err)
	}
	r.must(c.Close())
	r.consumer(s, resumableOf(r))
}

// Positions of a group without commits in a shard are durable when Consumer has
// returned, in every order of members.
func TestEveryMemberFindsThePositionsOfTheFirst(t *testing.T) {
	r := onReal(t, 3, nil)
	if r == nil {
		return
	}
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
	o := streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: r.topic, AutoReset: streamer.Latest}
	for range 3 {
		r.consumer(s, o)
	}
	groups, err := s.Admin().Groups(r.ctx(), r.topic)
	r.must(err)
	if len(groups) != 1 || groups[0].Members != 3 || len(groups[0].Lag) != 3 {
		t.Errorf("Groups: %+v", groups)
	}
}
