package kafka_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestStreamsListsOnlyWhatExists(t *testing.T) {
	r := onReal(t, 1, nil)
	if r == nil {
		return
	}
	admin := r.connect(kafka.Config{}, streamer.StreamerOptions{}).Admin()
	for range 20 {
		missing := "missing-" + uuid.NewString()
		if _, err := admin.Describe(r.ctx(), missing); !errors.Is(err, streamer.ErrNotFound) {
			t.Fatalf("Describe: %v", err)
		}
		names, err := admin.Streams(r.ctx(), "")
		r.must(err)
		if slices.Contains(names, missing) || !slices.Contains(names, r.topic) {
			t.Fatalf("Streams: %v", names)
		}
	}
}

// TestGroupsOfTheNewerProtocolAreCountedBesideOthers: KIP-848, which Java's
// clients speak with group.protocol=consumer.
func TestGroupsOfTheNewerProtocolAreCountedBesideOthers(t *testing.T) {
	r := onReal(t, 2, nil)
	if r == nil {
		return
	}
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
	r.send(r.producer(s), 0, 10)
	o := memberOf(r)
	o.Group = "classic-" + r.topic
	c := r.consumer(s, o)
	for _, m := range r.expect(c, 0, 5) {
		m.Ack()
	}
	r.must(c.Commit(r.ctx()))
	newer := "newer-" + r.topic
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.ConsumerGroup(newer), kgo.ConsumeTopics(r.topic), kgo.ServerSideBalancer(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	r.must(err)
	defer cl.Close()
	taken := 0
	for taken < 10 {
		taken += cl.PollRecords(r.ctx(), 10).NumRecords()
	}
	r.must(cl.CommitUncommittedOffsets(r.ctx()))
	groups, err := s.Admin().Groups(r.ctx(), r.topic)
	r.must(err)
	members := map[string]int{}
	for _, g := range groups {
		members[g.Name] = g.Members
	}
	if members[newer] != 1 || members[o.Group] != 1 {
		t.Errorf("Groups: %+v", groups)
	}
	if err := s.Admin().ResetGroup(r.ctx(), r.topic, newer, streamer.Beginning()); !errors.Is(err, streamer.ErrBusy) {
		t.Errorf("ResetGroup of a group that has a member: %v", err)
	}
}
