package kafka_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// loaded is a site on which a producer sends and a consumer of each mode reads.
type loaded struct {
	*site
	flow    *trials.Flow
	readers []*loadedReader
}

type loadedReader struct {
	*trials.Intake
	consumer streamer.Consumer
	options  streamer.ConsumerOptions
}

// pace is one at which brokers are busy and still catch up at once.
var pace = trials.Pace{Burst: 10, Every: 5 * time.Millisecond, Shards: 3}

func underLoad(at *site, options ...string) *loaded {
	at.Helper()
	t := at.Trial
	l := &loaded{site: at}
	s := t.Connect(at.uri(options...))
	modes := trials.Modes()
	for _, name := range slices.Sorted(maps.Keys(modes)) {
		o := trials.Reader(modes[name])
		if o.Group != "" {
			o.Group = name
		}
		r := &loadedReader{consumer: t.Consumer(s, o), options: o}
		r.Intake = t.Take(r.consumer)
		if o.Mode == streamer.LoadBalanced { // the client gives its shards up when the coordinator does not answer for two seconds
			r.Watch(func(ctx context.Context) (map[streamer.StreamShard]streamer.SeqNo, error) {
				return at.done(ctx, o.Group)
			})
		}
		l.readers = append(l.readers, r)
	}
	l.flow = t.Flow(t.Producer(s), pace)
	l.proceed(100)
	return l
}

func (l *loaded) proceed(more int) {
	l.Helper()
	for _, r := range l.readers {
		r.Proceeds(more)
	}
}

// goOn waits until both sides have gone on, in every shard, and says how long
// that took.
func (l *loaded) goOn() time.Duration {
	l.Helper()
	before := time.Now()
	l.flow.Proceeds(1)
	for _, r := range l.readers {
		for shard := range l.shards {
			r.AwaitShard(streamer.StreamShard{Stream: orders, Shard: streamer.ShardID(shard)}) //nolint:gosec // a few
		}
	}
	return time.Since(before)
}

// finish ends the load and draws the balance.
func (l *loaded) finish() {
	l.Helper()
	l.proceed(100)
	l.flow.Stop()
	all := l.entries()
	for _, r := range l.readers {
		l.Log(trials.NameOf(r.options.Mode))
		if o := l.Settle(l.flow, r.Intake, all, false); o.Twice > 0 {
			l.Errorf("%d records are stored more than once", o.Twice)
		}
		if r.options.Mode != streamer.RealTime {
			l.handOver(r, len(all))
		}
	}
}

// handOver checks that everything is committed, and that the next member of
// the group has nothing left to do.
func (l *loaded) handOver(r *loadedReader, entries int) {
	l.Helper()
	err := r.consumer.Commit(l.Ctx)
	for errors.Is(err, streamer.ErrFenced) { // a shard was lost on the way: what of it was not committed comes again
		l.Logf("Commit: %v", err)
		again := l.Take(r.consumer)
		l.Eventually("everything to be committed", func() bool { return l.total(r.options.Group) == entries })
		again.Stop()
		err = r.consumer.Commit(l.Ctx)
	}
	l.Must("Commit", err)
	if done := l.total(r.options.Group); done != entries {
		l.Errorf("the group has committed %d of %d messages", done, entries)
	}
	l.Must("Close", r.consumer.Close())
	c := l.Consumer(l.Connect(l.uri()), r.options)
	ctx, cancel := context.WithTimeout(l.Ctx, time.Second)
	defer cancel()
	if m, err := c.Next(ctx); err == nil {
		l.Errorf("shard %d, %v came again, which was committed", m.Shard, m.Seq)
	}
	l.Must("Close", c.Close())
}

// total is how many messages a group has committed.
func (l *loaded) total(group string) int {
	l.Helper()
	n := 0
	for _, offset := range l.committed(group) {
		n += int(offset)
	}
	return n
}

// TestABrokerKilledAndRestartedLosesAndRepeatsNothing: what a receipt says is
// stored survives SIGKILL, as do positions, and producer and consumers continue
// by themselves.
func TestABrokerKilledAndRestartedLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	at := onBrokers(trials.New(t), testservers.KafkaOptions{}, pace.Shards)
	if at == nil {
		return
	}
	l := underLoad(at.site)
	kills := trials.Soak(3, 50)
	var longest time.Duration
	for range kills {
		l.proceed(100)
		at.Kill()
		at.Restart()
		longest = max(longest, l.goOn())
	}
	l.finish()
	t.Logf("%d kills; producer and consumers went on at most %v after the broker answered again", kills, longest.Round(time.Millisecond))
}

// TestTheLeaderAndTheCoordinatorOfThreeBrokersDie: others take over at once,
// and nothing that was stored or committed is lost.
func TestTheLeaderAndTheCoordinatorOfThreeBrokersDie(t *testing.T) {
	t.Parallel()
	at := onBrokers(trials.New(t), testservers.KafkaOptions{Brokers: 3}, pace.Shards)
	if at == nil {
		return
	}
	l := underLoad(at.site)
	rounds := trials.Soak(1, 20)
	for round := range rounds {
		l.dies(at.KafkaCluster, "leader", func() *testservers.KafkaServer { return at.Leader(orders, int32(round%l.shards)) }) //nolint:gosec // a few
		l.dies(at.KafkaCluster, "coordinator", func() *testservers.KafkaServer { return at.Coordinator(trials.NameOf(streamer.LoadBalanced)) })
	}
	at.AwaitInSync(orders, "__consumer_offsets")
	l.finish()
}

// dies kills a broker that can be spared, and starts it again when the others
// have taken over.
func (l *loaded) dies(c *testservers.KafkaCluster, what string, find func() *testservers.KafkaServer) {
	l.Helper()
	c.AwaitInSync(orders, "__consumer_offsets")
	broker := find()
	broker.Kill()
	took := l.goOn()
	l.Logf("%s %d killed: producer and consumers went on after %v", what, broker.ID(), took.Round(time.Millisecond))
	broker.Restart()
}
