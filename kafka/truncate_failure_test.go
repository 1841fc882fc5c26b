package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The log of these tests has kept records and loses them from there on, then it
// gets others.
const (
	kept = 100
	lost = 200
)

// shrinking is a topic of one shard whose log gets shorter, and a consumer of
// it.
type shrinking struct {
	*rig
	o             streamer.ConsumerOptions
	newer         bool // the group's protocol is the newer one, of KIP-848
	more          int  // records that are stored then
	before, after func(x *shrinking)
	restore       func()
	in            streamer.Consumer

	mu   sync.Mutex
	gone []streamer.GoneEvent
}

// TestALogThatGetsShorter: a broker comes back with an older disk, and records
// are stored where it ends. Each case has a topic of its own.
func TestALogThatGetsShorter(t *testing.T) {
	t.Parallel()
	c := testservers.StartKafka(t, testservers.KafkaOptions{})
	if c == nil {
		return
	}
	all := shrinkings()
	for _, x := range all {
		x.rig = &rig{TB: t, brokers: c.Addrs()}
		x.prepare(1, nil)
		x.must(x.storeFrom(0, 0, kept))
	}
	restart(c, all, func(x *shrinking) { x.restore = c.Nodes[0].SaveLog(x.topic, 0) })
	for _, x := range all {
		x.must(x.storeFrom(0, kept, lost-kept))
		x.do(t, x.name()+", before", func() { x.before(x) })
	}
	restart(c, all, func(x *shrinking) { x.restore() })
	for _, x := range all {
		x.do(t, x.name()+", afterwards", func() {
			x.must(x.storeFrom(0, 1000, x.more))
			x.after(x)
		})
	}
}

// aftermath is what a consumer is to do without a position, and how many
// records are stored after the loss: none, fewer than were lost, or more.
type aftermath struct {
	reset streamer.AutoReset
	more  int
}

// shrinkings are consumers that are closed when it happens and such that run.
func shrinkings() (all []*shrinking) {
	add := func(x *shrinking) {
		x.o.Start, x.o.Ack = streamer.Beginning(), streamer.AckManual
		if x.o.Mode != streamer.RealTime {
			x.o.Group = "g" + uuid.NewString()
		}
		all = append(all, x)
	}
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		for _, then := range []aftermath{{streamer.Latest, 0}, {streamer.Latest, 50}, {streamer.Earliest, 50}, {streamer.Earliest, 200}} {
			for _, newer := range []bool{false, true} {
				if newer && (mode != streamer.LoadBalanced || then.more == 0) {
					continue
				}
				o := streamer.ConsumerOptions{Mode: mode, AutoReset: then.reset}
				add(&shrinking{o: o, newer: newer, more: then.more, before: (*shrinking).reads, after: (*shrinking).goesOn})
				if mode != streamer.RealTime {
					add(&shrinking{o: o, newer: newer, more: then.more, before: (*shrinking).commits, after: (*shrinking).comesBack})
				}
			}
		}
		refusing := streamer.ConsumerOptions{Mode: mode, AutoReset: streamer.ResetError}
		add(&shrinking{o: refusing, more: 50, before: (*shrinking).reads, after: (*shrinking).ends})
		slow := streamer.ConsumerOptions{Mode: mode, Prefetch: 10 * lost}
		add(&shrinking{o: slow, more: 50, before: (*shrinking).readsSome, after: (*shrinking).readsTheRest})
	}
	return all
}

// do runs a part of a case.
func (x *shrinking) do(t *testing.T, name string, part func()) {
	t.Run(name, func(t *testing.T) {
		whole := x.TB
		defer func() { x.TB = whole }()
		x.TB = inPart{t, whole}
		part()
	})
}

// restart kills the broker, does something with its disk, and starts it again.
func restart(c *testservers.KafkaCluster, all []*shrinking, meanwhile func(x *shrinking)) {
	c.Kill()
	for _, x := range all {
		meanwhile(x)
	}
	c.Restart()
	for _, x := range all {
		x.awaitLeaders(1)
	}
}

func (x *shrinking) reads() {
	x.in = x.open()
	x.ackAll(x.in, 0, lost)
}

// goesOn: what is stored is read where the log parts from what was read.
func (x *shrinking) goesOn() {
	x.ackAll(x.in, 1000, 1000+x.more)
	x.checkRest(x.in)
	x.reported()
}

func (x *shrinking) commits() {
	x.reads()
	x.must(x.in.Close())
}

// comesBack: what is stored is read where the log parts from what was
// committed.
func (x *shrinking) comesBack() {
	if !x.newer { // an operator cannot list groups of the newer protocol
		x.checkLag(x.more)
	}
	x.refuses()
	x.in = x.open()
	x.goesOn()
}

// ends: with ResetError the loss is the consumer's end.
func (x *shrinking) ends() {
	if m, err := x.in.Next(x.ctx()); !errors.Is(err, streamer.ErrPositionGone) {
		x.Errorf("%v, %v", m, err)
	}
}

// some is what a slow consumer has taken. It has the rest in its buffer.
const some = 30

