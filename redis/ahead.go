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
	limit  int
	reply  *slab
	err    error
	done   chan struct{} // closed by the goroutine that reads, which drop joins
}

// askAhead begins to read the next page, where the last one was full.
func (l *lane) askAhead(shards []*shard, limit int) {
	if l.entries < limit || l.conn == nil {
		return
	}
	a := &ahead{shards: shards, limit: limit, reply: &slab{b: make([]byte, 0, l.s.size.expect(limit))}, done: make(chan struct{})}
	for _, sh := range shards {
		a.after = append(a.after, sh.last)
	}
	conn, args := l.conn, l.command(shards, limit, false)
	l.ahead = a
	go func() {
		defer close(a.done)
		a.err = conn.do(l.s.life, a.reply, args)
	}()
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
	if err := l.scan(a.reply, l.take); err != nil {
		return err
	}
	l.askAhead(shards, limit)
	return nil
}

// fits says whether the page is what would be asked for now.
func (a *ahead) fits(shards []*shard, limit int) bool {
	if a.limit > limit || !slices.Equal(a.shards, shards) {
		return false
	}
	for i, sh := range shards {
		if sh.last != a.after[i] {
			return false
		}
	}
	return true
}

// forgetAhead waits for the end of a read whose page nobody wants.
func (l *lane) forgetAhead() {
	if l.ahead == nil {
		return
	}
	l.conn.cut()
	<-l.ahead.done
	l.ahead = nil
}
