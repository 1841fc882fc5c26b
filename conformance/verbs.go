package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
)

// value is the value of the i-th message of a case, number its inverse; -1 for
// any other message.
func value(i int) []byte { return fmt.Appendf(nil, "%08d", i) }

func number(m *streamer.Message) int {
	n, err := strconv.Atoi(string(m.Value))
	if err != nil {
		return -1
	}
	return n
}

func numbers(ms []*streamer.Message) []int {
	ns := make([]int, len(ms))
	for i, m := range ms {
		ns[i] = number(m)
	}
	return ns
}

// span is the numbers from..to-1.
func span(from, to int) []int {
	ns := make([]int, to-from)
	for i := range ns {
		ns[i] = from + i
	}
	return ns
}

// numbered makes the records from..to-1; record i goes to shard i modulo
// shards.
func numbered(from, to, shards int) []streamer.Record {
	rs := make([]streamer.Record, 0, to-from)
	for i := from; i < to; i++ {
		rs = append(rs, streamer.Record{Value: value(i), Shard: shardOf(i, shards)})
	}
	return rs
}

func shardOf(i, shards int) *streamer.ShardID {
	s := streamer.ShardID(i % shards)
	return &s
}

// send stores records and returns where they are.
func (b *bed) send(p streamer.Producer, rs ...streamer.Record) []streamer.Meta {
	b.Helper()
	metas, err := b.trySend(p, rs...)
	if err != nil {
		b.Fatalf("%v", err)
	}
	return metas
}

// trySend is send for any goroutine.
func (b *bed) trySend(p streamer.Producer, rs ...streamer.Record) ([]streamer.Meta, error) {
	receipts := make([]*streamer.Receipt, len(rs))
	for i, r := range rs {
		ctx, cancel := b.limit()
		receipts[i] = p.Send(ctx, r)
		cancel()
	}
	metas := make([]streamer.Meta, len(rs))
	for i, r := range receipts {
		ctx, cancel := b.limit()
		m, err := r.Wait(ctx)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("waiting for receipt %d of %d: %w", i+1, len(rs), err)
		}
		metas[i] = m
	}
	return metas, nil
}

// sendN stores the numbered messages from..to-1 with a producer that lives as
// long.
func (b *bed) sendN(from, to, shards int) []streamer.Meta {
	b.Helper()
	p := b.producer()
	metas := b.send(p, numbered(from, to, shards)...)
	b.close(p)
	return metas
}

// next takes one message.
func (b *bed) next(c streamer.Consumer, what string) *streamer.Message {
	b.Helper()
	m, err := b.tryNext(c)
	if err != nil {
		b.Fatalf("waiting for %s: %v", what, err)
	}
	return m
}

func (b *bed) tryNext(c streamer.Consumer) (*streamer.Message, error) {
	ctx, cancel := b.limit()
	defer cancel()
	return c.Next(ctx)
}

// take takes n messages.
func (b *bed) take(c streamer.Consumer, n int) []*streamer.Message {
	b.Helper()
	ms := make([]*streamer.Message, 0, n)
	for len(ms) < n {
		ms = append(ms, b.next(c, fmt.Sprintf("message %d of %d", len(ms)+1, n)))
	}
	return ms
}

// expect takes as many messages as are listed and fails when they are others or
// in another order. It is for one shard.
func (b *bed) expect(c streamer.Consumer, want ...int) []*streamer.Message {
	b.Helper()
	ms := make([]*streamer.Message, 0, len(want))
	for i, n := range want {
		m := b.next(c, fmt.Sprintf("message %d", n))
		if number(m) != n {
			b.Fatalf("message %d of %d is %q, want %q", i+1, len(want), m.Value, value(n))
		}
		ms = append(ms, m)
	}
	return ms
}

// moment is how long a case looks for what should not happen. It proves little:
// a case that uses it proves the same in another way too.
const moment = 200 * time.Millisecond

const lastMark = "last "

// rest sends a last message to every shard and takes what comes before these,
// in order, without acknowledging: it is what c had still to deliver.
func (b *bed) rest(c streamer.Consumer, shards int) []*streamer.Message {
	b.Helper()
	return b.restOf(c, shards, b.place.Streams[0])
}

