package engine

import (
	"context"
	"hash/maphash"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/observe"
	"github.com/gostreamer/streamer/internal/inside"
	"github.com/gostreamer/streamer/internal/wait"
)

// session is one open source with its ledgers, one fetch goroutine and, where progress is tracked, one commit goroutine. Its messages go to
// the queues of its members: one consumer, or the members of an in-process group. Seek does not move a session: it replaces it.
//
// Lock order: deal table, session.mu. Nothing is called under mu that blocks or calls out: no source, no hook, no channel send that can wait.
type session struct {
	o    sessionOptions
	obs  atomic.Pointer[observe.Observer]
	born time.Time

	src      driver.Source
	cursor   driver.CursorCommitter // at most one of cursor and acker
	acker    driver.MessageAcker
	pauser   driver.Pauser
	releaser driver.Releaser

	mu        sync.Mutex
	returned  sync.Cond                        // a message lent to a Stream came back
	ledgers   map[streamer.StreamShard]*ledger // the shards that are read; nil for one that was quiet so far: thousands may be
	lost      map[streamer.StreamShard]bool    // revoked and not assigned again: late messages of theirs are dropped
	past      map[streamer.StreamShard]*ledger // AckOnDelivery, MessageAcker: of shards that were revoked, for InFlight
	active    []*ledger                        // keep runs
	full      []*ledger                        // may have a full window
	queues    []*queue                         // members, in order of joining
	pool      ring                             // dealt groups: messages that no member has room for yet
	turn      int                              // dealt groups: whose turn it is
	seed      maphash.Seed                     // dealt groups: which member keeps a key means nothing outside this session
	buffered  held                             // emitted and not handed out
	parked    held                             // the part of buffered that waits behind full windows
	order     uint64                           // runs so far
	entered   int                              // messages since the ledgers were last looked through
	ended     error                            // io.EOF or the failure that ended fetching
	closing   bool
	broken    bool                   // ended with a failure that leaves nothing to hand out: what is buffered can't be committed
	resumed   []streamer.StreamShard // whose windows were reopened; unlock tells the source
	sealed    bool                   // the last commit was made
	resting   bool                   // undelivered messages went back to the group: fetch again when somebody asks
	hoarder   *queue                 // its undelivered messages are to go back to the group
	interrupt context.CancelFunc     // ends the Fetch that is under way
	waiters   int
	ahead     []*ledger // AckOnDelivery: shards whose next message waits for its commit

	room    chan struct{} // capacity 1: the fetcher may look again
	wake    chan struct{} // capacity 1: the committer has something new to watch
	slot    chan struct{} // capacity 1: holding the token is the right to commit
	pausing sync.Mutex    // orders the calls of Pause: the last state wins
	stop    context.CancelFunc
	fetch   sync.WaitGroup // the fetch goroutine
	commit  sync.WaitGroup // the commit goroutine

	fetchSince time.Time // since when the source has been fetching, for Hooks.Fetched; the fetch goroutine's
}

// held counts messages and the memory they take.
type held struct{ messages, bytes int }

func (h *held) add(m *streamer.Message) { h.messages++; h.bytes += m.Size() + messageSize }
func (h *held) sub(m *streamer.Message) { h.messages--; h.bytes -= m.Size() + messageSize }

// sessionOptions are what a session needs of ConsumerOptions. Members of a group share a session, so theirs must be equal.
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

// tracks says whether acknowledgements mean something: in a group, or where a lost member's messages go to another.
func (o *sessionOptions) tracks() bool { return o.mode != streamer.RealTime || o.dealt }

// maxBatch leaves room for a second fetch in Prefetch, so that one can be read while the other is worked on.
func (o *sessionOptions) maxBatch() int { return max(1, (o.prefetch+1)/2) }

func newSession(o sessionOptions, obs *observe.Observer) *session {
	s := &session{
		o:       o,
		born:    time.Now(),
		seed:    maphash.MakeSeed(),
		ledgers: map[streamer.StreamShard]*ledger{},
		lost:    map[streamer.StreamShard]bool{},
		past:    map[streamer.StreamShard]*ledger{},
		room:    make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		slot:    make(chan struct{}, 1),
	}
	s.returned.L = &s.mu
	s.obs.Store(obs)
	return s
}

