package conformance

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"golang.org/x/sync/errgroup"
)

func orderCases() []testCase {
	cases := []testCase{
		{name: "explicit-shard-is-kept", run: explicitShard},
		{name: "each-goroutine-sees-a-shard-in-order", run: orderPerGoroutine},
		{name: "every-way-at-once", run: everyWayAtOnce},
		{name: "a-key-stays-in-its-shard-in-order", needs: []Part{Keys}, run: keyOrder},
		{name: "two-producers-agree-on-a-key's-shard", needs: []Part{Keys}, run: keyShardAgreed},
		{name: "a-key-keeps-its-order-across-retries/many-keys", needs: []Part{Keys, Connection}, run: func(b *bed) {
			keyOrderAcrossRetries(b, 16, streamer.ProducerOptions{})
		}},
		{name: "a-key-keeps-its-order-across-retries/one-key", needs: []Part{Keys, Connection}, run: func(b *bed) {
			keyOrderAcrossRetries(b, 1, streamer.ProducerOptions{Linger: 20 * time.Millisecond}) // whole batches fail
		}},
	}
	for _, m := range modes() {
		cases = append(cases,
			testCase{name: "seq-rises/" + m.name, needs: m.needs, run: func(b *bed) { seqRises(b, m.mode) }},
			testCase{name: "seq-rises-for-who-pauses/" + m.name, needs: m.needs, run: func(b *bed) { seqRisesWithPauses(b, m.mode) }})
	}
	return cases
}

type mode struct {
	name  string
	mode  streamer.ConsumerMode
	needs []Part
}

// modes lists the three, for promises that hold in each.
func modes() []mode {
	return append(keepingModes()[:1:1], mode{"load-balanced", streamer.LoadBalanced, nil}, mode{"realtime", streamer.RealTime, nil})
}

// keepingModes are those whose positions outlive a consumer.
func keepingModes() []mode {
	return []mode{
		{"resumable", streamer.Resumable, []Part{Resuming}},
		{"load-balanced", streamer.LoadBalanced, []Part{Resuming}},
	}
}

// shardOrder checks that the messages of each shard arrive with rising Seq.
type shardOrder map[streamer.StreamShard]streamer.SeqNo

func (o shardOrder) check(m *streamer.Message) error {
	s := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
	if last, ok := o[s]; ok && m.Seq.Compare(last) <= 0 {
		return fmt.Errorf("%v: %v was delivered after %v", s, m.Seq, last)
	}
	o[s] = m.Seq
	return nil
}

func seqRises(b *bed, m streamer.ConsumerMode) {
	const shards, senders = 4, 4
	b.open(Plan{Shards: shards})
	c := b.consumer(b.in(m))
	n := b.Messages / senders
	var sending errgroup.Group
	for i := range senders {
		p := b.producer()
		sending.Go(func() error {
			_, err := b.trySend(p, numbered(i*n, (i+1)*n, shards)...)
			return err
		})
	}
	order := shardOrder{}
	copies := b.gather(n*senders, func(_ int, m *streamer.Message) error {
		m.Ack()
		return order.check(m)
	}, c)
	b.joins("sending", sending.Wait)
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages were delivered twice", d)
	}
}

// seqRisesWithPauses: what a member gives back to its group while its program
// is busy comes to it, when it is the only one, before what follows.
func seqRisesWithPauses(b *bed, m streamer.ConsumerMode) {
	const shards, n, pauses = 2, 300, 3
	b.open(Plan{Shards: shards})
	c := b.consumer(b.in(m))
	b.sendN(0, n/2, shards)
	p := b.producer()
	order, got := shardOrder{}, 0
	copies := b.gather(n, func(_ int, m *streamer.Message) error {
		if got++; got%(n/(pauses+1)) == 1 {
			time.Sleep(3 * moment) // longer than a program may rest on what it was given
		}
		if got == 2 {
			if _, err := b.trySend(p, numbered(n/2, n, shards)...); err != nil {
				return err
			}
		}
		m.Ack()
		return order.check(m)
	}, c)
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages were delivered twice", d)
	}
}

func explicitShard(b *bed) {
	const shards = 3
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	for i, m := range b.sendN(0, 30, shards) {
		if m.Shard != streamer.ShardID(i%shards) {
			b.Fatalf("receipt %d says shard %d, want %d", i, m.Shard, i%shards)
		}
	}
	for _, m := range b.take(c, 30) {
		if want := streamer.ShardID(number(m) % shards); m.Shard != want {
			b.Fatalf("message %d came in shard %d, want %d", number(m), m.Shard, want)
		}
	}
}

