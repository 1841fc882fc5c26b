package kafka_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const poison = "poison"

// refusePoison makes the cluster refuse every batch that has a poisoned record,
// as a broker does, and answer nothing before all is sent.
func refusePoison(c *kfake.Cluster, code *kerr.Error, sent <-chan struct{}) {
	c.ControlKey(int16(kmsg.Produce), func(k kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		<-sent
		req := k.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		bad := false
		for _, t := range req.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition = p.Partition
				if bytes.Contains(p.Records, []byte(poison)) {
					rp.ErrorCode, bad = code.Code, true
				} else {
					rp.ErrorCode = kerr.NotLeaderForPartition.Code // sent again with the next request
				}
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, bad
	})
}

// sendAmong sends n records over shards by key, of which every step-th is
// poisoned, closes sent, and returns the outcomes.
func sendAmong(r *rig, p streamer.Producer, n, step int, spoil func(*streamer.Record), sent chan<- struct{}) []error {
	receipts := make([]*streamer.Receipt, n)
	for i := range receipts {
		rec := streamer.Record{Key: fmt.Append(nil, i%7), Value: fmt.Append(nil, i)}
		if i%step == step/2 {
			spoil(&rec)
		}
		receipts[i] = p.Send(r.ctx(), rec)
	}
	close(sent)
	errs := make([]error, n)
	for i, receipt := range receipts {
		_, errs[i] = receipt.Wait(r.ctx())
	}
	return errs
}

// checkAmong fails unless exactly the poisoned ones failed, and the others are
// stored once and, if ordered, in the order of their keys.
func checkAmong(r *rig, c streamer.Consumer, errs []error, step int, kind error, ordered bool) {
	r.Helper()
	want := 0
	for i, err := range errs {
		bad := i%step == step/2
		if !bad {
			want++
		}
		if bad != (err != nil) || bad && !errors.Is(err, kind) {
			r.Errorf("record %d: %v", i, err)
		}
	}
	last, copies := make(map[string]int), make(map[int]int)
	for range want {
		m, err := c.Next(r.ctx())
		r.must(err)
		var n int
		if _, err := fmt.Sscan(string(m.Value), &n); err != nil {
			r.Fatal(err)
		}
		if copies[n]++; copies[n] > 1 {
			r.Errorf("%d is stored twice", n)
		}
		if before, ok := last[string(m.Key)]; ok && n <= before && ordered {
			r.Errorf("key %s: %d came after %d", m.Key, n, before)
		}
		last[string(m.Key)] = n
	}
}

func TestAPoisonedRecordFailsAlone(t *testing.T) {
	for _, code := range []*kerr.Error{kerr.InvalidTimestamp, kerr.InvalidRecord, kerr.MessageTooLarge} {
		for _, step := range []int{3, 50, 1000} {
			t.Run(fmt.Sprint(code.Message, " every ", step), func(t *testing.T) {
				r := onFake(t, 3)
				s := r.connect(kafka.Config{Compression: kafka.Uncompressed}, streamer.StreamerOptions{})
				c := r.consumer(s, streamer.ConsumerOptions{})
				p := r.producer(s)
				r.send(p, 0, 1) // so that the client knows the topic, and holds what follows until the broker has answered
				r.expect(c, 0, 1)
				sent := make(chan struct{})
				refusePoison(r.fake, code, sent)
				errs := sendAmong(r, p, 1000, step, func(rec *streamer.Record) { rec.Value = []byte(poison) }, sent)
				kinds := map[*kerr.Error]error{
					kerr.InvalidTimestamp: streamer.ErrUnsupported,
					kerr.InvalidRecord:    streamer.ErrInvalid,
					kerr.MessageTooLarge:  streamer.ErrTooLarge,
				}
				checkAmong(r, c, errs, step, kinds[code], true)
			})
		}
	}
}

// The limits are asked for when a producer opens. What changes later is found
// out by the broker, which refuses whole batches.
func TestALimitThatShrinksFailsOnlyWhatIsBeyondIt(t *testing.T) {
	r := onReal(t, 3, nil)
	if r == nil {
		return
	}
	for _, c := range []struct {
		key, value string
		spoil      func(*streamer.Record)
		kind       error
	}{
		{"message.timestamp.after.max.ms", "1000", func(rec *streamer.Record) { rec.Time = time.Now().Add(30 * time.Minute) }, streamer.ErrUnsupported},
		{"max.message.bytes", "20000", func(rec *streamer.Record) { rec.Value = random(30_000) }, streamer.ErrTooLarge},
	} {
		t.Run(c.key, func(t *testing.T) {
			r := onReal(t, 3, nil)
			s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
			reader := r.consumer(s, streamer.ConsumerOptions{})
			p := r.producer(s)
			_, err := p.Send(r.ctx(), streamer.Record{Value: []byte("0")}).Wait(r.ctx())
			r.must(err)
			_, err = reader.Next(r.ctx())
			r.must(err)
			r.configure(c.key, c.value)
			errs := sendAmong(r, p, 1000, 50, c.spoil, make(chan struct{}))
			checkAmong(r, reader, errs, 50, c.kind, false)
		})
	}
}

