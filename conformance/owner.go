package conformance

import (
	"fmt"

	"github.com/gostreamer/streamer"
)

func ownerCases() []testCase {
	resuming := []Part{Resuming}
	return []testCase{
		{name: "a-second-owner-is-refused/in-the-process", needs: append(resuming, BusyAtOpen), run: busyInProcess},
		{name: "a-second-owner-is-refused/in-another-process", needs: append(resuming, BusyAtOpen, Killing), run: busyInChild},
		{name: "another-group-is-free", needs: resuming, run: otherGroupFree},
		{name: "free-after-close", needs: resuming, run: freeAfterClose},
		{name: "free-after-sigkill", needs: append(resuming, Killing), run: freeAfterKill},
		{name: "a-second-writer", needs: []Part{Killing}, run: secondWriter},
		{name: "a-lost-owner-cannot-move-the-group", needs: append(resuming, Fencing), run: lostOwner},
	}
}

func busyInProcess(b *bed) {
	b.open(Plan{Shards: 2})
	other := b.connect()
	c := b.consumer(b.resumable())
	for what, s := range map[string]streamer.Streamer{"the same program": b.streamer(), "another program": other} {
		_, err := b.tryConsumer(s, b.resumable())
		b.is("a second owner in "+what, err, streamer.ErrBusy)
	}
	b.sendN(0, 4, 2)
	b.wantSet("the first owner's messages", b.take(c, 4), span(0, 4))
}

func busyInChild(b *bed) {
	b.open(Plan{})
	b.consumer(b.resumable())
	c := b.try(errand{Mode: streamer.Resumable, Group: b.group})
	if c.kind != streamer.ErrBusy.Error() {
		b.Errorf("a second owner in another process: %q, want %q", c.report, streamer.ErrBusy)
	}
}

func otherGroupFree(b *bed) {
	b.open(Plan{})
	for i := range 5 {
		o := b.resumable()
		o.Group += fmt.Sprint("-", i)
		b.consumer(o)
	}
}

func freeAfterClose(b *bed) {
	const lives = 20
	b.open(Plan{})
	b.sendN(0, lives, 1)
	programs := []streamer.Streamer{b.streamer(), b.connect()}
	for i := range lives {
		c := b.consumerOn(programs[i%2], b.resumable())
		b.ack(b.expect(c, i)...)
		b.close(c)
	}
}

func freeAfterKill(b *bed) {
	b.open(Plan{})
	b.sendN(0, 10, 1)
	child := b.spawn(errand{Mode: streamer.Resumable, Group: b.group, Take: 5, Ack: 5, Commit: 5})
	if _, err := b.tryConsumer(b.streamer(), b.resumable()); !b.lacks(BusyAtOpen) {
		b.is("a second owner while the first one lives", err, streamer.ErrBusy)
	}
	child.kill()
	b.expect(b.reopen(b.resumable()), span(5, 10)...)
}

// secondWriter: where a log has one writer, another process gets ErrBusy;
// elsewhere it may write too.
func secondWriter(b *bed) {
	b.open(Plan{})
	p := b.producer()
	b.send(p, streamer.Record{Value: value(1)})
	c := b.try(errand{Produce: true})
	switch {
	case b.OneWriter && c.kind != streamer.ErrBusy.Error():
		b.Errorf("a second writer in another process: %q, want %q", c.report, streamer.ErrBusy)
	case !b.OneWriter && c.report != "":
		b.Errorf("a second writer in another process: %s", c.report)
	}
	c.kill()
	b.close(p)
	b.stop()
	b.spawn(errand{Produce: true}).kill()
	b.sendN(2, 3, 1)
}

// lostOwner: another owner has taken over and moved on; the first one's commit
// is refused and changes nothing.
func lostOwner(b *bed) {
	b.open(Plan{})
	b.sendN(0, 30, 1)
	lost := b.consumer(b.resumable())
	held := b.expect(lost, span(0, 20)...)
	b.ack(held[:5]...)
	b.commit(lost)
	b.place.Lose(b.place.Streams[0], b.group)
	owner := b.consumerOn(b.connect(), b.resumable())
	b.ack(b.expect(owner, span(5, 10)...)...)
	b.commit(owner)
	for _, m := range held[5:] {
		m.Ack()
	}
	ctx, cancel := b.limit()
	defer cancel()
	b.is("Commit of an owner that lost its shards", lost.Commit(ctx), streamer.ErrFenced)
	b.within("Close of an owner that lost its shards", func() error { lost.Close(); return nil })
	b.close(owner)
	b.expect(b.consumer(b.resumable()), span(10, 30)...)
}