// orderPerGoroutine: messages are handed to many callers at once; what one of
// them sees of a shard is still in order.
func orderPerGoroutine(b *bed) {
	const shards, callers = 4, 8
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	p, n := b.producer(), b.Messages
	join := b.background("sending", func() error {
		_, err := b.trySend(p, numbered(0, n, shards)...)
		return err
	})
	var orders [callers]shardOrder
	for i := range orders {
		orders[i] = shardOrder{}
	}
	copies := b.gather(n, func(caller int, m *streamer.Message) error { return orders[caller].check(m) }, slices.Repeat([]streamer.Consumer{c}, callers)...)
	join()
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages went to two callers", d)
	}
}

// everyWayAtOnce: goroutines that take messages in all four ways share one
// consumer. Each message goes to one of them.
func everyWayAtOnce(b *bed) {
	const shards, each = 2, 2
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	ctx, enough := context.WithCancel(b.ctx)
	defer enough()
	taken := make(chan int)
	var taking sync.WaitGroup
	for i := range each * len(ways()) {
		taking.Go(func() {
			loopOver(ways()[i/each].name)(ctx, c, false, func(m *streamer.Message) bool {
				taken <- number(m)
				return true
			})
		})
	}
	n, p := b.Messages, b.producer()
	join := b.background("sending", func() error {
		_, err := b.trySend(p, numbered(0, n, shards)...)
		return err
	})
	copies := make(map[int]int)
	for len(copies) < n {
		select {
		case i := <-taken:
			copies[i]++
		case <-time.After(b.Hang):
			b.Fatalf("waited %v for another of %d messages after %d", b.Hang, n, len(copies))
		}
	}
	enough()
	b.within("the end of ctx", func() error { taking.Wait(); return nil })
	join()
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages went to two goroutines", d)
	}
}

// keyed makes the records from..to-1 with keys in turn.
func keyed(from, to, keys int) []streamer.Record {
	rs := make([]streamer.Record, 0, to-from)
	for i := from; i < to; i++ {
		rs = append(rs, streamer.Record{Key: fmt.Appendf(nil, "key-%d", i%keys), Value: value(i)})
	}
	return rs
}

// keyOrderCheck watches first copies: each key in one shard, its numbers
// rising.
type keyOrderCheck struct {
	shard map[string]streamer.ShardID
	last  map[string]int
	seen  map[int]bool
}

func newKeyOrderCheck() *keyOrderCheck {
	return &keyOrderCheck{make(map[string]streamer.ShardID), make(map[string]int), make(map[int]bool)}
}

func (k *keyOrderCheck) check(_ int, m *streamer.Message) error {
	key, n := string(m.Key), number(m)
	if k.seen[n] {
		return nil
	}
	if s, ok := k.shard[key]; ok && s != m.Shard {
		return fmt.Errorf("%s was in shard %d and is in shard %d", key, s, m.Shard)
	}
	if last, ok := k.last[key]; ok && n < last {
		return fmt.Errorf("%s: message %d arrived after message %d", key, n, last)
	}
	k.shard[key], k.last[key], k.seen[n] = m.Shard, n, true
	return nil
}

// keyOrder: several goroutines, each with keys of its own, send through one
// producer.
func keyOrder(b *bed) {
	const shards, senders, keys = 4, 4, 8
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	p := b.producer()
	n := b.Messages / senders
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for _, r := range keyed(i*n, (i+1)*n, keys) {
				r.Key = fmt.Appendf(r.Key, "-of-%d", i)
				p.Send(b.ctx, r)
			}
		})
	}
	b.gather(n*senders, newKeyOrderCheck().check, c)
	sending.Wait()
	b.close(p)
}

func keyShardAgreed(b *bed) {
	const keys = 40
	b.open(Plan{Shards: 4})
	first := b.send(b.producer(), keyed(0, keys, keys)...)
	second := b.send(b.producerOn(b.connect(), streamer.ProducerOptions{}), keyed(0, keys, keys)...)
	for i := range first {
		if first[i].Shard != second[i].Shard {
			b.Errorf("key %d went to shard %d and, from another program, to shard %d", i, first[i].Shard, second[i].Shard)
		}
	}
}

func keyOrderAcrossRetries(b *bed, keys int, o streamer.ProducerOptions) {
	const shards, cuts = 4, 3
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	p := b.producerOn(b.streamer(), o)
	n := b.Messages / 4
	join := b.background("sending", func() error {
		for i := range cuts {
			for j, r := range keyed(i*n, (i+1)*n, keys) {
				p.Send(b.ctx, r)
				if j == n/2 {
					b.place.Cut()
				}
			}
			time.Sleep(2 * o.Linger)
			b.place.Mend()
		}
		return nil
	})
	b.gather(n*cuts, newKeyOrderCheck().check, c)
	join()
	b.close(p)
}
