package kafka

import (
	"context"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/twmb/franz-go/pkg/kgo"
)

// RealTime and Resumable read without a group: no member waits for another, and
// what is read can be chosen.

func (b *backend) openRealTime(ctx context.Context, cfg driver.SourceConfig) (driver.Source, error) {
	p, err := b.plan(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	s := b.newSource(cfg, p)
	if err := s.openAt(p); err != nil {
		return nil, err
	}
	s.watch()
	return s, nil
}

// openAt makes the client and tells the engine what is read.
func (s *source) openAt(p *plan) error {
	partitions := make(map[string]map[int32]kgo.Offset)
	for at, start := range p.starts {
		addPartition(partitions, at, start.consume())
		s.shards[at] = newShard(start)
	}
	for at, l := range p.deferred {
		addPartition(partitions, at, l.start)
		s.shards[at] = l.await()
	}
	if err := s.open(kgo.ConsumePartitions(partitions)); err != nil {
		return err
	}
	s.assigned()
	s.opened(p)
	return nil
}

// opened reports what is not as it should be: positions that are gone, and
// shards that cannot be read yet.
func (s *source) opened(p *plan) {
	for at, wanted := range p.gone {
		s.cfg.Gone(at, seqOf(wanted), seqOf(p.starts[at].offset))
	}
	for at, err := range p.left {
		s.leaderless(at, err)
	}
}

func addPartition(to map[string]map[int32]kgo.Offset, at streamer.StreamShard, start kgo.Offset) {
	if to[at.Stream] == nil {
		to[at.Stream] = make(map[int32]kgo.Offset)
	}
	to[at.Stream][partitionOf(at.Shard)] = start
}

// grown reads the shards that a topic has got, from their beginning. What fails
// is tried again at the next look.
func (s *source) grown(ctx context.Context, was, now topic) {
	if s.grouped { // the group's leader does it
		s.know(now)
		return
	}
	s.begin(ctx, now, now.each()[was.shards:])
}

// know notes what a topic has become.
func (s *source) know(now topic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics[now.name] = now
}

// begin reads shards that are new from their beginning, those of them that are
// to be read.
func (s *source) begin(ctx context.Context, now topic, shards []streamer.StreamShard) {
	shards = slices.DeleteFunc(shards, func(at streamer.StreamShard) bool { return !s.wants(at) })
	ends, left, err := s.b.bounds(ctx, shards)
	if err != nil {
		s.cfg.Retrying("look at a new shard", typed(err), maxAge(s.cl))
		return
	}
	s.know(now)
	if len(shards) == 0 {
		return
	}
	partitions := make(map[string]map[int32]kgo.Offset)
	starts := make(map[streamer.StreamShard]position)
	s.mu.Lock()
	for _, at := range shards {
		if e, ok := ends[at]; ok {
			starts[at] = e.at(e.first)
			s.shards[at] = newShard(starts[at])
			addPartition(partitions, at, starts[at].consume())
			continue
		}
		l := deferredStart{start: kgo.NewOffset().AtStart()}
		s.shards[at] = l.await()
		addPartition(partitions, at, l.start)
	}
	s.mu.Unlock()
	for at, err := range left {
		s.leaderless(at, err)
	}
	s.anchor(ctx, starts)
	s.resume(shards)
	s.assigned()
	s.cl.AddConsumePartitions(partitions)
}

// anchor commits where shards start. When it fails their first commit does it.
func (s *source) anchor(ctx context.Context, starts map[streamer.StreamShard]position) {
	if s.secure == nil || len(starts) == 0 {
		return
	}
	if err := s.secure(ctx, starts); err != nil && ctx.Err() == nil {
		s.cfg.Retrying("commit where a shard starts", typed(err), 0)
	}
}

// wants says whether a shard that has appeared is to be read.
func (s *source) wants(at streamer.StreamShard) bool {
	start, ok := s.cfg.StartOf(at)
	if ok && start.Kind() == streamer.AtCommitted && s.cfg.Mode == streamer.RealTime {
		_, ok = s.cfg.Fallback.Of(at)
	}
	return ok
}
