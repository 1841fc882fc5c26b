package redis

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// OpenSource implements driver.Backend.
func (b *backend) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	switch {
	case c.Mode < streamer.RealTime || c.Mode > streamer.LoadBalanced:
		return nil, fmt.Errorf("mode %d: %w", c.Mode, streamer.ErrUnsupported)
	case c.Mode == streamer.LoadBalanced && c.Start.Kind() != streamer.AtCommitted:
		return nil, fmt.Errorf("a group's members start where the group is: %w", streamer.ErrUnsupported)
	}
	s := b.newSource(c)
	if err := b.atLast(ctx, c.Retrying, func() error { return s.open(ctx) }); err != nil {
		s.stop()
		return nil, b.failed(ctx, err)
	}
	s.announce()
	if s.grouped() {
		s.join.Go(s.keep)
	}
	return s.typed(), nil
}

// open resolves every position and, in a group, ensures that one is
// committed.
func (s *source) open(ctx context.Context) error {
	s.mu.Lock()
	s.shards = nil // of a try that failed
	s.mu.Unlock()
	for _, stream := range s.cfg.Streams {
		shards, err := s.subscribe(ctx, stream)
		if err != nil {
			return s.abandon(err)
		}
		if err := s.start(ctx, shards); err != nil {
			return s.abandon(err)
		}
	}
	return nil
}

// abandon gives back the places of a source that cannot be opened.
func (s *source) abandon(err error) error {
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	for _, sh := range s.all() {
		_ = s.giveUp(ctx, sh) // the failure to open is what counts
	}
	return err
}

// giveUp gives back the place on one shard, if it is ours.
func (s *source) giveUp(ctx context.Context, sh *shard) error {
	switch {
	case !s.shared():
		return s.vacate(ctx, sh)
	case s.entered[sh.key]:
		return s.leaveShard(ctx, sh)
	}
	return nil
}

// subscribe finds the shards of a stream.
func (s *source) subscribe(ctx context.Context, stream string) ([]*shard, error) {
	ids, err := s.b.shards(ctx, stream)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		if s.b.cfg.Create != streamer.CreateAlways {
			return nil, missing(stream, errNoStreamToRead)
		}
		if ids, err = s.b.createAll(ctx, stream); err != nil {
			return nil, err
		}
	}
	for _, want := range s.cfg.Shards[stream] {
		if !slices.Contains(ids, want) {
			return nil, about(streamer.StreamShard{Stream: stream, Shard: want}, streamer.ErrNotFound, "the stream has no such shard")
		}
	}
	shards := make([]*shard, len(ids))
	for i, n := range ids {
		shards[i] = s.newShard(streamer.StreamShard{Stream: stream, Shard: n})
	}
	return shards, nil
}

func (s *source) newShard(at streamer.StreamShard) *shard {
	return &shard{StreamShard: at, key: s.b.cfg.key(at), looked: time.Now()}
}

// createAll makes a stream that a consumer waits for.
func (b *backend) createAll(ctx context.Context, stream string) ([]streamer.ShardID, error) {
	all := b.cfg.allShards()
	if b.cfg.Shards == ShardsAuto {
		all = []streamer.ShardID{PlainShard}
	}
	for _, key := range b.keys(stream, all) {
		if err := b.touch(ctx, key); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// touch makes a key an empty stream, if it does not exist. Only a group can do
// that.
func (b *backend) touch(ctx context.Context, key string) error {
	pipe := b.client.TxPipeline()
	made := pipe.XGroupCreateMkStream(ctx, key, touchGroup, "0")
	pipe.XGroupDestroy(ctx, key, touchGroup)
	if err := execute(ctx, pipe); err != nil {
		return bare(ctx, err)
	}
	return bare(ctx, made.Err())
}

// touchGroup is a group that exists for no time.
const touchGroup = "streamer:create"

// start begins to read the shards of one stream.
func (s *source) start(ctx context.Context, shards []*shard) error {
	states, err := s.b.inspect(ctx, keysOf(shards)...)
	if err != nil {
		return err
	}
	groups := make([]*groupState, len(shards))
	begun := false
	for i, sh := range shards {
		if !s.grouped() {
			break
		}
		if groups[i], err = s.b.groupState(ctx, sh.key, s.group); err != nil {
			return err
		}
		begun = begun || groups[i] != nil
	}
	for i, sh := range shards {
		if err := s.startShard(ctx, sh, &states[i], groups[i], begun); err != nil {
			return err
		}
	}
	return nil
}

func keysOf(shards []*shard) []string {
	keys := make([]string, len(shards))
	for i, sh := range shards {
		keys[i] = sh.key
	}
	return keys
}

// startShard begins to read one shard, unless it is not to be read. begun says
// that the group has a position in some shard of the stream.
func (s *source) startShard(ctx context.Context, sh *shard, st *state, g *groupState, begun bool) error {
	start, ok := s.cfg.StartOf(sh.StreamShard)
	if !ok {
		return nil
	}
	stay := start.Kind() == streamer.AtCommitted
	if s.grouped() && stay && g == nil && begun {
		start, stay = streamer.Beginning(), false // the shard is new to a group that has begun
	}
	if stay && g == nil {
		var err error
		if start, ok, err = s.cfg.FirstOf(sh.StreamShard); err != nil || !ok {
			return err
		}
	}
	after, err := resolve(start, st)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.shards = append(s.shards, sh)
	s.mu.Unlock()
	sh.last, sh.emitted = after, after
	if !s.grouped() {
		return nil
	}
	return s.enterGroup(ctx, sh, st, g, entrance{after: after, move: !stay && g != nil})
}

// resolve is the id after which reading starts. What is out of range is the
// nearest end.
func resolve(p streamer.Position, st *state) (id, error) {
	last := id{}
	if st.exists {
		last = st.last()
	}
	switch p.Kind() {
	case streamer.AtEnd:
		return last, nil
	case streamer.AtSeq, streamer.AfterSeq:
		at := idOf(p.Seq())
		if at.seqNo() != p.Seq() {
			return id{}, fmt.Errorf("%w position %v: an entry's id is milliseconds-count", streamer.ErrInvalid, p)
		}
		if p.Kind() == streamer.AtSeq {
			at = at.prev()
		}
		return earlier(at, last), nil
	case streamer.AtOrAfterTime:
		ms := p.Time().UnixMilli()
		if ms <= 0 {
			return id{}, nil
		}
		return earlier(id{ms: uint64(ms)}.prev(), last), nil
	}
	return id{}, nil
}
