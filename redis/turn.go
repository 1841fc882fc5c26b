package redis

import (
	"context"
	"errors"
	"slices"
)

// turn is a command under way on a lane's connection: for new messages, or for
// older ones that go first. It may outlast the Fetch that asked: a reply takes
// as long as the link needs. In RealTime the next page is asked for before the
// one before is handed on, so that the server prepares it while the program
// works; in a group that would take messages from other members that the engine
// does not know of.
type turn struct {
	*asked
	shards []*shard
	after  []id // new messages: where each shard was read from
	count  int  // entries that each shard may bring

	take func(context.Context, *reply, error) error // older messages: takes in what has come
	lost func()                                     // older messages: the reply is dropped; may be nil
}

// Where one shard is read ahead, a page is of as many batches as fit into so
// many bytes: fewer turns of client and server.
const (
	aheadBatches = 4
	aheadBytes   = 1 << 20
)

// askNew asks for new messages of shards.
func (l *lane) askNew(shards []*shard, after []id, count int, wait bool) *turn {
	reply := newReply(l.s.size.expect(count))
	return &turn{asked: l.conn.ask(reply, wait, l.command(shards, after, count, wait)), shards: shards, after: after, count: count}
}

// askOlder asks for messages that go before new ones, and takes them in if they
// come before ctx ends; else a later step does.
func (l *lane) askOlder(ctx context.Context, args []any, t *turn) error {
	t.asked = l.conn.ask(newReply(l.s.size.expect(t.count)), false, args)
	l.under = t
	_, err := l.settle(ctx, false)
	return err
}

// settle waits for what is under way, but not for long where other lanes are to
// wait beside it. Older messages it takes in, new ones are ready then. Of a
// reply that is lost it takes what has come. done says that the connection is
// free.
func (l *lane) settle(ctx context.Context, wait bool) (done bool, err error) {
	t := l.under
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if !wait {
		waiting, cancel = context.WithTimeout(ctx, grace)
	}
	defer cancel()
	if !t.await(waiting) {
		return false, nil
	}
	l.under = nil
	if t.err != nil {
		l.lost(t)
		l.haunted(t)
	} else {
		l.losses, l.answered = 0, true
	}
	switch {
	case t.take != nil:
		return true, t.take(ctx, t.reply, t.err)
	case t.err != nil:
		return true, errors.Join(t.err, l.salvage(t.reply))
	}
	l.ready = t
	return true, nil
}

// lost notes that a reply was lost. If that was for its size, the next has to
// be smaller: it was on its way, or it happened before.
func (l *lane) lost(t *turn) {
	if t.ended || isUnsent(t.err) || code(t.err) != "" {
		return
	}
	l.barren = 0
	l.losses++
	if t.reply.begun() || l.losses > 1 {
		l.s.size.shrink(t.count)
	}
}

// salvage takes in those entries of a lost reply of new messages that have
// come.
func (l *lane) salvage(r *reply) error {
	if err := l.scan(r, l.take); code(err) != "" {
		return err
	}
	return nil
}

// askAhead begins to read the page behind one that was full.
func (l *lane) askAhead(shards []*shard, after []id, limit int) {
	if l.conn == nil {
		return
	}
	count := limit
	if len(shards) == 1 {
		count = l.s.size.stretch(limit, aheadBatches*limit, aheadBytes)
	}
	l.under = l.askNew(shards, after, count, false)
}

// takePage takes in a page of what was asked for, or the first of it. In
// RealTime the next one is asked for, as soon as is known behind what.
func (l *lane) takePage(t *turn, limit int) error {
	r := t.reply
	if l.s.grouped() {
		return l.scan(r, l.take)
	}
	if n, last, ok := r.ending(); ok && len(t.shards) == 1 {
		l.rest = &rest{shard: t.shards[0], after: t.shards[0].last, left: n, s: r.entries()}
		l.learn(r, n, 1)
		if n >= t.count {
			l.askAhead(t.shards, []id{last}, limit)
		}
		return l.takeRest(limit)
	}
	if err := l.scan(r, l.take); err != nil {
		return err
	}
	if l.entries >= t.count && len(t.shards) == len(l.shards) {
		l.askAhead(t.shards, lastOf(t.shards), limit)
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

// fits says whether the page is behind what was read before, of the same
// shards, and may be handed on.
func (t *turn) fits(shards []*shard, limit int) bool {
	if whole := len(t.shards) == len(shards); whole && (len(shards) > 1 && t.count > limit || !slices.Equal(t.shards, shards)) {
		return false
	}
	return slices.Equal(t.after, lastOf(t.shards))
}

// gather waits for what is under way and takes it in, paused or not.
func (l *lane) gather(ctx context.Context) {
	for (l.under != nil || l.ready != nil) && ctx.Err() == nil {
		_, err := l.work(ctx, l.shards, true)
		l.trouble(ctx, err)
		if err != nil {
			return
		}
	}
}

// forget gives up what is under way and what of the last page is not taken in.
// In a group the messages are pending, and have to be read again.
func (l *lane) forget() {
	l.rest = nil
	under, ready := l.under, l.ready
	l.under, l.ready = nil, nil
	if under == nil && ready == nil {
		return
	}
	if under != nil {
		under.giveUp()
		l.haunted(under)
		if under.lost != nil {
			under.lost()
		}
	}
	l.unread()
}

// rest is what of a page is still to be taken in. The shard is where it begins,
// so it may be forgotten at any time.
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
