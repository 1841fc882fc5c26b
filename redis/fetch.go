package redis

import (
	"context"
	"slices"
	"sync"

	"github.com/gostreamer/streamer"
)

// Fetch implements driver.Source. Each round first does what keeps the lanes
// from reading, then looks for messages, and waits only when no lane has any.
func (s *source) Fetch(ctx context.Context, emit func([]streamer.Message)) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.failed(); err != nil {
			return err
		}
		if err := s.find(ctx); err != nil {
			return err
		}
		s.route()
		got, err := s.round(ctx, emit)
		if got && s.shared() {
			s.gather(ctx, emit)
		}
		if err != nil || got {
			return err
		}
	}
}

// round is one look at every lane; got says that messages were emitted.
func (s *source) round(ctx context.Context, emit func([]streamer.Message)) (got bool, err error) {
	ctx, cancel := s.begin(ctx)
	defer s.finish(cancel)
	if len(s.lanes) > 1 {
		busy := s.sweep(ctx, false)
		if got, err = s.collect(emit); got || err != nil || busy {
			return got, err
		}
	}
	s.sweep(ctx, true)
	return s.collect(emit)
}

// gather emits what is still on its way to a member of a shared group: it may
// be long until the next Fetch, and nothing else can have it.
func (s *source) gather(ctx context.Context, emit func([]streamer.Message)) {
	for _, l := range s.lanes {
		l.gather(ctx)
	}
	_, _ = s.collect(emit) // a failure is Fetch's next answer
}

// begin makes the round one that kick ends.
func (s *source) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kicked = cancel
	if s.failure != nil {
		cancel()
	}
	return ctx, cancel
}

func (s *source) finish(cancel context.CancelFunc) {
	s.mu.Lock()
	s.kicked = nil
	s.mu.Unlock()
	cancel()
}

// sweep has every lane take a step. When they wait, the first that has
// something ends the waiting of the others. busy says that a lane did something
// other than reading.
func (s *source) sweep(ctx context.Context, wait bool) (busy bool) {
	if len(s.lanes) == 1 {
		return s.lanes[0].step(ctx, wait)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, l := range s.lanes {
		all.Go(func() {
			did := l.step(ctx, wait)
			mu.Lock()
			busy = busy || did
			mu.Unlock()
			if did || !l.page.empty() || l.err != nil {
				cancel()
			}
		})
	}
	if len(s.lanes) == 0 {
		<-ctx.Done()
	}
	all.Wait()
	return busy
}

// collect emits what the lanes have brought, and returns the first error that
// retrying cannot mend.
func (s *source) collect(emit func([]streamer.Message)) (got bool, err error) {
	for _, l := range s.lanes {
		p := l.page
		l.page = page{}
		s.advance(l.shards)
		if p.emit(s.cfg.MaxBatch, emit) {
			got = true
		}
	}
	for _, l := range s.lanes {
		if err == nil {
			err = l.err
		}
		l.err = nil
	}
	if err != nil {
		s.fail(err)
	}
	if got {
		return true, nil // the failure is Fetch's next answer
	}
	return false, err
}

// advance notes how far the engine is about to learn of.
func (s *source) advance(shards []*shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range shards {
		sh.emitted = sh.last
	}
}

// route puts every shard into a lane: one for all on one server, one for each
// in a cluster, whose keys can lie anywhere.
func (s *source) route() {
	shards := s.all()
	if _, ok := s.b.cluster(); !ok {
		if len(s.lanes) == 0 {
			s.lanes = []*lane{{s: s}}
		}
		s.lanes[0].shards = shards
		return
	}
	for _, sh := range shards[len(s.lanes):] {
		s.lanes = append(s.lanes, &lane{s: s, shards: []*shard{sh}})
	}
}

// readable lists those of shards that are not paused.
func (s *source) readable(shards []*shard) []*shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(shards), func(sh *shard) bool { return sh.paused })
}

// limit is how many entries the next read should bring.
func (s *source) limit() int {
	n := s.cfg.MaxBatch
	if s.shared() {
		n = min(n, s.cfg.Room())
	}
	return s.size.count(max(n, 1))
}
