package conformance

import (
	"context"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
)

// refusal is the case which shows that a part is refused: by the call that asks
// for it, with ErrUnsupported, and that nothing else suffers.
func refusal(part Part) testCase {
	title := strings.NewReplacer(" ", "-", ",", "").Replace(string(part))
	return testCase{name: "refuses-" + title, refuses: part, run: func(b *bed) {
		b.open(Plan{})
		refusals[part](b)
		c := b.consumer(b.realtime())
		b.sendN(0, 1, 1)
		b.expect(c, 0)
	}}
}

// refusals are the parts that some backend is granted to refuse. Any other one
// that a harness refuses has no case to show it.
var refusals = map[Part]func(*bed){
	Resuming:   refusesResuming,
	Moving:     refusesMoving,
	Choosing:   refusesChoosing,
	Resetting:  refusesResetting,
	Lagging:    refusesLagging,
	Managing:   refusesManaging,
	Deleting:   refusesDeleting,
	Keys:       func(b *bed) { b.refusesRecords(Keys, streamer.Record{Key: []byte("k"), Value: []byte("v")}) },
	BinaryKeys: func(b *bed) { b.refusesRecords(BinaryKeys, streamer.Record{Key: []byte("\xff"), Value: []byte("v")}) },
	NilValues:  func(b *bed) { b.refusesRecords(NilValues, streamer.Record{}) },
	SenderTime: func(b *bed) { b.refusesRecords(SenderTime, streamer.Record{Value: []byte("v"), Time: firstTime}) },
	Headers: func(b *bed) {
		b.refusesRecords(Headers, streamer.Record{Value: []byte("v"), Headers: []streamer.Header{{Key: "h", Value: []byte("v")}}})
	},
	AnyBytes: func(b *bed) {
		b.refusesRecords(AnyBytes, streamer.Record{Value: []byte("two\nlines")}, streamer.Record{Value: []byte("not UTF-8 \xff")})
	},
}

func (b *bed) unsupported(what string, err error) {
	b.Helper()
	b.is(what, err, streamer.ErrUnsupported)
	b.typed(what, err)
}

func refusesResuming(b *bed) {
	_, err := b.tryConsumer(b.streamer(), streamer.ConsumerOptions{Mode: streamer.Resumable, Group: b.group})
	b.unsupported("a Resumable consumer", err)
}

func refusesMoving(b *bed) {
	for _, to := range []streamer.Position{streamer.Beginning(), streamer.End(), streamer.AtTime(firstTime), streamer.At(streamer.SeqUint(1))} {
		o := b.realtime()
		o.Start = to
		_, err := b.tryConsumer(b.streamer(), o)
		b.unsupported("Start at "+to.String(), err)
	}
	c := b.consumer(b.realtime())
	ctx, cancel := b.limit()
	defer cancel()
	b.unsupported("Seek", c.Seek(ctx, time.Now()))
	b.unsupported("Rewind", c.Rewind(ctx, streamer.Beginning()))
	b.unsupported("Rewind to the committed position", c.Rewind(ctx, streamer.Committed()))
	b.sendN(1, 2, 1)
	b.expect(c, 1)
	b.close(c)
}

func refusesChoosing(b *bed) {
	o := b.realtime()
	o.Shards = []streamer.ShardID{0}
	_, err := b.tryConsumer(b.streamer(), o)
	b.unsupported("Shards", err)
	c := b.consumer(b.realtime())
	b.unsupported("Assign", c.Assign(b.place.Streams[0], 0))
	b.unsupported("Unassign", c.Unassign(b.place.Streams[0], 0))
	b.close(c)
}

func refusesResetting(b *bed) {
	for _, reset := range []streamer.AutoReset{streamer.Earliest, streamer.ResetError} {
		o := b.realtime()
		o.AutoReset = reset
		_, err := b.tryConsumer(b.streamer(), o)
		b.unsupported("AutoReset", err)
	}
}

func refusesLagging(b *bed) {
	c := b.consumer(b.realtime())
	ctx, cancel := b.limit()
	defer cancel()
	_, err := c.Lag(ctx)
	b.unsupported("Lag", err)
	b.close(c)
}

func refusesManaging(b *bed) {
	a, name := b.streamer().Admin(), b.place.Streams[0]
	for what, call := range map[string]func(context.Context) error{
		"Create":      func(ctx context.Context) error { return a.Create(ctx, name, 1) },
		"Delete":      func(ctx context.Context) error { return a.Delete(ctx, name) },
		"Describe":    func(ctx context.Context) error { _, err := a.Describe(ctx, name); return err },
		"Streams":     func(ctx context.Context) error { _, err := a.Streams(ctx, ""); return err },
		"Groups":      func(ctx context.Context) error { _, err := a.Groups(ctx, name); return err },
		"ResetGroup":  func(ctx context.Context) error { return a.ResetGroup(ctx, name, b.group, streamer.End()) },
		"DeleteGroup": func(ctx context.Context) error { return a.DeleteGroup(ctx, name, b.group) },
	} {
		b.refuses("Admin."+what, streamer.ErrUnsupported, call)
	}
}

func refusesDeleting(b *bed) {
	a, name := b.streamer().Admin(), b.place.Streams[0]
	b.refuses("Admin.Delete", streamer.ErrUnsupported, func(ctx context.Context) error { return a.Delete(ctx, name) })
}

// refusesRecords: the receipt says so, and what is sent before and after is
// stored.
func (b *bed) refusesRecords(part Part, rs ...streamer.Record) {
	b.Helper()
	c := b.consumer(b.realtime())
	p := b.producer()
	for i, r := range rs {
		before := p.Send(b.ctx, streamer.Record{Value: value(2 * i)})
		refused := p.Send(b.ctx, r)
		after := p.Send(b.ctx, streamer.Record{Value: value(2*i + 1)})
		ctx, cancel := b.limit()
		_, err := before.Wait(ctx)
		b.must("the record before", err)
		_, err = refused.Wait(ctx)
		b.unsupported("the record", err)
		b.hinted(part, err)
		_, err = after.Wait(ctx)
		b.must("the record after", err)
		cancel()
		b.expect(c, 2*i, 2*i+1)
	}
	b.close(c)
}

// hinted fails when the reason for refusing part names an option that helps and
// the error does not.
func (b *bed) hinted(part Part, err error) {
	b.Helper()
	for _, e := range exceptions() {
		_, hint, ok := strings.Cut(e.why, "; use ")
		if e.backend == b.Backend && e.verdict == Refused && ok && e.part == part && !strings.Contains(err.Error(), hint) {
			b.Errorf("the error does not name %s: %v", hint, err)
			return
		}
	}
}
