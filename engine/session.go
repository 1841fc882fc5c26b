package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/internal/wait"
)

// session is one open source with its ledgers, one fetch goroutine and, where
// progress is tracked, one commit goroutine. Its messages go to the queues of
// its members: one consumer, or the members of an in-process group. A Seek does
// not move a session but replaces it.
//
// Lock order: deal table, session.mu. Nothing is called under mu that blocks or
// calls out: no source, no hook, no channel send that can wait.
type session struct {
	o    sessionOptions
	obs  atomic.Pointer[observe.Observer]
	born time.Time

	src      driver.Source
	cursor   driver.CursorCommitter // at most one of cursor and acker
	acker    driver.MessageAcker
	pauser   driver.Pauser
	releaser driver.Releaser

	mu       sync.Mutex
	returned sync.Cond // a message lent to a Stream came back
	queues   []*queue  // members, in order of joining
	waiters  int       // takers of all members
	order    uint64    // runs so far
	owned    ownership
	flow     flow
	deals    dealing
	commits  committing
	end      ending

	stop   context.CancelFunc
	fetch  sync.WaitGroup // the fetch goroutine
	commit sync.WaitGroup // the commit goroutine

	fetchSince time.Time // since when the source has been fetching, for Hooks.Fetched; the fetch goroutine's
}

// sessionOptions are the part of ConsumerOptions that a session needs. Members
// of a group share a session, so theirs must be equal.
type sessionOptions struct {
	mode        streamer.ConsumerMode
	ack         streamer.AckPolicy
	ackDelay    time.Duration
	commitEvery time.Duration // Never: only when asked
	maxInFlight int
	prefetch    int
	bufferBytes int
	dealt       bool
}

func (o *sessionOptions) atMostOnce() bool {
	return o.ack == streamer.AckOnDelivery && o.mode != streamer.RealTime
}

// tracks says whether acknowledgements have an effect: in a group, or where a
// lost member's messages go to another.
func (o *sessionOptions) tracks() bool { return o.mode != streamer.RealTime || o.dealt }

// maxBatch leaves room for a second fetch in Prefetch, so that one can be read
// while the other is processed.
func (o *sessionOptions) maxBatch() int { return max(1, (o.prefetch+1)/2) }

func newSession(o sessionOptions, obs *observe.Observer) *session {
	s := &session{
		o:       o,
		born:    time.Now(),
		owned:   newOwnership(),
		flow:    newFlow(),
		deals:   newDealing(),
		commits: newCommitting(),
	}
	s.returned.L = &s.mu
	s.obs.Store(obs)
	return s
}

// open opens the source with the session's callbacks and starts the goroutines.
// Queues may be added before or after.
func (s *session) open(ctx context.Context, b driver.Backend, c driver.SourceConfig) error {
	c.MaxBatch = s.o.maxBatch()
	c.AtMostOnce = s.o.atMostOnce()
	c.Room = s.roomLeft
	c.BufferBytes = s.o.bufferBytes
	c.Assigned, c.Revoked, c.Vanished = s.assigned, s.revoked, s.vanished
	c.InFlight, c.Progress, c.Skipped = s.inFlight, s.progress, s.skipped
	c.Gone = func(sh streamer.StreamShard, wanted, got streamer.SeqNo) { s.obs.Load().Gone(sh, wanted, got) }
	c.Retrying = func(op string, err error, after time.Duration) { s.obs.Load().Beneath(op, err, after) }
	src, err := b.OpenSource(ctx, c)
	if err != nil {
		return err
	}
	s.start(src)
	return nil
}

func (s *session) start(src driver.Source) {
	s.mu.Lock()
	s.src = src
	s.cursor, _ = src.(driver.CursorCommitter)
	if s.cursor == nil {
		s.acker, _ = src.(driver.MessageAcker)
	}
	s.pauser, _ = src.(driver.Pauser)
	s.releaser, _ = src.(driver.Releaser)
	s.mu.Unlock()

	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.fetch.Go(func() { s.fetchLoop(ctx) })
	if s.o.tracks() {
		s.commit.Go(func() { s.commitLoop(ctx) })
	}
}

// shared says whether members take messages of the same shards, so that one can
// take what another holds.
func (s *session) shared() bool {
	return s.o.dealt || s.o.mode == streamer.LoadBalanced && s.acker != nil
}

// emit takes a slab from the source. The fetch goroutine calls it, inside
// Fetch.
func (s *session) emit(slab []streamer.Message) {
	if len(slab) == 0 {
		return
	}
	if h := s.obs.Load(); h.Hooks.Fetched != nil { // before anything can have a message of it
		h.Fetched(countByShard(slab), time.Since(s.fetchSince))
		s.fetchSince = time.Now()
	}
	s.mu.Lock()
	s.enter(slab)
	s.commits.recent += len(slab)
	s.flow.resting = false
	if s.o.dealt {
		s.deal()
	} else {
		s.queues[0].arrived()
	}
	s.mu.Unlock()
	if s.o.tracks() {
		wait.Signal(s.commits.wake)
	}
}

// enter records the slab in the ledgers and puts its messages into the queue. A
// few allocations serve the whole slab.
func (s *session) enter(slab []streamer.Message) {
	a := newArena(slab, &s.o)
	for from := 0; from < len(slab); {
		to := shardEnd(slab, from)
		part := slab[from:to]
		from = to
		l := s.owned.ledger(shardOf(&part[0]), s)
		if l == nil {
			continue
		}
		r := a.run(l, part)
		s.order++
		r.order = s.order
		l.emit(len(part))
		if s.o.tracks() {
			s.forgetDone(l)
			l.append(r)
			s.commits.list(l)
		}
		s.queue(r, part)
	}
}

// forgetDone frees what the mark has passed where only the mark is committed.
// Until the next commit that can be millions of messages.
func (s *session) forgetDone(l *ledger) {
	if s.acker == nil {
		l.advance()
		l.release(false)
	}
}

// queue puts a run's messages where takers find them.
func (s *session) queue(r *run, part []streamer.Message) {
	to := &s.deals.pool
	if !s.o.dealt {
		to = &s.queues[0].ring
	}
	r.place(part)
	for i := range part {
		m := &part[i]
		s.flow.enter(m)
		to.pushBack(m)
	}
}

// shardEnd is the index after the messages of slab[from]'s shard.
func shardEnd(slab []streamer.Message, from int) int {
	at := shardOf(&slab[from])
	to := from + 1
	for to < len(slab) && slab[to].Shard == at.Shard && slab[to].Stream == at.Stream {
		to++
	}
	return to
}

func countByShard(slab []streamer.Message) []streamer.FetchEvent {
	var events []streamer.FetchEvent
	for from := 0; from < len(slab); {
		to := shardEnd(slab, from)
		e := streamer.FetchEvent{StreamShard: shardOf(&slab[from]), Messages: to - from}
		for i := from; i < to; i++ {
			e.Bytes += slab[i].Size()
		}
		events = append(events, e)
		from = to
	}
	return events
}
