package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A log becomes shorter when a replica that was behind is elected, or a broker
// returns with an older disk. Later records then have offsets that were read
// before.

// truncated deals with the shards of which the client has found that. It
// returns those that were set back: what else came of them is void.
func (s *source) truncated(ctx context.Context, fetches kgo.Fetches) map[streamer.StreamShard]bool {
	var back map[streamer.StreamShard]bool
	for _, loss := range losses(fetches) {
		at := shardOf(loss.Topic, loss.Partition)
		to := position{loss.ResetTo, loss.ResetToEpoch}
		if s.resolved(at, to) {
			s.anchor(ctx, map[streamer.StreamShard]position{at: to})
			continue
		}
		s.setBack(ctx, at, loss.ConsumedTo, to)
		if back == nil {
			back = make(map[streamer.StreamShard]bool)
		}
		back[at] = true
	}
	return back
}

// losses are the client's reports among fetches.
func losses(fetches kgo.Fetches) []*kgo.ErrDataLoss {
	var all []*kgo.ErrDataLoss
	for f := range fetches {
		for t := range fetches[f].Topics {
			for p := range fetches[f].Topics[t].Partitions {
				if loss, ok := errors.AsType[*kgo.ErrDataLoss](fetches[f].Topics[t].Partitions[p].Err); ok {
					all = append(all, loss)
				}
			}
		}
	}
	return all
}

// resolved notes where a shard starts that was opened without a leader: the
// client reports the end of what the last one had as a loss of what it never
// had.
func (s *source) resolved(at streamer.StreamShard, to position) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shards[at]
	if sh == nil || sh.next != unresolved {
		return false
	}
	sh.resolve(to)
	return true
}

// setBack makes a shard continue where its log diverges from what was read.
// Later numbers are not above earlier ones, so it is a new assignment: messages
// that were handed out are waited for and committed as far as they are
// acknowledged, and the others are read again if they still exist.
func (s *source) setBack(ctx context.Context, at streamer.StreamShard, wanted int64, to position) {
	s.mu.Lock()
	read := s.shards[at] != nil
	s.mu.Unlock()
	if !read {
		return
	}
	if s.cfg.Reset == streamer.ResetError {
		s.fail(positionGone(at, wanted, to.offset))
		return
	}
	from := s.oldestBuffered(at, to)
	s.cfg.Revoked([]streamer.StreamShard{at}, false)
	s.mu.Lock()
	sh := s.shards[at]
	if sh == nil {
		s.mu.Unlock()
		return
	}
	if s.secure != nil && sh.saved.offset < from.offset {
		from = sh.saved
	}
	s.shards[at] = newShard(from)
	s.mu.Unlock()
	s.resume([]streamer.StreamShard{at})
	s.anchor(ctx, map[streamer.StreamShard]position{at: from})
	s.seek(at, from)
	s.cfg.Gone(at, seqOf(wanted), seqOf(to.offset))
	s.assigned()
}

// oldestBuffered is the oldest message that was not handed out, where it lies
// before a position: Revoked drops it.
func (s *source) oldestBuffered(at streamer.StreamShard, to position) position {
	for seq, handedOut := range s.cfg.InFlight(at) {
		if offset := int64(seq.Uint()); !handedOut && offset < to.offset { //nolint:gosec // it was an offset
			to = position{offset, noEpoch}
		}
	}
	return to
}

// outOfRange continues where a position lies now that the broker does not have.
func (s *source) outOfRange(ctx context.Context, at streamer.StreamShard) error {
	ends, left, err := s.b.bounds(ctx, []streamer.StreamShard{at})
	if err == nil {
		err = left[at]
	}
	if err != nil {
		return err
	}
	e := ends[at]
	s.mu.Lock()
	sh := s.shards[at]
	if sh == nil { // not ours any more
		s.mu.Unlock()
		return nil
	}
	if sh.next == unresolved {
		to := e.at(e.within(sh.want))
		sh.resolve(to)
		s.mu.Unlock()
		s.move(at, to)
		return nil
	}
	wanted := sh.position()
	s.mu.Unlock()
	now, err := s.b.locate(ctx, map[streamer.StreamShard]position{at: wanted}, ends)
	if err != nil {
		return err
	}
	to := now[at]
	if to.offset == wanted.offset {
		if !s.stuck(at) {
			return errCaughtUp
		}
		to = e.at(e.first)
	}
	return s.leave(ctx, at, wanted, to)
}

// stuck says that the brokers have been behind a shard's position for so long
// that they will not catch up.
func (s *source) stuck(at streamer.StreamShard) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shards[at]
	if sh == nil {
		return false
	}
	if sh.stuck.IsZero() {
		sh.stuck = time.Now()
	}
	return time.Since(sh.stuck) > answerTime
}

// leave continues elsewhere than at a position that does not exist.
func (s *source) leave(ctx context.Context, at streamer.StreamShard, wanted, to position) error {
	switch {
	case to.offset < wanted.offset:
		s.setBack(ctx, at, wanted.offset, to)
	case s.cfg.Reset == streamer.ResetError:
		err := positionGone(at, wanted.offset, to.offset)
		s.fail(err)
		return err
	default:
		s.move(at, to)
		s.cfg.Gone(at, seqOf(wanted.offset), seqOf(to.offset))
	}
	return nil
}
