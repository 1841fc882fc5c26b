package kafka_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// maimed is a topic of three shards, each on a broker of its own, of which that
// of shard 0 is gone for a while.
type maimed struct {
	*rig
	open []streamer.Consumer

	mu      sync.Mutex
	retried []error
}

// inEach is how many records each shard has, numbered by shard*1000.
const inEach = 10

// TestAShardWithoutALeader: the others are read, and it is joined later. Each
// case has a topic of its own.
func TestAShardWithoutALeader(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                  string
		before, during, after func(m *maimed)
	}{
		{"is joined later", nil, (*maimed).readsTheOthers, (*maimed).joins},
		{"has its end where its log ends", nil, (*maimed).opensAtTheEnd, (*maimed).readsOnlyWhatIsNew},
		{"goes on where it is committed", (*maimed).commits, (*maimed).goesOn, (*maimed).goesOnBehindTheCommit},
		{"is not asked when it is not wanted", nil, (*maimed).assignsAnother, nil},
		{"is what Admin cannot tell of", (*maimed).hasAGroup, (*maimed).describes, nil},
		{"is what a producer waits for", nil, func(m *maimed) { m.sendsInVain(kerr.LeaderNotAvailable) }, nil},
	}
	c := testservers.StartKafka(t, testservers.KafkaOptions{Brokers: 3})
	if c == nil {
		return
	}
	others := sparing(c)
	topics := make([]*maimed, len(cases))
	for i, x := range cases {
		topics[i] = &maimed{rig: &rig{TB: t, brokers: c.Addrs()}}
		topics[i].prepareOn([]int32{others[0].ID()}, []int32{others[1].ID()}, []int32{c.Coordinator("any").ID()})
		for shard := range int32(3) {
			topics[i].must(topics[i].storeFrom(shard, int(shard)*1000, inEach))
		}
		topics[i].do(t, x.name+", before", x.before)
	}
	scarce := &maimed{rig: &rig{TB: t, brokers: c.Addrs()}}
	scarce.prepareOn([]int32{others[1].ID(), others[0].ID()})
	scarce.needsReplicas("2")
	others[0].Kill()
	for i, x := range cases {
		if i > 0 { // the first opens while the cluster has noticed nothing
			topics[i].until("the leader to be missed", topics[i].isMaimed)
		}
		topics[i].do(t, x.name+", meanwhile", x.during)
	}
	scarce.do(t, "has too few replicas", func(m *maimed) { m.sendsInVain(kerr.NotEnoughReplicas) })
	others[0].Restart()
	for i, x := range cases {
		topics[i].do(t, x.name+", afterwards", x.after)
	}
}

// do runs a part of a case.
func (m *maimed) do(t *testing.T, name string, part func(m *maimed)) {
	if part == nil {
		return
	}
	t.Run(name, func(t *testing.T) {
		whole := m.TB
		defer func() { m.TB = whole }()
		m.TB = inPart{t, whole}
		part(m)
	})
}

// inPart is a part of a test that leaves what it opens to the whole.
type inPart struct {
	*testing.T
	whole testing.TB
}

func (p inPart) Cleanup(f func()) { p.whole.Cleanup(f) }

func (m *maimed) isMaimed() bool {
	md, err := m.adm.Metadata(m.ctx(), m.topic)
	return err == nil && md.Topics[m.topic].Partitions[0].Leader < 0
}

func (m *maimed) readsTheOthers() {
	for _, o := range m.modes() {
		o.Start = streamer.Beginning()
		began := time.Now()
		c := m.opens(o)
		m.Logf("mode %v opened after %v", o.Mode, time.Since(began).Round(time.Millisecond))
		m.has(c, slices.Concat(numbered(1000, inEach), numbered(2000, inEach))...)
		m.lagUnknown(c)
	}
	m.reported(len(m.open))
}

func (m *maimed) joins() {
	m.awaitLeaders(3)
	m.must(m.storeFrom(0, 500, inEach))
	for _, c := range m.open {
		m.has(c, slices.Concat(numbered(0, inEach), numbered(500, inEach))...)
		m.must(c.Close())
	}
}