// open opens the source with the session's callbacks and starts the goroutines. The session's queues may be added before or after.
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

// shared says whether members take messages of the same shards, so that one can take what another holds.
func (s *session) shared() bool {
	return s.o.dealt || s.o.mode == streamer.LoadBalanced && s.acker != nil
}

// emit takes a slab from the source. It is Fetch's second argument: called by the fetch goroutine.
func (s *session) emit(slab []streamer.Message) {
	if len(slab) == 0 {
		return
	}
	if h := s.obs.Load(); h.Hooks.Fetched != nil { // before anybody can have a message of it
		h.Fetched(countByShard(slab), time.Since(s.fetchSince))
		s.fetchSince = time.Now()
	}
	s.mu.Lock()
	s.enter(slab)
	s.entered += len(slab)
	s.resting = false
	if s.o.dealt {
		s.deal()
	} else {
		s.queues[0].arrived()
	}
	s.mu.Unlock()
	if s.o.tracks() {
		wait.Signal(s.wake)
	}
}

// enter writes the slab into the ledgers and its messages into the queue. A handful of allocations serves the whole slab.
func (s *session) enter(slab []streamer.Message) {
	a := newArena(slab, &s.o)
	for from := 0; from < len(slab); {
		to := shardEnd(slab, from)
		part := slab[from:to]
		from = to
		l := s.ledger(shardOf(&part[0]))
		if l == nil {
			continue
		}
		r := a.run(l, part)
		s.order++
		r.order = s.order
		l.buffered += len(part)
		if s.o.tracks() {
			s.forgetDone(l)
			l.append(r)
			s.list(l)
		}
		s.queue(r, part)
	}
}

// forgetDone frees what the mark has passed where only the mark is committed: until the next commit that can be millions.
func (s *session) forgetDone(l *ledger) {
	if s.acker == nil {
		l.advance()
		l.release(false)
	}
}

// queue puts a run's messages where takers find them.
func (s *session) queue(r *run, part []streamer.Message) {
	to := &s.pool
	if !s.o.dealt {
		to = &s.queues[0].ring
	}
	for i := range part {
		m := &part[i]
		*inside.SlotOf(m) = inside.Slot{Run: &r.acks, I: uint32(i)}
		s.buffered.add(m)
		to.pushBack(m)
	}
}

// ledger is the shard's ledger, made with its first message; nil when the shard was taken away.
func (s *session) ledger(at streamer.StreamShard) *ledger {
	l, ours := s.ledgers[at]
	switch {
	case l != nil && l.leaving:
		return nil
	case l != nil:
		return l
	case !ours && s.lost[at]:
		return nil
	}
	l = &ledger{StreamShard: at, sess: s}
	s.ledgers[at] = l
	return l
}

// list remembers that the ledger keeps runs.
func (s *session) list(l *ledger) {
	if !l.listed {
		l.listed = true
		s.active = append(s.active, l)
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

// end stops the session with a reason: io.EOF, or a failure to read that
// retrying cannot mend. Takers get it when the queue is empty, and at once where
// nothing can be handed out before it is committed.
func (s *session) end(err error) {
	s.stopWith(err, err != io.EOF && s.o.atMostOnce())
}

// fail stops the session with a commit's failure that retrying cannot mend: each
// call returns it from now on, and nothing is fetched any more.
func (s *session) fail(err error) {
	s.stopWith(err, true)
	s.stop()
}

func (s *session) stopWith(err error, broken bool) {
	if s.stopOnce(err, broken) && err != io.EOF {
		o := s.obs.Load()
		o.Log.Warn("consumer stopped", "backend", o.Backend, "err", err)
	}
}

// stopOnce says whether this is what stops the session.
func (s *session) stopOnce(err error, broken bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed() || s.ended != nil && !broken {
		return false
	}
	s.ended, s.broken = err, broken
	for _, q := range s.queues {
		q.wakeOne()
	}
	return true
}

// failed says that the session ended with a failure: what is not committed by now never will be. session.mu is held.
func (s *session) failed() bool { return s.ended != nil && s.ended != io.EOF }

// failure is why the session failed; nil while it has not.
func (s *session) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failed() {
		return nil
	}
	return s.ended
}
