package redis

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// source is an open reader. Fetch does all the reading: with one server on its
// own goroutine, with several on one for each while it is called. In a group
// the source has one goroutine of its own beside that, keeper, which Close
// joins.
type source struct {
	b     *backend
	cfg   driver.SourceConfig
	group string
	name  string // whose pending entries are ours
	lock  string // Resumable: the consumer that stands for being the owner

	entered map[string]bool // open's and then Fetch's: the keys on which our place is sure, or, false, the answer was lost

	size sizer

	lanes   []*lane      // Fetch's
	failing atomic.Int32 // lanes that pause after a failure

	claiming chan struct{} // capacity 1: holding the token is the right to hold or to give back, so that neither undoes the other

	mu      sync.Mutex
	shards  []*shard // only Fetch adds
	kicked  func()   // ends the round that Fetch is in; nil between rounds
	failure error    // why Fetch ends
	found   time.Time
	scanned time.Time

	life context.Context // of the keeper
	stop context.CancelFunc
	join sync.WaitGroup
}

// shard is one key that is read. Its fields are Fetch's, but for those that say
// so.
type shard struct {
	streamer.StreamShard
	key string

	last     id          // the highest that was received, or where reading began
	replay   *id         // own pending entries after it have to be read before new ones
	restored bool        // the group was recreated: what it gives again up to last was received before
	known    map[id]bool // restored: what was in flight before the read that is under way
	looked   time.Time

	paused   bool      // under source.mu
	removed  bool      // under source.mu: our place had been removed, and is there again
	left     *id       // under source.mu: the first message that was left behind
	gaveBack bool      // under source.mu: by us, some of it
	emitted  id        // under source.mu: RealTime: last, as far as the engine knows
	touched  time.Time // under source.mu: when the server last heard of us
}

// newSource makes a source that is not open yet.
func (b *backend) newSource(c driver.SourceConfig) *source {
	var streams []string
	for _, name := range c.Streams {
		if !slices.Contains(streams, name) {
			streams = append(streams, name)
		}
	}
	c.Streams = streams
	s := &source{b: b, cfg: c, group: c.Group, name: c.Name, found: time.Now(), scanned: time.Now(), claiming: make(chan struct{}, 1),
		entered: map[string]bool{}}
	s.life, s.stop = context.WithCancel(context.Background())
	if c.Mode == streamer.Resumable {
		// SeaStreamer's rule, so that either takes over from the other.
		s.name, s.lock = c.Group, ownerPrefix+uuid.NewString()
	}
	return s
}

func (s *source) grouped() bool { return s.cfg.Mode != streamer.RealTime }

// shared says whether the members of the group take messages of the same
// shards.
func (s *source) shared() bool { return s.cfg.Mode == streamer.LoadBalanced }

// typed gives the source the methods of its mode.
func (s *source) typed() driver.Source {
	switch {
	case s.shared():
		return sharedSource{groupSource{s}}
	case s.grouped():
		return groupSource{s}
	}
	return s
}

// groupSource acknowledges message by message.
type groupSource struct{ *source }

// sharedSource is a member of a group whose members share every shard.
type sharedSource struct{ groupSource }

// Pause implements driver.Pauser.
func (s *source) Pause(at streamer.StreamShard, paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shards {
		if sh.StreamShard == at {
			sh.paused = paused
		}
	}
	if !paused {
		s.kick()
	}
}

// kick makes Fetch look again at what there is to do. mu is held.
func (s *source) kick() {
	if s.kicked != nil {
		s.kicked()
	}
}

// fail ends the source with a reason that retrying cannot mend.
func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil {
		s.failure = err
	}
	s.kick()
}

func (s *source) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// all lists the shards that are read.
func (s *source) all() []*shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shards)
}

func (s *source) announce() {
	var all []streamer.StreamShard
	for _, sh := range s.all() {
		all = append(all, sh.StreamShard)
	}
	s.cfg.Assigned(all)
}

// inFlight lists what was emitted of a shard and is not committed. Taken before
// a read of pending entries it tells what of them is new to us.
func (s *source) inFlight(sh *shard) map[id]bool {
	all := map[id]bool{}
	for seq := range s.cfg.InFlight(sh.StreamShard) {
		all[idOf(seq)] = true
	}
	return all
}

// Close implements driver.Source. In a group it returns the messages that were
// fetched and not acknowledged.
func (s *source) Close(ctx context.Context) error {
	s.stop()
	s.join.Wait()
	for _, l := range s.lanes {
		l.drop()
	}
	s.lanes = nil
	if !s.grouped() {
		return nil
	}
	return s.leave(ctx)
}
