package kafka_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// orders is the topic of every failure test: it has a cluster of its own.
const orders = "orders"

// site is a cluster of a test that breaks it, with the topic orders.
type site struct {
	*trials.Trial
	brokers []string
	adm     *kadm.Client
	shards  int
}

// realSite is a site on real brokers.
type realSite struct {
	*site
	*testservers.KafkaCluster
}

// onBrokers starts a cluster; nil leaves the test out.
func onBrokers(t *trials.Trial, o testservers.KafkaOptions, shards int) *realSite {
	t.Helper()
	c := testservers.StartKafka(t.T, o)
	if c == nil {
		return nil
	}
	at := &realSite{newSite(t, c.Addrs(), c.Client(), shards), c}
	for p := range int32(shards) { //nolint:gosec // a few
		c.Leader(orders, p)
	}
	c.AwaitInSync(orders, "__consumer_offsets")
	return at
}

// newSite makes the topic on a cluster.
func newSite(t *trials.Trial, brokers []string, past *kgo.Client, shards int) *site {
	t.Helper()
	s := &site{Trial: t, brokers: brokers, adm: kadm.NewClient(past), shards: shards}
	_, err := s.adm.CreateTopic(t.Ctx, int32(shards), -1, nil, orders) //nolint:gosec // a few
	t.Must("CreateTopic", err)
	return s
}

// uri is the stream orders, of which the test's own URI options say more.
func (s *site) uri(options ...string) string {
	return "kafka://" + strings.Join(s.brokers, ",") + "/" + orders + "?" + strings.Join(options, "&")
}

// entries reads what the cluster has, shard by shard.
func (s *site) entries() []trials.Entry {
	s.Helper()
	var ends kadm.ListedOffsets
	s.Eventually("where the shards end", func() (known bool) { // leaders may still move
		var err error
		ends, err = s.adm.ListEndOffsets(s.Ctx, orders)
		return err == nil && ends.Error() == nil
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.brokers...), kgo.ConsumeTopics(orders), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	s.Must("a client that reads", err)
	defer cl.Close()
	byShard, left := make([][]trials.Entry, s.shards), s.shards
	end := func(p int) int64 { o, _ := ends.Lookup(orders, int32(p)); s.Must("end offset", o.Err); return o.Offset } //nolint:gosec // a few
	for p := range s.shards {
		if end(p) == 0 {
			left--
		}
	}
	for left > 0 {
		fetches := cl.PollFetches(s.Ctx)
		s.Must("reading", s.Ctx.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			byShard[r.Partition] = append(byShard[r.Partition], trials.Entry{
				Shard: streamer.ShardID(r.Partition), Seq: fmt.Sprint(r.Offset), Number: trials.NumberOf(r.Value), //nolint:gosec // never negative
			})
			if r.Offset+1 == end(int(r.Partition)) {
				left--
			}
		})
	}
	var all []trials.Entry
	for _, list := range byShard {
		all = append(all, list...)
	}
	return all
}

// committed is what a group has committed: the offset of the next message, by
// shard.
func (s *site) committed(group string) map[streamer.ShardID]int64 {
	s.Helper()
	got, err := s.adm.FetchOffsets(s.Ctx, group)
	s.Must("FetchOffsets", err)
	all := map[streamer.ShardID]int64{}
	for p, o := range got[orders] {
		s.Must("a committed offset", o.Err)
		all[streamer.ShardID(p)] = o.At //nolint:gosec // never negative
	}
	return all
}

// done is up to where a group has committed, as far as a broker answers at
// once.
func (s *site) done(ctx context.Context, group string) (map[streamer.StreamShard]streamer.SeqNo, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	got, err := s.adm.FetchOffsets(ctx, group)
	all := map[streamer.StreamShard]streamer.SeqNo{}
	for p, o := range got[orders] {
		if o.Err == nil && o.At > 0 {
			all[streamer.StreamShard{Stream: orders, Shard: streamer.ShardID(p)}] = streamer.SeqUint(uint64(o.At - 1)) //nolint:gosec // never negative
		}
	}
	return all, err
}

// TestMember is a member of the groups of TestMembersAreKilledUnderLoad.
func TestMember(t *testing.T) { trials.RunMember(t) }
