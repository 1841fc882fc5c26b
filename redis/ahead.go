package redis

import (
	"context"
	"slices"
)

// ahead is a read that began before the page of the one before was handed on: the server prepares the next page while the program works on this
// one. RealTime alone reads ahead: in a group it would take messages from other members that the engine does not know of.
type ahead struct {
	shards []*shard
	after  []id // where each was read from
	count  int
	reply  *reply
	err    error
	done   chan struct{} // closed by the goroutine that reads, which drop joins
}

// Where one shard is read ahead, a page is of as many batches as fit into so many bytes: fewer turns of client and server.
const (
	aheadBatches = 4
	aheadBytes   = 1 << 20
)

// askAhead begins to read the page behind one that was full.
func (l *lane) askAhead(shards []*shard, after []id, limit int) {
	if l.conn == nil {
		return
	}
	count := limit
	if len(shards) == 1 {
		count = l.s.size.stretch(limit, aheadBatches*limit, aheadBytes)
	}
	a := &ahead{shards: shards, after: after, count: count, reply: newReply(l.s.size.expect(count)), done: make(chan struct{})}
	conn, args := l.conn, l.command(shards, after, count, false)
	l.ahead = a
	go func() {
		defer close(a.done)
		a.err = conn.do(l.s.life, a.reply, args)
	}()
}

// takePage takes in a page of what was asked for, or the first of it. In RealTime the next one is asked for, as soon as is known behind what.
func (l *lane) takePage(r *reply, shards []*shard, count, limit int) error {
	if l.s.grouped() {
		return l.scan(r, l.take)
	}
	if n, last, ok := r.ending(); ok && len(shards) == 1 {
		l.rest = &rest{shard: shards[0], after: shards[0].last, left: n, s: r.entries()}
		l.learn(r, n, 1)
		if n >= count {
			l.askAhead(shards, []id{last}, limit)
		}
		return l.takeRest(limit)
	}
	if err := l.scan(r, l.take); err != nil {
		return err
	}
	if l.entries >= count {
		l.askAhead(shards, lastOf(shards), limit)
	}
	return nil
}

func lastOf(shards []*shard) []id {
	ids := make([]id, len(shards))
	for i, sh := range shards {
		ids[i] = sh.last
	}
	return ids
}

// readAhead takes the page in that was asked for; one that does not fit any more is passed over.
func (l *lane) readAhead(ctx context.Context, shards []*shard, limit int) error {
	a := l.ahead
	select {
	case <-a.done:
		l.ahead = nil
	case <-ctx.Done():
		return ctx.Err() // it stays for the next Fetch
	}
	if a.err != nil || !a.fits(shards, limit) {
		return a.err
	}
	return l.takePage(a.reply, shards, a.count, limit)
}

// fits says whether the page is behind what was read before, of the same shards, and may be handed on.
func (a *ahead) fits(shards []*shard, limit int) bool {
	if len(shards) > 1 && a.count > limit || !slices.Equal(a.shards, shards) {
		return false
	}
	return slices.Equal(a.after, lastOf(shards))
}

// forgetAhead waits for the end of a read whose page nobody wants.
func (l *lane) forgetAhead() {
	l.rest = nil
	if l.ahead == nil {
		return
	}
	l.conn.cut()
	<-l.ahead.done
	l.ahead = nil
}

// rest is what of a page is still to be taken in. The shard is where it begins, so it may be forgotten at any time.
type rest struct {
	shard *shard
	after id
	left  int
	s     scanner
}

// fits says whether the rest is what is to be read now.
func (r *rest) fits(shards []*shard) bool {
	return r != nil && len(shards) == 1 && shards[0] == r.shard && r.shard.last == r.after
}

// takeRest takes in up to limit entries.
func (l *lane) takeRest(limit int) error {
	r := l.rest
	n := min(r.left, limit)
	l.page.room(n)
	err := r.s.some(n, func(e *entry) error {
		l.take(r.shard, e)
		return nil
	})
	r.left, r.after = r.left-n, r.shard.last
	if err == nil && r.left > 0 {
		return nil
	}
	l.rest = nil
	if err == nil {
		err = r.s.end()
	}
	if err != nil {
		l.drop() // what else is on its way cannot be understood either
	}
	return err
}
