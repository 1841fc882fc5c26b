package memory

import (
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// cursor is one source's place in one shard. Idle ones are many and must be
// small.
type cursor struct {
	sub                    *subscription
	shard                  *shard
	next                   uint64 // not in a shared group: what to read next
	from                   uint64 // where this assignment began
	nextReady              *cursor
	nextReader, prevReader *cursor

	active bool // false: claimed but not announced, or being given up
	queued bool // in the source's ready list
}

// offer puts c into its source's ready list if there is something to read.
func (c *cursor) offer() {
	s := c.sub.src
	if !c.active || c.queued || s.paused[c.shard.at()] || !c.behind() {
		return
	}
	c.queued = true
	s.ready.push(c)
	if s.waiting {
		s.signal()
	}
}

func (c *cursor) behind() bool {
	seq, n := c.upcoming(1)
	return n > 0 && seq < c.shard.next
}

// upcoming is the run of sequence numbers to read next, at most limit; they may
// be trimmed away or not there yet.
func (c *cursor) upcoming(limit int) (seq uint64, n int) {
	if w := c.sub.window(c.shard.id); w != nil {
		return w.upcoming(limit)
	}
	return c.next, limit
}

// pass notes that n entries from seq on are taken.
func (c *cursor) pass(seq uint64, n int) {
	if w := c.sub.window(c.shard.id); w != nil {
		w.claim(seq, n, c.sub.src.id)
		return
	}
	c.next = seq + uint64(n)
}

// read appends what can be read now to spans, at most limit messages, and
// counts them.
func (c *cursor) read(spans []span, limit int) ([]span, int) {
	n := 0
	for n < limit {
		seq, most := c.upcoming(limit - n)
		entries := c.shard.run(seq, most)
		if len(entries) == 0 {
			break
		}
		c.pass(seq, len(entries))
		spans = append(spans, span{c.shard.at(), seq, entries})
		n += len(entries)
	}
	return spans, n
}

// blocked says whether what comes next is no message but an event.
func (c *cursor) blocked() bool {
	seq, n := c.upcoming(1)
	if n == 0 || seq >= c.shard.next {
		return false
	}
	_, odd := c.shard.oddAt(seq)
	return odd || seq < c.shard.first
}

// unblock passes the event over and returns how to report it.
func (c *cursor) unblock() (report func(), err error) {
	seq, _ := c.upcoming(1)
	at, cfg := c.shard.at(), &c.sub.src.cfg
	if seq < c.shard.first {
		if err := c.refuseGone(seq); err != nil {
			return nil, err
		}
		return c.catchUp(), nil
	}
	odd, _ := c.shard.oddAt(seq)
	c.pass(seq, 1)
	if w := c.sub.window(c.shard.id); w != nil {
		w.finish(seq)
	}
	no := streamer.SeqUint(seq)
	if odd.err == nil {
		return func() { cfg.Progress(driver.Mark{StreamShard: at, Seq: no}) }, nil
	}
	return func() { cfg.Skipped(at, no, odd.err) }, nil
}

// catchUp moves c to the oldest entry left when its own was trimmed away, and
// returns how to report it; nil when nothing is to report.
func (c *cursor) catchUp() (report func()) {
	wanted, n := c.upcoming(1)
	first := c.shard.first
	if n == 0 || wanted >= first {
		return nil
	}
	if p := c.sub.place(c.shard.id); p != nil {
		p.trim(first)
	}
	c.next = first
	at, gone := c.shard.at(), c.sub.src.cfg.Gone
	return func() { gone(at, streamer.SeqUint(wanted), streamer.SeqUint(first)) }
}

// refuseGone is ErrPositionGone where the consumer must not continue after a
// trim.
func (c *cursor) refuseGone(wanted uint64) error {
	if c.sub.src.cfg.Reset != streamer.ResetError {
		return nil
	}
	return positionGone(c.shard, wanted)
}

// listen lets the shard tell c of new entries.
func (c *cursor) listen() {
	sh := c.shard
	c.nextReader = sh.readers
	if sh.readers != nil {
		sh.readers.prevReader = c
	}
	sh.readers = c
}

// unlisten ends it. A cursor in the ready list stays there and is skipped.
func (c *cursor) unlisten() {
	if c.prevReader != nil {
		c.prevReader.nextReader = c.nextReader
	} else if c.shard.readers == c {
		c.shard.readers = c.nextReader
	}
	if c.nextReader != nil {
		c.nextReader.prevReader = c.prevReader
	}
	c.nextReader, c.prevReader, c.active = nil, nil, false
}

// readyList is the cursors that have something to read, first come first
// served: a source never looks at its idle shards.
type readyList struct{ head, tail *cursor }

func (r *readyList) push(c *cursor) {
	if r.tail == nil {
		r.head = c
	} else {
		r.tail.nextReady = c
	}
	r.tail = c
}

func (r *readyList) pop() *cursor {
	for r.head != nil {
		c := r.head
		if r.head = c.nextReady; r.head == nil {
			r.tail = nil
		}
		c.nextReady, c.queued = nil, false
		if c.active && !c.sub.src.paused[c.shard.at()] {
			return c
		}
	}
	return nil
}
