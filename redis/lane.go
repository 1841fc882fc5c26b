package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/wait"
	"github.com/redis/go-redis/v9"
)

// lane is shards that are read with one command, on one connection.
type lane struct {
	s       *source
	shards  []*shard
	conn    *conn
	byKey   map[string]*shard
	busy    int    // shards that had something in the last read
	entries int    // that the last read brought
	losses  int    // replies that were lost since one came
	first   int    // of the shards that are read in turn
	barren  int    // of these, how many had nothing one after another
	under   *turn  // on the connection
	ready   *turn  // new messages that have come
	rest    *rest  // of the last page
	ghost   caller // a connection whose last command may still be carried out

	answered bool // a reply has come in this step

	page  page           // for Fetch
	acked []driver.Acked // before the group was recreated
	err   error          // for Fetch: retrying cannot mend it

	pause time.Duration // after the last failure
	until time.Time     // when to try again
}

// step is the lane's part of a round: the first of what there is to do. busy
// says that it was not to read new messages.
func (l *lane) step(ctx context.Context, wait bool) (busy bool) {
	if !l.rested(ctx, wait) {
		return false
	}
	readable := l.s.readable(l.shards)
	if len(readable) == 0 {
		if wait {
			<-ctx.Done()
		}
		return false
	}
	busy, err := l.work(ctx, readable, wait)
	l.trouble(ctx, err)
	return busy
}

// work is a step with something to read.
func (l *lane) work(ctx context.Context, readable []*shard, wait bool) (busy bool, err error) {
	if err := l.connect(ctx); err != nil {
		return false, err
	}
	if t := l.under; t != nil {
		if done, err := l.settle(ctx, wait); !done || err != nil || t.take != nil {
			return done && t.take != nil, err
		}
	}
	if done, err := l.precede(ctx, readable); done || err != nil {
		return done, err
	}
	return l.read(ctx, readable, wait)
}

