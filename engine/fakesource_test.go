package engine

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// fakeSource reads a fakeBackend's log. Its fields belong to fakeBackend.mu.
type fakeSource struct {
	b      *fakeBackend
	c      driver.SourceConfig
	all    []streamer.StreamShard
	next   map[streamer.StreamShard]int  // index of the message that comes next
	paused map[streamer.StreamShard]bool // kept until resumed, over a rebalance too, as some clients do
	slabs  []int                         // how many messages each Fetch brought
	busy   map[string]bool
	closed bool
	told   map[driver.Mark]bool // messages that were acknowledged
}

// alone notes a breach of the SPI's contract when op is called concurrently
// with itself or after Close.
func (f *fakeSource) alone(op string) (leave func()) {
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	if f.busy[op] {
		f.b.breach(op + " is called concurrently with itself")
	}
	if f.closed {
		f.b.breach(op + " is called after Close")
	}
	f.busy[op] = true
	return func() {
		f.b.mu.Lock()
		defer f.b.mu.Unlock()
		f.busy[op] = false
	}
}

// breach notes what the engine did and must not. b.mu is held.
func (b *fakeBackend) breach(what string) { b.breaches = append(b.breaches, what) }

// start resolves where a shard starts, as SourceConfig.StartOf says.
func (f *fakeSource) start(at streamer.StreamShard) {
	p, ok := f.c.StartOf(at)
	if !ok {
		return
	}
	f.all = append(f.all, at)
	done, committed := f.b.committed[at]
	switch n := len(f.b.log[at]); {
	case p.Kind() == streamer.AtSeq:
		f.next[at] = min(int(p.Seq().Uint())-1, n)
	case p.Kind() == streamer.AfterSeq:
		f.next[at] = min(int(p.Seq().Uint()), n)
	case p.Kind() == streamer.AtOrAfterTime:
		i, _ := slices.BinarySearchFunc(f.b.log[at], p.Time(), func(m streamer.Message, t time.Time) int { return m.Time.Compare(t) })
		f.next[at] = i
	case p.Kind() == streamer.AtEnd || p.Kind() == streamer.AtCommitted && !committed && f.c.Reset == streamer.Latest:
		f.next[at] = n
	case p.Kind() == streamer.AtCommitted && committed:
		f.next[at] = int(done.Uint())
	}
	if f.c.Mode == streamer.Resumable && p.Kind() != streamer.AtCommitted {
		f.b.committed[at] = streamer.SeqUint(uint64(f.next[at]))
	}
}

