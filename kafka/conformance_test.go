package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/internal/faultproxy"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	sessionTimeout = 6 * time.Second
	quick          = 100 * time.Millisecond // how old metadata may be; the default is a production's
	largestBatch   = 1 << 20                // of the topics that the suite makes
	largestUnpack  = 4 << 20                // bytes that a batch may have unpacked: more cannot be decoded
	largestRecord  = largestBatch - 128
	farAhead       = 48 * time.Hour // a time that no topic takes
)

func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Harness{
		Name:      "kafka",
		Backend:   "kafka",
		Ready:     func(t testing.TB) bool { return testservers.Kafka(t) != "" },
		Open:      open,
		Without:   []conformance.Part{conformance.BusyAtOpen},
		Groups:    conformance.Owned,
		Pauses:    true,
		EmptyKeys: true,
		Precision: time.Millisecond,
		Largest:   largestRecord,
		Highest:   streamer.SeqUint(1<<64 - 1),
		Overshoot: 0,
		Bad:       badRecord,
		SecretURI: secretURI,
		Parallel:  8,
	})
}

// badRecord has a time that the broker refuses, with the whole batch.
func badRecord(r streamer.Record) streamer.Record {
	r.Time = time.Now().Add(farAhead)
	return r
}

func secretURI(secret string) string {
	return fmt.Sprintf("kafka://someone:%s@127.0.0.1:1/orders?sasl=plain", url.PathEscape(secret))
}

// place is a corner of the broker: topics that no other case knows, and a
// network of its own.
type place struct {
	testing.TB
	addr    string
	restart func()
	net     *faultproxy.Net
	plan    conformance.Plan
	raw     *kgo.Client // past the network
	adm     *kadm.Client
	topics  []string
}

// open opens a place on the shared broker, or, to be restarted, on one of its
// own.
func open(t testing.TB, plan conformance.Plan) *conformance.Place {
	p := &place{TB: t, net: &faultproxy.Net{}, plan: plan}
	t.Cleanup(p.net.Close)
	p.find()
	p.raw = p.client()
	t.Cleanup(p.raw.Close)
	p.adm = kadm.NewClient(p.raw)
	for range plan.Streams {
		name := "conformance-" + uuid.NewString()
		p.create(name)
		p.topics = append(p.topics, name)
	}
	t.Cleanup(p.remove)
	return &conformance.Place{
		Streams: p.topics,
		URI:     fmt.Sprintf("kafka://%s/%s?session_timeout=%v", p.addr, p.topics[0], sessionTimeout),
		Connect: p.connect,
		Faults:  p.faults(),
	}
}

func (p *place) find() {
	if !strings.Contains(p.Name(), "/restart") {
		p.addr = testservers.Kafka(p)
		p.restart = func() { p.Fatal("only a case with restart in its name has a broker to restart") }
		return
	}
	c := testservers.StartKafka(p, testservers.KafkaOptions{Authorizer: true})
	if c == nil {
		p.Fatal("a broker to restart is missing")
	}
	p.addr, p.restart = c.Addr(), func() { c.Kill(); c.Restart() }
}

func (p *place) client(opts ...kgo.Opt) *kgo.Client {
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(p.addr), kgo.MetadataMinAge(quick / 10)}, opts...)...)
	p.must(err)
	return cl
}

func (p *place) config() kafka.Config {
	return kafka.Config{
		Brokers:        []string{p.addr},
		SessionTimeout: sessionTimeout,
		Opts: []kgo.Opt{
			kgo.Dialer(p.net.DialContext),
			kgo.MetadataMinAge(quick),
			kgo.MetadataMaxAge(5 * quick),
			kgo.MaxDecompressBatchBytes(largestUnpack),
		},
	}
}

func (p *place) connect(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return kafka.Connect(ctx, p.config(), o)
}

// always is connect with create=always.
func (p *place) always(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
	c := p.config()
	c.Create, c.Shards = streamer.CreateAlways, p.plan.Shards
	return kafka.Connect(ctx, c, o)
}

func (p *place) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, _ = p.adm.DeleteTopics(ctx, p.topics...)
}