// precede does the first of what has to be done before new messages are taken
// in.
func (l *lane) precede(ctx context.Context, readable []*shard) (done bool, err error) {
	if !l.s.grouped() {
		if l.ready != nil || l.rest != nil { // what was read is ahead of the shard
			return false, nil
		}
		return l.look(ctx, readable)
	}
	if err := l.bury(ctx); err != nil {
		return false, err
	}
	for _, sh := range readable {
		if done, err := l.chore(ctx, sh); done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// rested waits until the lane may try again after a failure.
func (l *lane) rested(ctx context.Context, mayWait bool) bool {
	left := time.Until(l.until)
	if left <= 0 {
		return true
	}
	return mayWait && wait.Pause(ctx, left)
}

// connect finds the server that has the lane's shards.
func (l *lane) connect(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	node, ok := l.s.b.client.(*redis.Client)
	if cluster, is := l.s.b.cluster(); is {
		var err error
		if node, err = cluster.MasterForKey(ctx, l.shards[0].key); err != nil {
			return err
		}
		ok = true
	}
	if !ok {
		return errors.ErrUnsupported // newBackend lets no other client in
	}
	l.conn = newConn(node, l.s.block(), introduce)
	return nil
}

// block is how long a read waits at the server. In a group the keeper speaks
// with the server as well, so a read may wait longer.
func (s *source) block() time.Duration {
	if s.grouped() {
		return 2 * s.b.cfg.Block
	}
	return s.b.cfg.Block
}

func (l *lane) drop() {
	l.forget()
	if l.conn != nil {
		l.conn.close()
		l.conn = nil
	}
}

// trouble sorts a failure: it is mended, waited for, or the source's end. nil
// ends the pauses once the server has answered: a step may end before that.
func (l *lane) trouble(ctx context.Context, err error) {
	answered := l.answered
	l.answered = false
	switch {
	case err == nil:
		if answered {
			l.recover()
		}
		return
	case ctx.Err() != nil:
		l.doubt(err)
		return
	case isGone(err):
		l.forget() // a group that is recreated gives it again
		err = l.mend(ctx)
		if err == nil {
			return
		}
	}
	l.doubt(err)
	if !isLost(err) && !isUnsent(err) && !passes(err) || l.s.b.isAstray(err) {
		l.err = translate(err)
		return
	}
	l.drop()
	if cluster, ok := l.s.b.cluster(); ok {
		cluster.ReloadState(ctx)
	}
	if l.pause == 0 {
		l.s.failing.Add(1)
	}
	l.pause = min(max(2*l.pause, firstRetry), lastRetry)
	l.until = time.Now().Add(l.pause)
	l.s.cfg.Retrying("read", translate(err), l.pause)
}

// recover ends the pauses, and says so where no other lane has any. Lanes of
// several servers run side by side.
func (l *lane) recover() {
	if l.pause == 0 {
		return
	}
	l.pause = 0
	if l.s.failing.Add(-1) == 0 {
		l.s.cfg.Retrying("read", nil, 0)
	}
}

// bury makes sure that what is pending is all that there will be of reads whose
// replies are lost: what the server gave out after it was read again would come
// behind what follows it.
func (l *lane) bury(ctx context.Context) error {
	if err := l.conn.bury(ctx, l.ghost); err != nil {
		return err
	}
	l.ghost = caller{}
	return nil
}

// doubt notes that a reply may have been lost, unless one is kept: then it was
// not that one.
func (l *lane) doubt(err error) {
	if code(err) == "" && l.under == nil && l.ready == nil {
		l.unread()
	}
}

// haunted notes that a command whose reply was lost may still be carried out.
func (l *lane) haunted(t *turn) {
	if l.s.grouped() && l.conn != nil && l.ghost == (caller{}) && t.reply.sent.Load() {
		l.ghost = l.conn.caller()
	}
}

// unread notes that in a group messages may be pending that were not read.
func (l *lane) unread() {
	if !l.s.grouped() {
		return
	}
	for _, sh := range l.shards {
		if sh.replay == nil {
			from := sh.last
			if sh.restored {
				from = lowest
			}
			sh.replay = &from
		}
	}
}

// read takes in new messages of shards, and waits for some if it may. busy says
// that it has not looked at all shards.
func (l *lane) read(ctx context.Context, shards []*shard, wait bool) (busy bool, err error) {
	limit := max(1, l.s.limit()/max(l.busy, 1))
	if l.rest.fits(shards) {
		return false, l.takeRest(limit)
	}
	l.rest = nil
	if l.ready == nil {
		part, limit := l.part(shards, limit)
		for _, sh := range part {
			if sh.restored {
				sh.known = l.s.inFlight(sh)
			}
		}
		l.under = l.askNew(part, lastOf(part), limit, wait && len(part) == len(shards))
		if done, err := l.settle(ctx, wait); !done || err != nil {
			return false, err
		}
	}
	t := l.ready
	l.ready = nil
	if !l.s.grouped() && !t.fits(shards, limit) {
		return false, nil
	}
	err = errors.Join(l.takePage(t, limit), l.ackRepeated(ctx))
	return l.passOn(t, len(shards)), err
}

// part is those of shards that are read at once, and how much of each: as long
// as replies are lost for their size, no more entries in all than have come of
// late.
func (l *lane) part(shards []*shard, limit int) ([]*shard, int) {
	most, careful := l.s.size.most()
	if !careful || l.barren >= len(shards) {
		return shards, limit
	}
	n := min(len(shards), most)
	if n == len(shards) {
		return shards, min(limit, max(1, most/n))
	}
	from := l.first % len(shards)
	return shards[from:min(from+n, len(shards))], 1
}

// passOn has the next read continue behind the shards of this one, if those
// were not all; busy: some are still to be looked at.
func (l *lane) passOn(t *turn, all int) (busy bool) {
	if len(t.shards) == all {
		l.barren = 0
		return false
	}
	l.first = (l.first%all + len(t.shards)) % all
	if l.entries > 0 {
		l.barren = 0
		return false
	}
	l.barren += len(t.shards)
	return true
}

// ackRepeated tells a group that was recreated what was acknowledged before.
func (l *lane) ackRepeated(ctx context.Context) error {
	var failed error
	for _, a := range l.acked {
		failed = errors.Join(failed, l.s.b.xack(ctx, l.s.b.cfg.key(a.StreamShard), l.s.group, a.Seqs))
	}
	l.acked = nil
	return failed
}

// command is XREAD behind ids or XREADGROUP for what is new in shards.
func (l *lane) command(shards []*shard, after []id, limit int, wait bool) []any {
	args := l.beginning(shards, limit, wait)
	for _, sh := range shards {
		args = append(args, sh.key)
	}
	for _, last := range after {
		if l.s.grouped() {
			args = append(args, ">")
		} else {
			args = append(args, last.String())
		}
	}
	return args
}

// beginning is a command without keys and ids.
func (l *lane) beginning(shards []*shard, limit int, wait bool) []any {
	args := make([]any, 0, 10+2*len(shards))
	if l.s.grouped() {
		args = append(args, "xreadgroup", "group", l.s.group, l.s.name)
	} else {
		args = append(args, "xread")
	}
	args = append(args, "count", strconv.Itoa(limit))
	if wait {
		args = append(args, "block", strconv.FormatInt(l.s.block().Milliseconds(), 10))
	}
	return append(args, "streams")
}

// scan gives each entry of a reply to take.
func (l *lane) scan(reply *reply, take func(*shard, *entry)) error {
	l.s.touchAll(l.shards)
	var sh *shard
	entries, busy := 0, 0
	err := scanStreams(reply.b, func(key []byte, n int) error {
		if sh = l.shard(key); sh == nil {
			return errMalformed
		}
		l.page.room(n)
		busy++
		return nil
	}, func(e *entry) error {
		entries++
		take(sh, e)
		return nil
	})
	l.learn(reply, entries, busy)
	if errors.Is(err, errMalformed) {
		l.drop() // what else is on its way cannot be understood either
	}
	return err
}

// learn takes into account what a reply brought.
func (l *lane) learn(r *reply, entries, busy int) {
	l.s.size.learn(len(r.b), entries, r.took)
	l.busy, l.entries = busy, entries
}

func (l *lane) shard(key []byte) *shard {
	if len(l.byKey) != len(l.shards) {
		l.byKey = make(map[string]*shard, len(l.shards))
		for _, sh := range l.shards {
			l.byKey[sh.key] = sh
		}
	}
	return l.byKey[string(key)]
}

// take takes a new entry in.
func (l *lane) take(sh *shard, e *entry) {
	if l.isRepeated(sh, e) {
		return
	}
	sh.last = later(sh.last, e.at)
	l.page.add(l.s, sh, e)
}

// isRepeated says whether an entry was emitted before: it happens in a group
// that was recreated further back. What was acknowledged then, the new group
// must be given. Where members share the messages it may have been another's,
// so that one is redelivered.
func (l *lane) isRepeated(sh *shard, e *entry) bool {
	if !sh.restored {
		return false
	}
	if sh.last.less(e.at) {
		sh.restored, sh.known = false, nil
		return false
	}
	if sh.known[e.at] {
		return true
	}
	if l.s.shared() {
		return false
	}
	l.acked = append(l.acked, driver.Acked{StreamShard: sh.StreamShard, Seqs: []streamer.SeqNo{e.at.seqNo()}})
	return true
}
