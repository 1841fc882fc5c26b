package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
)

// mend finds out which of the lane's groups vanished, and recreates them.
func (l *lane) mend(ctx context.Context) error {
	for _, sh := range l.shards {
		if err := l.s.mend(ctx, sh); err != nil {
			return err
		}
	}
	return nil
}

// mend makes the group on a shard again where the last acknowledged message
// was, and tells of it.
func (s *source) mend(ctx context.Context, sh *shard) error {
	states, err := s.b.inspect(ctx, sh.key)
	if err != nil {
		return err
	}
	g, err := s.b.groupState(ctx, sh.key, s.group)
	if err != nil || g != nil {
		return err
	}
	if !states[0].exists {
		return s.mendStream(ctx, sh)
	}
	after := s.acknowledged(sh)
	if states[0].last().less(after) {
		after, sh.last = id{}, id{} // another stream of that name
	}
	if err := s.remake(ctx, sh, after); err != nil {
		return err
	}
	sh.restored, sh.replay = after.less(sh.last), nil
	s.retrying(sh, fmt.Errorf("group %q vanished from %s and was recreated after %v", s.group, sh.key, after))
	return nil
}

// mendStream waits for a stream that vanished to come back, if it is to be.
func (s *source) mendStream(ctx context.Context, sh *shard) error {
	if s.b.cfg.Create != streamer.CreateAlways && !s.hasOthers(ctx, sh) {
		return missing(sh.Stream, errStreamDeleted)
	}
	if err := s.remake(ctx, sh, id{}); err != nil {
		return err
	}
	sh.last, sh.replay, sh.restored = id{}, nil, false
	s.retrying(sh, fmt.Errorf("stream %s vanished and was recreated", sh.key))
	return nil
}

// hasOthers says whether the stream of a shard that vanished still has another
// one.
func (s *source) hasOthers(ctx context.Context, sh *shard) bool {
	if !s.b.cfg.numbered() {
		return false
	}
	ids, err := s.b.shards(ctx, sh.Stream)
	return err == nil && len(ids) > 0
}

// remake makes a group, or moves one that another member made to where nothing
// of ours is missed.
func (s *source) remake(ctx context.Context, sh *shard, after id) error {
	pipe := s.b.client.TxPipeline()
	made := pipe.XGroupCreateMkStream(ctx, sh.key, s.group, after.String())
	if s.lock != "" {
		pipe.XGroupCreateConsumer(ctx, sh.key, s.group, s.lock)
	}
	if err := execute(ctx, pipe); err != nil && code(made.Err()) != "BUSYGROUP" {
		return err
	}
	if made.Err() == nil {
		return nil
	}
	g, err := s.b.groupState(ctx, sh.key, s.group)
	if err != nil || g == nil || !after.less(g.delivered) {
		return err
	}
	return s.b.client.XGroupSetID(ctx, sh.key, s.group, after.String()).Err()
}

// acknowledged is the last id up to which everything is.
func (s *source) acknowledged(sh *shard) id {
	for seq := range s.cfg.InFlight(sh.StreamShard) {
		return idOf(seq).prev()
	}
	return sh.last
}

// retrying reports what was mended.
func (s *source) retrying(sh *shard, err error) {
	err = &streamer.Error{Stream: sh.Stream, Shard: &sh.Shard, Kind: streamer.ErrNotFound, Err: err}
	s.cfg.Retrying("group", err, 0)
	s.cfg.Retrying("group", nil, 0)
}

// look, in RealTime, sees now and then whether the streams are still there: a
// read that waits is not told when its key is deleted.
func (l *lane) look(ctx context.Context, shards []*shard) (busy bool, err error) {
	every := 3 * l.s.b.cfg.Block
	now := time.Now()
	var due []*shard
	for _, sh := range shards {
		if now.Sub(sh.looked) >= every {
			due = append(due, sh)
		}
	}
	if len(due) == 0 {
		return false, nil
	}
	states, err := l.s.b.inspect(ctx, keysOf(due)...)
	if err != nil {
		return false, err
	}
	for i, sh := range due {
		sh.looked = now
		switch {
		case states[i].exists && states[i].last().less(sh.last):
			sh.last = states[i].last() // a fail-over lost the newest entries
		case states[i].exists:
		case l.s.b.cfg.Create == streamer.CreateAlways, l.s.hasOthers(ctx, sh):
			sh.last = id{}
		default:
			return false, missing(sh.Stream, errStreamDeleted)
		}
	}
	return true, nil
}
