package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	// maxName is the longest name of a topic.
	maxName = 249
	// settlingTime is how long brokers may not know a topic yet that another
	// one has created.
	settlingTime = 500 * time.Millisecond
	// patience bounds how long an operation waits for leaders and coordinators
	// that are being chosen.
	patience = 30 * time.Second
	// firstPause and lastPause are the pauses between two looks at the cluster.
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
)

// topic is what a stream is in the cluster.
type topic struct {
	name   string
	id     kadm.TopicID
	shards int
	ready  bool    // every partition has a leader
	epochs []int32 // of the leaders, by partition; also of the last one where there is none
	unled  []error // by partition: why it has no leader; nil where it has one
}

// each lists the topic's shards.
func (t *topic) each() []streamer.StreamShard {
	all := make([]streamer.StreamShard, t.shards)
	for i := range all {
		all[i] = streamer.StreamShard{Stream: t.name, Shard: streamer.ShardID(i)} //nolint:gosec // a partition's number
	}
	return all
}

// checkName refuses what cannot be a topic: ErrInvalid.
func checkName(name string) error {
	ok := len(name) <= maxName && name != "" && name != "." && name != ".."
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return fmt.Errorf("%w stream name %.260q: a topic has 1 to %d of A-Z a-z 0-9 . _ -", streamer.ErrInvalid, name, maxName)
	}
	return nil
}

// topics looks streams up. One that does not exist is made with CreateAlways,
// else ErrNotFound.
func (b *backend) topics(ctx context.Context, names []string) (map[string]topic, error) {
	all := make(map[string]topic, len(names))
	for _, name := range names {
		if err := checkName(name); err != nil {
			return nil, err
		}
		t, err := b.topic(ctx, name)
		if errors.Is(err, streamer.ErrNotFound) && b.cfg.Create == streamer.CreateAlways {
			t, err = b.make(ctx, name)
		}
		if err != nil {
			return nil, hinted(name, err, errNoTopicToRead)
		}
		all[name] = t
	}
	return all, nil
}

// topic looks one topic up. What another broker has just made is waited for,
// and so are leaders.
func (b *backend) topic(ctx context.Context, name string) (topic, error) {
	began := time.Now()
	p := newPacer()
	for {
		t, err := b.look(ctx, name)
		switch waited := time.Since(began); {
		case err == nil && (t.ready || waited > settlingTime):
			return t, nil
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			if waited > settlingTime {
				return topic{}, notFound(name)
			}
		case err != nil && (!isCold(err) || waited > patience):
			return topic{}, onStream(name, err)
		}
		if err := p.wait(ctx); err != nil {
			return topic{}, err
		}
	}
}

// look asks a broker what it knows of a topic now.
func (b *backend) look(ctx context.Context, name string) (topic, error) {
	md, err := b.adm.Metadata(ctx, name)
	if err != nil {
		return topic{}, b.explain(ctx, err)
	}
	d, ok := md.Topics[name]
	if !ok {
		return topic{}, kerr.UnknownTopicOrPartition
	}
	if d.Err != nil {
		return topic{}, d.Err
	}
	return topicOf(&d), nil
}

func topicOf(d *kadm.TopicDetail) topic {
	n := len(d.Partitions)
	t := topic{name: d.Topic, id: d.ID, shards: n, ready: n > 0, epochs: make([]int32, n), unled: make([]error, n)}
	for id, p := range d.Partitions {
		err := p.Err
		if err == nil && p.Leader < 0 {
			err = kerr.LeaderNotAvailable
		}
		if t.ready = t.ready && err == nil; int(id) < n {
			t.epochs[id], t.unled[id] = p.LeaderEpoch, err
		}
	}
	return t
}

// make creates a topic as the Config says, or finds that another process just
// has.
func (b *backend) make(ctx context.Context, name string) (topic, error) {
	if err := b.create(ctx, name, b.cfg.Shards); err != nil && !errors.Is(err, streamer.ErrExists) {
		return topic{}, err
	}
	return b.topic(ctx, name)
}

// create makes a topic and returns when it can be used. No shards are the
// broker's default.
func (b *backend) create(ctx context.Context, name string, shards int) error {
	if shards == 0 {
		shards = -1
	}
	replicas := b.cfg.Replicas
	if replicas == 0 {
		replicas = -1
	}
	_, err := b.adm.CreateTopic(ctx, int32(shards), int16(replicas), nil, name) //nolint:gosec // Config.check bounds them
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return onStream(name, err)
	}
	return b.awaitTopic(ctx, name)
}

// awaitTopic waits until a topic that was made has its leaders.
func (b *backend) awaitTopic(ctx context.Context, name string) error {
	began := time.Now()
	p := newPacer()
	for {
		t, err := b.look(ctx, name)
		switch {
		case err == nil && t.ready:
			return nil
		case err != nil && !isVanished(err) && !isCold(err) && !isNetwork(err):
			return onStream(name, err)
		case time.Since(began) > patience:
			return onStream(name, fmt.Errorf("the topic was created and has no leader after %v", patience))
		}
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
}

// isCold says that the cluster needs a moment: a leader or a coordinator is
// being chosen, or has moved.
func isCold(err error) bool {
	for _, code := range [...]error{
		kerr.CoordinatorNotAvailable, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.LeaderNotAvailable, kerr.NotLeaderForPartition,
		kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.ReplicaNotAvailable, kerr.OffsetNotAvailable, kerr.KafkaStorageError,
		kerr.BrokerNotAvailable, kerr.NotController, kerr.RequestTimedOut, kerr.NetworkException, kerr.UnstableOffsetCommit,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// retryWhileLoading calls f until the cluster is ready for it.
func retryWhileLoading(ctx context.Context, f func() error) error {
	began := time.Now()
	p := newPacer()
	for {
		err := f()
		if err == nil || ctx.Err() == nil && (!isCold(err) || time.Since(began) > patience) {
			return err
		}
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
}