func (f *fakeSource) Fetch(ctx context.Context, emit func([]streamer.Message)) error {
	defer f.alone("Fetch")()
	for {
		if err := f.b.fault("fetch"); err != nil {
			return err
		}
		limit := f.c.MaxBatch
		if f.b.can.room {
			limit = f.c.Room()
		}
		slab, changed := f.cut(limit)
		if len(slab) > 0 {
			emit(slab)
			return nil
		}
		if f.b.finite {
			return io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// cut takes up to limit messages, shard by shard.
func (f *fakeSource) cut(limit int) (slab []streamer.Message, changed <-chan struct{}) {
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	for _, at := range f.all {
		if f.paused[at] {
			continue
		}
		rest := f.b.log[at][f.next[at]:]
		n := min(len(rest), limit-len(slab))
		slab = append(slab, rest[:n]...)
		f.next[at] += n
	}
	if len(slab) > 0 {
		f.slabs = append(f.slabs, len(slab))
	}
	return slab, f.b.changed
}

// fetched counts the messages that were emitted so far.
func (f *fakeSource) fetched() int {
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	n := 0
	for _, s := range f.slabs {
		n += s
	}
	return n
}

func (f *fakeSource) Close(ctx context.Context) error {
	defer f.alone("Close")()
	err := f.b.call(ctx, "close", "")
	f.b.change(func() {
		f.closed = true
		if f.busy["commit"] {
			f.b.breach("Close is called during a commit")
		}
	})
	return err
}

// able is f with the optional interfaces that its backend's abilities name.
func (f *fakeSource) able() driver.Source {
	type (
		cursor = cursorPart
		acker  = ackerPart
		pauser = pauserPart
		giver  = releaserPart
	)
	switch can := f.b.can; {
	case can.cursor && can.pauser:
		return struct {
			*fakeSource
			cursor
			pauser
		}{f, cursor{f}, pauser{f}}
	case can.cursor:
		return struct {
			*fakeSource
			cursor
		}{f, cursor{f}}
	case can.acker && can.releaser:
		return struct {
			*fakeSource
			acker
			giver
		}{f, acker{f}, giver{f}}
	case can.acker:
		return struct {
			*fakeSource
			acker
		}{f, acker{f}}
	case can.pauser:
		return struct {
			*fakeSource
			pauser
		}{f, pauser{f}}
	case can.lag:
		return struct {
			*fakeSource
			lagPart
		}{f, lagPart{f}}
	}
	return f
}

type lagPart struct{ f *fakeSource }

// Lag says that every other shard is 100 messages behind and the rest not
// known, last shard first.
func (p lagPart) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	var lags []streamer.ShardLag
	for i, at := range slices.Backward(p.f.all) {
		lags = append(lags, streamer.ShardLag{StreamShard: at, Messages: [...]int64{100, -1}[i%2]})
	}
	return lags, p.f.b.call(ctx, "lag", "")
}

type cursorPart struct{ f *fakeSource }

func (p cursorPart) CommitCursors(ctx context.Context, upTo []driver.Mark) error {
	defer p.f.alone("commit")()
	var marks []string
	for _, m := range upTo {
		marks = append(marks, fmt.Sprintf("%d=%v", m.Shard, m.Seq))
	}
	slices.Sort(marks)
	if err := p.f.b.call(ctx, "commit", strings.Join(marks, " ")); err != nil {
		return err
	}
	p.f.b.change(func() {
		for _, m := range upTo {
			if was := p.f.b.committed[m.StreamShard]; m.Seq.Compare(was) <= 0 && !p.f.c.AtMostOnce {
				p.f.b.breach(fmt.Sprintf("%v is committed after %v", m.Seq, was))
			}
			p.f.b.committed[m.StreamShard] = m.Seq
		}
	})
	return nil
}

type ackerPart struct{ f *fakeSource }

func (p ackerPart) AckMessages(ctx context.Context, done []driver.Acked) error {
	defer p.f.alone("commit")()
	for _, a := range done {
		p.f.check(a)
	}
	return p.f.note(ctx, "ack", done, p.f.b.acked)
}

// check notes a list that is out of order, or a message that was acknowledged
// before.
func (f *fakeSource) check(a driver.Acked) {
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	if !slices.IsSortedFunc(a.Seqs, streamer.SeqNo.Compare) {
		f.b.breach(fmt.Sprintf("%v are out of order", a.Seqs))
	}
	for _, seq := range a.Seqs {
		m := driver.Mark{StreamShard: a.StreamShard, Seq: seq}
		if f.told[m] {
			f.b.breach(fmt.Sprintf("%v is acknowledged again", seq))
		}
	}
}

type releaserPart struct{ f *fakeSource }

func (p releaserPart) Release(ctx context.Context, undelivered []driver.Acked) error {
	defer p.f.alone("Fetch")() // what it brought meanwhile would overtake what comes back
	return p.f.note(ctx, "release", undelivered, p.f.b.released)
}

func (f *fakeSource) note(ctx context.Context, op string, lists []driver.Acked, into map[streamer.StreamShard][]streamer.SeqNo) error {
	var text []string
	for _, a := range lists {
		text = append(text, fmt.Sprintf("%d=%v", a.Shard, a.Seqs))
	}
	if err := f.b.call(ctx, op, strings.Join(text, " ")); err != nil {
		return err
	}
	f.b.change(func() {
		for _, a := range lists {
			into[a.StreamShard] = append(into[a.StreamShard], a.Seqs...)
			for _, seq := range a.Seqs {
				f.told[driver.Mark{StreamShard: a.StreamShard, Seq: seq}] = true
			}
		}
	})
	return nil
}

type pauserPart struct{ f *fakeSource }

func (p pauserPart) Pause(s streamer.StreamShard, paused bool) {
	_ = p.f.b.call(context.Background(), "pause", fmt.Sprint(s.Shard, paused))
	p.f.b.change(func() { p.f.paused[s] = paused })
}

// fakeSink is what both sinks have in common.
type fakeSink struct {
	b    *fakeBackend
	busy bool // of writes; belongs to fakeBackend.mu
}

// alone notes a Write that is called concurrently with another, or with more
// than Limits allow.
func (s *fakeSink) alone() (leave func()) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.busy {
		s.b.breach("Write is called concurrently with itself")
	}
	s.busy = true
	return func() {
		s.b.mu.Lock()
		defer s.b.mu.Unlock()
		s.busy = false
	}
}

func (s *fakeSink) Limits() driver.Limits { return s.b.limits }

func (s *fakeSink) Flush(ctx context.Context) error { return s.b.call(ctx, "sink flush", "") }

func (s *fakeSink) Close(ctx context.Context) error { return s.b.call(ctx, "sink close", "") }

type writeSink struct{ fakeSink }

func (s *writeSink) Write(ctx context.Context, batch []*driver.Pending) error {
	defer s.alone()()
	var values []string
	for _, p := range batch {
		values = append(values, string(p.Record.Value))
	}
	if err := s.b.call(ctx, "write", strings.Join(values, " ")); err != nil {
		return err
	}
	if s.b.write != nil {
		return s.b.write(ctx, batch)
	}
	s.b.store(batch...)
	return nil
}

type queueSink struct{ fakeSink }

func (s *queueSink) Enqueue(p *driver.Pending) {
	s.b.change(func() { s.b.enqueued = append(s.b.enqueued, p) })
}

// store resolves records as stored.
func (b *fakeBackend) store(batch ...*driver.Pending) {
	for _, p := range batch {
		var m streamer.Meta
		b.change(func() {
			b.stored = append(b.stored, string(p.Record.Value))
			m = streamer.Meta{Stream: p.Record.Stream, Seq: streamer.SeqUint(uint64(len(b.stored)))}
		})
		p.Resolve(m, nil)
	}
}

// values is what is stored, in order.
func (b *fakeBackend) values() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.stored)
}
