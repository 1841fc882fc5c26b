package kafka

import (
	"context"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// RealTime and Resumable read without a group: no member waits for another, and what is read can be chosen.

func (b *backend) openRealTime(ctx context.Context, cfg streamer.SourceConfig) (streamer.Source, error) {
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
	for at, offset := range p.starts {
		addPartition(partitions, at, offset)
		s.shards[at] = &shard{next: offset}
	}
	if err := s.open(kgo.ConsumePartitions(partitions)); err != nil {
		return err
	}
	s.assigned()
	for at, wanted := range p.gone {
		s.cfg.Gone(at, seqOf(wanted), seqOf(p.starts[at]))
	}
	return nil
}

func addPartition(to map[string]map[int32]kgo.Offset, at streamer.StreamShard, offset int64) {
	if to[at.Stream] == nil {
		to[at.Stream] = make(map[int32]kgo.Offset)
	}
	to[at.Stream][partitionOf(at.Shard)] = kgo.NewOffset().At(offset)
}

// grown reads the shards that a topic has got, from their beginning. What fails is tried again at the next look.
func (s *source) grown(ctx context.Context, was, now topic) {
	if s.grouped { // the group's leader sees to it
		s.know(now)
		return
	}
	s.begin(ctx, now, now.each()[was.shards:])
}

// reborn reads a topic that was deleted and made anew, from its beginning.
func (s *source) reborn(ctx context.Context, now topic) {
	s.mu.Lock()
	var old []streamer.StreamShard
	for at := range s.shards {
		if at.Stream == now.name {
			old = append(old, at)
		}
	}
	for _, at := range old {
		delete(s.shards, at)
	}
	s.mu.Unlock()
	s.cl.PurgeTopicsFromConsuming(now.name)
	s.cfg.Revoked(old, true)
	if s.grouped {
		s.know(now)
		s.cl.AddConsumeTopics(now.name)
		return
	}
	s.begin(ctx, now, now.each())
}

// know notes what a topic has become.
func (s *source) know(now topic) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics[now.name] = now
}

// begin reads shards that are new, those of them that are to be read.
func (s *source) begin(ctx context.Context, now topic, shards []streamer.StreamShard) {
	shards = slices.DeleteFunc(shards, func(at streamer.StreamShard) bool { return !s.wants(at) })
	ends, err := s.b.bounds(ctx, []string{now.name})
	if err != nil {
		s.cfg.Retrying("look at a new shard", typed(err), maxAge(s.cl))
		return
	}
	s.know(now)
	partitions := make(map[string]map[int32]kgo.Offset)
	starts := make(map[streamer.StreamShard]int64)
	s.mu.Lock()
	for _, at := range shards {
		starts[at] = ends[at].first
		s.shards[at] = &shard{next: ends[at].first}
		addPartition(partitions, at, ends[at].first)
	}
	s.mu.Unlock()
	if len(shards) == 0 {
		return
	}
	if s.owner != nil {
		if err := s.owner.adopt(ctx, s, starts); err != nil {
			s.cfg.Retrying("commit the beginning of a new shard", typed(err), maxAge(s.cl))
		}
	}
	s.resume(shards)
	s.assigned()
	s.cl.AddConsumePartitions(partitions)
}

// wants says whether a shard that has appeared is to be read.
func (s *source) wants(at streamer.StreamShard) bool {
	start, ok := s.cfg.StartOf(at)
	if ok && start.Kind() == streamer.AtCommitted && s.cfg.Mode == streamer.RealTime {
		_, ok = s.cfg.Fallback.Of(at)
	}
	return ok
}