func (b *bed) restOf(c streamer.Consumer, shards int, stream string) []*streamer.Message {
	b.Helper()
	last := []byte(lastMark + uuid.NewString())
	p := b.producer()
	for i := range shards {
		b.send(p, streamer.Record{Stream: stream, Value: last, Shard: shardOf(i, shards)})
	}
	var before []*streamer.Message
	for left := shards; left > 0; {
		m := b.next(c, fmt.Sprintf("the last message of %d shards, after %d others", left, len(before)))
		if bytes.Equal(m.Value, last) {
			left--
		} else if !bytes.HasPrefix(m.Value, []byte(lastMark)) {
			before = append(before, m)
		}
	}
	return before
}

// ack acknowledges messages and fails when one does not count.
func (b *bed) ack(ms ...*streamer.Message) {
	b.Helper()
	for _, m := range ms {
		if !m.Ack() {
			b.Fatalf("Ack of %q did not count", m.Value)
		}
	}
}

// commit commits what is acknowledged.
func (b *bed) commit(c streamer.Consumer) {
	b.Helper()
	ctx, cancel := b.limit()
	defer cancel()
	if err := c.Commit(ctx); err != nil {
		b.Fatalf("Commit: %v", err)
	}
}

// rewind moves.
func (b *bed) rewind(c streamer.Consumer, to streamer.Position) {
	b.Helper()
	ctx, cancel := b.limit()
	defer cancel()
	if err := c.Rewind(ctx, to); err != nil {
		b.Fatalf("Rewind(%v): %v", to, err)
	}
}

// close closes and fails when that fails or takes too long.
func (b *bed) close(what io.Closer) {
	b.Helper()
	b.within(fmt.Sprintf("Close of a %T", what), what.Close)
}

// within runs a call that must return without an error before the limit, even
// if it ignores its context.
func (b *bed) within(what string, call func() error) {
	b.Helper()
	if err := b.returns(what, call); err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

// returns runs a call that must return before the limit, even if it ignores its
// context, and gives its error.
func (b *bed) returns(what string, call func() error) error {
	b.Helper()
	return b.returnsIn(b.Hang, what, call)
}

func (b *bed) returnsIn(limit time.Duration, what string, call func() error) error {
	b.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		b.Fatalf("%s has not returned after %v:\n%s", what, limit, b.stacks())
		return nil
	}
}

// joins waits for goroutines each of whose waits has its own limit.
func (b *bed) joins(what string, wait func() error) {
	b.Helper()
	if err := b.returnsIn(10*b.Hang, what, wait); err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

// await polls until a condition holds.
func (b *bed) await(what string, condition func() bool) {
	b.Helper()
	b.awaitFor(b.Hang, what, condition)
}

func (b *bed) awaitFor(limit time.Duration, what string, condition func() bool) {
	b.Helper()
	for deadline := time.Now().Add(limit); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("waited %v for %s", limit, what)
		}
	}
}

// is fails when err does not match a sentinel.
func (b *bed) is(what string, err, sentinel error) {
	b.Helper()
	if !errors.Is(err, sentinel) {
		b.Fatalf("%s: error is %v, want %v", what, err, sentinel)
	}
}

// unwrapped fails when err is not exactly a context's error.
func (b *bed) unwrapped(what string, err, want error) {
	b.Helper()
	if err != want {
		b.Errorf("%s: error is %#v, want %v itself", what, err, want)
	}
}

// same fails when two lists differ.
func same[E comparable](b *bed, what string, got, want []E) {
	b.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			b.Fatalf("%s: element %d is %v, want %v (have %d, want %d)", what, i, got[i], want[i], len(got), len(want))
		}
	}
	if len(got) != len(want) {
		b.Fatalf("%s: have %d, want %d", what, len(got), len(want))
	}
}

// wantSet fails when the messages are not exactly those with the numbers
// listed, each once, in any order.
func (b *bed) wantSet(what string, ms []*streamer.Message, want []int) {
	b.Helper()
	got := numbers(ms)
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		b.Fatalf("%s: got %d messages %s, want %d %s", what, len(got), brief(got), len(want), brief(want))
	}
}

// brief shows a sorted list as runs.
func brief(ns []int) string {
	var runs []string
	for i := 0; i < len(ns); {
		j := i
		for j+1 < len(ns) && ns[j+1] == ns[j]+1 {
			j++
		}
		runs = append(runs, fmt.Sprintf("%d-%d", ns[i], ns[j]))
		i = j + 1
	}
	if len(runs) > 12 {
		runs = append(runs[:12], "…")
	}
	return "[" + strings.Join(runs, " ") + "]"
}