func (x *shrinking) readsSome() {
	x.in = x.open()
	x.ackAll(x.in, 0, some)
}

// readsTheRest: what was in the buffer and still exists is not skipped.
func (x *shrinking) readsTheRest() {
	if x.o.Mode != streamer.LoadBalanced { // which may have lost the shard, and be back at what is committed
		x.until("the loss to be reported", func() bool {
			x.mu.Lock()
			defer x.mu.Unlock()
			return len(x.gone) > 0
		})
	}
	x.takes(x.in, some, kept)
	x.takes(x.in, 1000, 1000+x.more)
}

func (x *shrinking) open() streamer.Consumer {
	x.Helper()
	hooks := streamer.Hooks{Gone: func(e streamer.GoneEvent) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.gone = append(x.gone, e)
	}}
	var c kafka.Config
	if x.newer {
		c.Balancers, c.Opts = []kafka.Balancer{kafka.Range}, []kgo.Opt{kgo.ServerSideBalancer()}
	}
	return x.consumer(x.connect(c, streamer.StreamerOptions{Hooks: hooks, Logger: slog.New(slog.DiscardHandler)}), x.o)
}

// ackAll takes the values from..to-1 and commits them.
func (x *shrinking) ackAll(c streamer.Consumer, from, to int) {
	x.Helper()
	for _, m := range x.expect(c, from, to) {
		m.Ack()
	}
	if x.o.Mode != streamer.RealTime {
		x.must(c.Commit(x.ctx()))
	}
}

// reported checks that the end of what was read is reported as gone, once.
func (x *shrinking) reported() {
	x.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	want := streamer.GoneEvent{StreamShard: streamer.StreamShard{Stream: x.topic}, Wanted: streamer.SeqUint(lost), Got: streamer.SeqUint(kept)}
	if !slices.Equal(x.gone, []streamer.GoneEvent{want}) {
		x.Errorf("%s reported as gone: %v, want %v", x.name(), x.gone, want)
	}
}

func (x *shrinking) name() string {
	return fmt.Sprintf("mode %v, newer %v, reset %v, %d more", x.o.Mode, x.newer, x.o.AutoReset, x.more)
}

// checkLag compares what Admin says with what is there.
func (x *shrinking) checkLag(want int) {
	x.Helper()
	groups, err := x.connect(kafka.Config{}, streamer.StreamerOptions{}).Admin().Groups(x.ctx(), x.topic)
	x.must(err)
	for _, g := range groups {
		if g.Name == x.o.Group && g.Lag[0].Messages != int64(want) {
			x.Errorf("%s: Groups says %d behind", x.name(), g.Lag[0].Messages)
		}
	}
}

// refuses checks that a consumer that must not choose a position gets none.
func (x *shrinking) refuses() {
	x.Helper()
	o := x.o
	o.AutoReset, o.Streams = streamer.ResetError, []string{x.topic}
	if _, err := x.connect(kafka.Config{}, streamer.StreamerOptions{}).Consumer(x.ctx(), o); !errors.Is(err, streamer.ErrPositionGone) {
		x.Errorf("%s with ResetError: %v", x.name(), err)
	}
}

// checkRest checks that all is read, and that the next consumer continues
// behind it.
func (x *shrinking) checkRest(in streamer.Consumer) {
	x.Helper()
	x.must(x.storeFrom(0, 5000, 5))
	x.ackAll(in, 5000, 5005)
	x.must(in.Close())
	if x.o.Mode == streamer.RealTime {
		return
	}
	x.must(x.storeFrom(0, 6000, 1))
	again := x.open()
	x.ackAll(again, 6000, 6001)
	x.must(again.Close())
}

// takes takes messages until it has the values from..to-1.
func (x *shrinking) takes(c streamer.Consumer, from, to int) {
	x.Helper()
	for next, ctx := from, x.ctx(); next < to; {
		m, err := c.Next(ctx)
		if err != nil {
			x.Fatalf("%s: message %d: %v", x.name(), next, err)
		}
		m.Ack()
		if string(m.Value) == fmt.Sprint(next) {
			next++
		}
	}
}

// Positions without an epoch, as older clients and tools commit them, say
// nothing about where the log parts: nothing that exists is skipped.
func TestACommittedPositionBeyondTheEndOfWhichNoEpochIsKnown(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		t.Run(fmt.Sprint("mode ", mode), func(t *testing.T) {
			r := onReal(t, 1, nil)
			if r == nil {
				return
			}
			x := &shrinking{rig: r, o: streamer.ConsumerOptions{Mode: mode, Group: r.topic, Ack: streamer.AckManual}}
			x.must(x.storeFrom(0, 0, 50))
			var at kadm.Offsets
			at.AddOffset(x.topic, 0, lost, -1)
			x.must(x.adm.CommitAllOffsets(context.Background(), x.o.Group, at))
			x.checkLag(50)
			x.refuses()
			in := x.open()
			x.ackAll(in, 0, 50)
			x.checkRest(in)
		})
	}
}