func (m *maimed) opensAtTheEnd() {
	for _, o := range m.modes() {
		o.AutoReset = streamer.Latest
		m.opens(o)
	}
}

// readsOnlyWhatIsNew: what is stored as soon as there is a leader is read, and
// nothing that was stored before. It is committed for the consumers opened
// next.
func (m *maimed) readsOnlyWhatIsNew() {
	m.until("records to be stored", func() bool { return m.storeFrom(0, 500, inEach) == nil })
	m.must(m.storeFrom(1, 1500, inEach))
	for _, c := range m.open {
		m.has(c, slices.Concat(numbered(500, inEach), numbered(1500, inEach))...)
		m.must(c.Close())
	}
	m.must(m.storeFrom(0, 600, inEach))
	for _, o := range m.modes()[1:] {
		c := m.opens(o)
		m.has(c, numbered(600, inEach)...)
		m.must(c.Close())
	}
}

func (m *maimed) commits() {
	for _, o := range m.modes()[1:] {
		c := m.opens(o)
		m.has(c, slices.Concat(numbered(0, inEach), numbered(1000, inEach), numbered(2000, inEach))...)
		m.must(c.Close())
	}
	m.open = nil
	m.must(m.storeFrom(0, 100, inEach))
}

func (m *maimed) goesOn() {
	m.must(m.storeFrom(1, 1100, inEach))
	for _, o := range m.modes()[1:] {
		m.has(m.opens(o), numbered(1100, inEach)...)
	}
}

func (m *maimed) goesOnBehindTheCommit() {
	for _, c := range m.open {
		m.has(c, numbered(100, inEach)...)
	}
}

func (m *maimed) assignsAnother() {
	for _, o := range m.modes()[:2] {
		o.Shards, o.Start = []streamer.ShardID{1}, streamer.Beginning()
		c := m.opens(o)
		m.has(c, numbered(1000, inEach)...)
		lags, err := c.Lag(m.ctx())
		m.must(err)
		if len(lags) != 1 || lags[0].Shard != 1 {
			m.Errorf("Lag: %v", lags)
		}
		m.must(c.Close())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, err := range m.retried {
		if e, ok := errors.AsType[*streamer.Error](err); ok && e.Shard != nil {
			m.Errorf("reported: %v", err)
		}
	}
}

// sendsInVain: the client tries again in silence, and alone knows why. That is
// reported once, and is on the receipt.
func (m *maimed) sendsInVain(cause error) {
	var told retries
	s := m.connect(kafka.Config{}, told.options())
	p, err := s.Producer(m.ctx(), streamer.ProducerOptions{Stream: m.topic, DeliveryTimeout: 5 * time.Second})
	m.must(err)
	shard := streamer.ShardID(0)
	for range 3 {
		p.Send(m.ctx(), streamer.Record{Value: []byte("x"), Shard: &shard})
	}
	_, err = p.Send(m.ctx(), streamer.Record{Value: []byte("x"), Shard: &shard}).Wait(m.ctx())
	if !errors.Is(err, streamer.ErrUnknown) || !errors.Is(err, cause) {
		m.Errorf("the receipt: %v, want %v", err, cause)
	}
	if n := told.of(cause); n != 1 {
		m.Errorf("reported %d times, want once: %v", n, told.all)
	}
	if err := p.Close(); !errors.Is(err, streamer.ErrUnknown) || !errors.Is(err, cause) {
		m.Errorf("Close: %v, want what was not waited for", err)
	}
}

// needsReplicas sets how many replicas have to store a record.
func (m *maimed) needsReplicas(n string) {
	resps, err := m.adm.AlterTopicConfigs(m.ctx(), []kadm.AlterConfig{{Name: "min.insync.replicas", Value: &n}}, m.topic)
	m.must(err)
	m.must(resps[0].Err)
}

func (m *maimed) hasAGroup() { m.must(m.opens(m.modes()[1]).Close()) }

func (m *maimed) describes() {
	admin := m.streamer().Admin()
	info, err := admin.Describe(m.ctx(), m.topic)
	m.must(err)
	for _, s := range info.Shards {
		known := s.Next == streamer.SeqUint(inEach) && s.First == streamer.SeqUint(0) && s.Err == nil
		if known != (s.ID != 0) || s.ID == 0 && s.Err == nil {
			m.Errorf("shard %+v", s)
		}
	}
	groups, err := admin.Groups(m.ctx(), m.topic)
	m.must(err)
	if len(groups) != 1 || len(groups[0].Lag) != 3 {
		m.Fatalf("groups: %+v", groups)
	}
	for _, l := range groups[0].Lag {
		if l.Shard == 0 && l.Messages != -1 || l.Shard != 0 && l.Messages != inEach {
			m.Errorf("shard %d is %d behind", l.Shard, l.Messages)
		}
	}
	one := streamer.Each(map[streamer.StreamShard]streamer.Position{{Stream: m.topic, Shard: 1}: streamer.End()})
	if err := admin.ResetGroup(m.ctx(), m.topic, groups[0].Name, one); err != nil {
		m.Errorf("ResetGroup of a shard that has a leader: %v", err)
	}
}

// modes are options of each mode, with a group of its own.
func (m *maimed) modes() []streamer.ConsumerOptions {
	all := modes()
	for i := range all {
		all[i].Streams = []string{m.topic}
		if all[i].Group != "" {
			all[i].Group += m.topic
		}
	}
	return all
}

func (m *maimed) streamer() streamer.Streamer {
	m.Helper()
	hooks := streamer.Hooks{Retrying: func(e streamer.RetryEvent) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.retried = append(m.retried, e.Err)
	}}
	return m.connect(kafka.Config{}, streamer.StreamerOptions{Hooks: hooks, Logger: slog.New(slog.DiscardHandler)})
}