// random are bytes that do not compress.
func random(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func TestRecordsThatWouldFailTheirNeighboursAreNotSent(t *testing.T) {
	r := onFake(t, 1)
	r.configure("cleanup.policy", "compact")
	r.configure("max.message.bytes", "5000")
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
	p := r.producer(s)
	asked := 0
	r.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		asked++
		return nil, nil, false
	})
	far, none := time.Now().Add(100*time.Hour), streamer.ShardID(7)
	for what, c := range map[string]struct {
		rec  streamer.Record
		kind error
	}{
		"no key":                         {streamer.Record{Value: []byte("x")}, streamer.ErrInvalid},
		"too large":                      {streamer.Record{Key: []byte("k"), Value: make([]byte, 5000)}, streamer.ErrTooLarge},
		"many headers":                   {streamer.Record{Key: []byte("k"), Headers: make([]streamer.Header, 500)}, streamer.ErrTooLarge},
		"from far ahead":                 {streamer.Record{Key: []byte("k"), Time: far}, streamer.ErrUnsupported},
		"no such shard":                  {streamer.Record{Key: []byte("k"), Shard: &none}, streamer.ErrNotFound},
		"a stream's name that cannot be": {streamer.Record{Stream: "with space", Key: []byte("k")}, streamer.ErrInvalid},
		"a stream that does not exist":   {streamer.Record{Stream: "missing", Key: []byte("k")}, streamer.ErrNotFound},
	} {
		if _, err := p.Send(r.ctx(), c.rec).Wait(r.ctx()); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", what, err, c.kind)
		}
	}
	if asked > 0 {
		t.Errorf("%d requests were sent", asked)
	}
	if _, err := p.Send(r.ctx(), streamer.Record{Key: []byte("k"), Value: []byte("good")}).Wait(r.ctx()); err != nil {
		t.Error(err)
	}
}

func TestAKeyGoesWhereJavaPutsIt(t *testing.T) {
	const shards = 7
	r := onFake(t, shards)
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
	p := r.producer(s)
	java := kgo.StickyKeyPartitioner(nil).ForTopic("") // the client's own, which is tested against Java's
	for i := range 200 {
		key := fmt.Append(nil, "key-", i)
		m, err := p.Send(r.ctx(), streamer.Record{Key: key}).Wait(r.ctx())
		r.must(err)
		if want := java.Partition(&kgo.Record{Key: key}, shards); int(m.Shard) != want {
			t.Errorf("%s went to shard %d, want %d", key, m.Shard, want)
		}
	}
}

func TestAStreamIsCreatedWithTheShardsThatAreAskedFor(t *testing.T) {
	r := onFake(t, 1)
	name := "made-" + strings.TrimPrefix(r.topic, "test-")
	for _, c := range []struct {
		create streamer.Create
		exists bool
		want   error
	}{
		{streamer.CreateAuto, false, streamer.ErrNotFound},
		{streamer.CreateNever, false, streamer.ErrNotFound},
		{streamer.CreateAlways, false, nil},
		{streamer.CreateAlways, true, nil},
		{streamer.CreateNew, true, streamer.ErrExists},
	} {
		s := r.connect(kafka.Config{Create: c.create, Shards: 5, Replicas: 1}, streamer.StreamerOptions{})
		_, err := s.Producer(r.ctx(), streamer.ProducerOptions{Stream: name})
		if !errors.Is(err, c.want) || err != nil && c.want == nil {
			t.Errorf("%v: %v, want %v", c.create, err, c.want)
		}
	}
	s := r.connect(kafka.Config{Create: streamer.CreateNew, Shards: 2}, streamer.StreamerOptions{})
	_, err := s.Producer(r.ctx(), streamer.ProducerOptions{Stream: name + "-new"})
	r.must(err)
	for stream, shards := range map[string]int{name: 5, name + "-new": 2} {
		info, err := s.Admin().Describe(r.ctx(), stream)
		r.must(err)
		if len(info.Shards) != shards {
			t.Errorf("%s has %d shards, want %d", stream, len(info.Shards), shards)
		}
	}
}
