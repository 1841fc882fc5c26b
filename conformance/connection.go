package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
)

// failure breaks the way to the server; mend ends what does not end by itself.
type failure struct {
	name  string
	part  Part
	start func(b *bed) (mend func())
}

func failures() []failure {
	return []failure{
		{"connection", Connection, func(b *bed) func() { b.place.Cut(); return b.place.Mend }},
		{"restart", Restart, func(b *bed) func() { b.place.Restart(); return func() {} }},
	}
}

func connectionCases() []testCase {
	var cases []testCase
	for _, f := range failures() {
		needs := []Part{f.part}
		for _, m := range modes() {
			cases = append(cases, testCase{
				name: "consumer-goes-on/" + f.name + "/" + m.name, needs: append(needs[:1:1], m.needs...),
				run: func(b *bed) { consumerGoesOn(b, m.mode, f) },
			})
		}
		cases = append(cases,
			testCase{name: "producer-stores-all/" + f.name, needs: needs, run: func(b *bed) { producerStoresAll(b, f) }},
			testCase{name: "commits-outlive-it/" + f.name, needs: append(needs[:1:1], Resuming), run: func(b *bed) { commitsOutlive(b, f) }})
	}
	return append(cases,
		testCase{name: "producer-gives-up-after-its-timeout", needs: []Part{Connection}, run: producerGivesUp},
		testCase{name: "a-blocked-next-goes-on", needs: []Part{Connection}, run: blockedNextGoesOn},
		testCase{name: "open-while-cut-ends-with-its-ctx", needs: []Part{Connection}, run: openWhileCut},
		testCase{name: "a-slow-server", needs: []Part{Connection, Resuming}, run: slowServer})
}

// intake is what one consumer got: records by number, and places, so that a
// record stored twice is distinguished from a message delivered twice.
type intake struct {
	numbers map[int]int
	places  map[string]int
}

func newIntake() *intake { return &intake{make(map[int]int), make(map[string]int)} }

// until acknowledges messages until it has n different numbers.
func (in *intake) until(b *bed, n int, c streamer.Consumer) {
	b.Helper()
	for len(in.numbers) < n {
		m := b.next(c, fmt.Sprintf("message %d of %d", len(in.numbers)+1, n))
		in.numbers[number(m)]++
		where := fmt.Sprint(m.Stream, " ", m.Shard, " ", m.Seq)
		if in.places[where]++; in.places[where] > 1 && !b.reassigned() {
			b.Errorf("%s was delivered twice within one assignment", where)
		}
		m.Ack()
	}
}

// reassigned says that shards were taken from a consumer of the case: what it
// had not committed may be redelivered then.
func (b *bed) reassigned() bool {
	for _, e := range told(b.seen, &b.seen.assigned) {
		if len(e.Revoked) > 0 {
			return true
		}
	}
	return false
}

func (b *bed) retries() int { return len(told(b.seen, &b.seen.retries)) }

// consumerGoesOn: messages sent before, during and after several failures all
// come, and Next shows no error.
func consumerGoesOn(b *bed, m streamer.ConsumerMode, f failure) {
	const shards, failures = 2, 3
	b.open(Plan{Shards: shards})
	c := b.consumer(b.in(m))
	p := b.producer()
	n := b.Messages / 4
	in := newIntake()
	for i := range failures {
		join := b.background("sending across a failure", func() error {
			_, err := b.trySend(p, numbered(i*n, (i+1)*n, shards)...)
			return err
		})
		in.until(b, i*n+n/2, c)
		f.start(b)()
		in.until(b, (i+1)*n, c)
		join()
	}
}

// producerStoresAll: every receipt says stored, and everything is there.
func producerStoresAll(b *bed, f failure) {
	const shards, failures = 2, 3
	b.open(Plan{Shards: shards})
	c := b.consumer(b.realtime())
	p := b.producer()
	n := b.Messages / 4
	for i := range failures {
		rs := numbered(i*n, (i+1)*n, shards)
		b.send(p, rs[:n/2]...)
		mend := f.start(b)
		join := b.background("sending without a connection", func() error {
			_, err := b.trySend(p, rs[n/2:]...)
			return err
		})
		mend()
		join()
	}
	newIntake().until(b, failures*n, c)
	b.close(p)
}