func (p *place) faults() conformance.Faults {
	return conformance.Faults{
		Cut:       func() { p.net.Each((*faultproxy.Proxy).Cut) },
		Mend:      func() { p.net.Each((*faultproxy.Proxy).Mend) },
		Slow:      func(d time.Duration) { p.net.Each(func(x *faultproxy.Proxy) { x.Delay(d / 2) }) },
		Restart:   p.restart,
		Trim:      p.trim,
		AddShard:  p.addShard,
		Poison:    p.poison,
		Delete:    func(stream string) { p.must(p.delete(stream)) },
		Create:    p.create,
		Always:    p.always,
		DropGroup: p.dropGroup,
		Lose:      func(string, string) {}, // who opens next takes over
		Deny:      p.deny,
		WrongType: wrongType,
		Missing: func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, string, error) {
			s, err := p.connect(ctx, o)
			return s, "missing-" + uuid.NewString(), err
		},
	}
}

func (p *place) create(stream string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	size := fmt.Sprint(largestBatch)
	_, err := p.adm.CreateTopic(ctx, int32(p.plan.Shards), 1, map[string]*string{"max.message.bytes": &size}, stream) //nolint:gosec // a few
	p.must(err)
	p.await(stream, p.plan.Shards)
}

// await waits until a topic has so many partitions with leaders; 0: until it is
// gone.
func (p *place) await(stream string, partitions int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		md, err := p.adm.Metadata(ctx, stream)
		p.must(err)
		ready := 0
		for _, d := range md.Topics[stream].Partitions {
			if d.Err == nil && d.Leader >= 0 {
				ready++
			}
		}
		if ready == partitions {
			return
		}
		select {
		case <-ctx.Done():
			p.Fatalf("topic %s has %d partitions, want %d", stream, ready, partitions)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (p *place) delete(stream string) error {
	_, err := p.adm.DeleteTopic(context.Background(), stream)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil
	}
	if err == nil {
		p.await(stream, 0)
	}
	return err
}

func (p *place) trim(s streamer.StreamShard, upTo streamer.SeqNo) {
	var o kadm.Offsets
	o.AddOffset(s.Stream, int32(s.Shard), int64(upTo.Uint())+1, -1) //nolint:gosec // an offset
	_, err := p.adm.DeleteRecords(context.Background(), o)
	p.must(err)
}

func (p *place) addShard(stream string) streamer.ShardID {
	info, err := p.adm.ListTopics(context.Background(), stream)
	p.must(err)
	n := len(info[stream].Partitions)
	_, err = p.adm.CreatePartitions(context.Background(), 1, stream)
	p.must(err)
	p.await(stream, n+1)
	return streamer.ShardID(n) //nolint:gosec // a few
}

// poison stores a batch that unpacks to more than consumers take.
func (p *place) poison(s streamer.StreamShard) streamer.StreamShard {
	cl := p.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(4*largestUnpack),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	defer cl.Close()
	r := &kgo.Record{Topic: s.Stream, Partition: int32(s.Shard), Value: make([]byte, 2*largestUnpack)} //nolint:gosec // a few
	p.must(cl.ProduceSync(context.Background(), r).FirstErr())
	return s
}

func (p *place) dropGroup(_, group string) {
	_, err := p.adm.DeleteGroup(context.Background(), group)
	p.must(err)
}

// deny takes every right on the case's topics away from all users. It is one
// ACL: a broker applies several one after another, and a topic that can be
// described again could still refuse a write.
func (p *place) deny(denied bool) {
	acl := kadm.NewACLs().Topics(p.topics...).ResourcePatternType(kadm.ACLPatternLiteral).
		Deny("User:ANONYMOUS").DenyHosts().Operations(kadm.OpAll)
	if denied {
		made, err := p.adm.CreateACLs(context.Background(), acl)
		p.must(err)
		for _, r := range made {
			p.must(r.Err)
		}
	} else {
		_, err := p.adm.DeleteACLs(context.Background(), acl)
		p.must(err)
	}
	p.awaitDenial(denied)
}

// awaitDenial waits until the broker applies the change.
func (p *place) awaitDenial(denied bool) {
	deadline := time.Now().Add(time.Minute)
	for {
		md, err := p.adm.Metadata(context.Background(), p.topics...)
		if refused := err != nil || md.Topics[p.topics[0]].Err != nil; refused == denied {
			return
		}
		if time.Now().After(deadline) {
			p.Fatal("the broker does not heed its ACLs")
		}
	}
}

// wrongType connects to something that is no broker.
func wrongType(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
			_ = c.Close()
		}
	}()
	s, err := kafka.Connect(ctx, kafka.Config{Brokers: []string{l.Addr().String()}}, o)
	return s, "orders", err
}

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}