func (m *maimed) opens(o streamer.ConsumerOptions) streamer.Consumer {
	m.Helper()
	c := m.consumer(m.streamer(), o)
	m.open = append(m.open, c)
	return c
}

// has takes and acknowledges messages until those numbered from..to-1 are
// there, in any order, and no others.
func (m *maimed) has(c streamer.Consumer, numbers ...int) {
	m.Helper()
	want := make(map[string]bool)
	for _, n := range numbers {
		want[fmt.Sprint(n)] = true
	}
	for ctx := m.ctx(); len(want) > 0; {
		got, err := c.Next(ctx)
		if err != nil {
			m.Fatalf("%d messages are missing: %v", len(want), err)
		}
		if !want[string(got.Value)] {
			m.Fatalf("message %s came, which was not to", got.Value)
		}
		delete(want, string(got.Value))
		got.Ack()
	}
}

func numbered(from, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = from + i
	}
	return all
}

// lagUnknown checks that Lag tells of the shards that can be asked.
func (m *maimed) lagUnknown(c streamer.Consumer) {
	m.Helper()
	if err := c.Commit(m.ctx()); err != nil && !errors.Is(err, streamer.ErrUnsupported) {
		m.Fatal(err)
	}
	lags, err := c.Lag(m.ctx())
	m.must(err)
	for _, l := range lags {
		if want := int64(0); l.Shard == 0 && l.Messages != -1 || l.Shard != 0 && l.Messages != want {
			m.Errorf("shard %d is %d behind", l.Shard, l.Messages)
		}
	}
	if len(lags) != 3 {
		m.Errorf("Lag tells of %d shards", len(lags))
	}
}

// reported checks that each consumer told of the shard that it cannot read.
func (m *maimed) reported(consumers int) {
	m.Helper()
	m.until("the shard to be reported", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		n := 0
		for _, err := range m.retried {
			e, ok := errors.AsType[*streamer.Error](err)
			if ok && e.Shard != nil && *e.Shard == 0 && e.Stream == m.topic {
				n++
			}
		}
		return n >= consumers
	})
}