func commitsOutlive(b *bed, f failure) {
	b.open(Plan{})
	b.sendN(0, 30, 1)
	c := b.consumer(b.resumable())
	b.ack(b.expect(c, span(0, 10)...)...)
	b.commit(c)
	f.start(b)()
	b.ack(b.expect(c, span(10, 15)...)...)
	b.close(c)
	b.expect(b.consumer(b.resumable()), span(15, 30)...)
}

// producerGivesUp: the outcome is unknown, or known to be a failure, after
// DeliveryTimeout; later records are stored.
func producerGivesUp(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	p := b.producerOn(b.streamer(), streamer.ProducerOptions{DeliveryTimeout: 300 * time.Millisecond})
	b.sendInTheEnd(p, 0)
	b.place.Cut()
	ctx, cancel := b.limit()
	defer cancel()
	if m, err := p.Send(ctx, streamer.Record{Value: []byte("into the dark")}).Wait(ctx); err == nil || ctx.Err() != nil {
		b.Fatalf("a record sent without a connection: %+v, %v", m, err)
	}
	b.place.Mend()
	b.sendInTheEnd(p, 1)
	for want := 0; want < 2; {
		m := b.next(c, "what was stored")
		if n := number(m); n == want {
			want++
		} else if n >= want || n < 0 && string(m.Value) != "into the dark" {
			b.Fatalf("got %q", m.Value)
		}
	}
}

// sendInTheEnd sends a record until a receipt says that it is stored: on a busy
// machine, a short DeliveryTimeout may be too short for a connection. It may be
// stored several times.
func (b *bed) sendInTheEnd(p streamer.Producer, number int) {
	b.Helper()
	for deadline := time.Now().Add(b.Hang); ; {
		_, err := b.trySend(p, streamer.Record{Value: value(number)})
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("record %d: %v", number, err)
		}
	}
}

// blockedNextGoesOn: a blocked Next does not return when the connection goes; a
// hook tells; the next message arrives.
func blockedNextGoesOn(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	got := make(chan *streamer.Message, 1)
	join := b.background("Next across a failure", func() error {
		m, err := b.tryNext(c)
		got <- m
		return err
	})
	b.place.Cut()
	b.await("Hooks.Retrying", func() bool { return b.retries() > 0 })
	b.place.Mend()
	b.sendN(0, 1, 1)
	join()
	if m := <-got; number(m) != 0 {
		b.Errorf("Next gave %q", m.Value)
	}
}

func openWhileCut(b *bed) {
	b.open(Plan{})
	s := b.streamer()
	b.place.Cut()
	ctx, cancel := context.WithTimeout(b.ctx, moment)
	defer cancel()
	err := b.returns("Consumer without a connection", func() error {
		_, err := s.Consumer(ctx, streamer.ConsumerOptions{Mode: streamer.RealTime, Streams: b.place.Streams})
		return err
	})
	if err == nil || errors.Is(err, streamer.ErrNotFound) {
		b.Errorf("Consumer without a connection returned %v", err)
	}
	b.place.Mend()
	c := b.consumer(b.realtime())
	b.sendN(0, 1, 1)
	b.expect(c, 0)
}

// slowServer: every answer takes its time. Everything works all the same, and a
// ctx that ends does not wait for an answer.
func slowServer(b *bed) {
	const n, delay = 50, 100 * time.Millisecond
	b.open(Plan{})
	c := b.consumer(b.resumable())
	p := b.producer()
	b.place.Slow(delay)
	join := b.background("sending to a slow server", func() error {
		_, err := b.trySend(p, numbered(0, n, 1)...)
		return err
	})
	for i := range n {
		ctx, cancel := context.WithTimeout(b.ctx, delay/10)
		m, err := b.callNext(ctx, c)
		cancel()
		if err != nil {
			m = b.next(c, "a message of a slow server")
		}
		if number(m) != i {
			b.Fatalf("got message %d, want %d", number(m), i)
		}
		m.Ack()
	}
	join()
	b.commit(c)
	b.place.Slow(0)
	b.close(c)
	b.sendN(n, n+1, 1)
	b.expect(b.consumer(b.resumable()), n)
}
