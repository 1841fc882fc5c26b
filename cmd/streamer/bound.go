package main

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
)

// bound is the end of each shard as it was when the command started. What was
// stored later is neither printed nor acknowledged. A nil bound has no end.
type bound struct {
	// open are the shards whose end is ahead. The value is the number that the
	// first message after the end has, zero where the backend does not know it:
	// such a shard ends when the backend says that nothing is left.
	open map[streamer.StreamShard]streamer.SeqNo
	// idle are the open shards of which the backend said, when last asked, that
	// nothing is left, and from which nothing came since. Once is not enough: a
	// backend may count a message as read that is on its way here.
	idle map[streamer.StreamShard]bool
	// witness is a shard that was in use, and open, when reached last looked.
	witness streamer.StreamShard
}

// newBound asks for the ends of the shards that c reads. Where the backend can
// tell neither numbers nor what is left, as on a pipe, it returns nil: the
// input has an end of its own.
func newBound(ctx context.Context, s streamer.Streamer, c streamer.Consumer, m *meter) (*bound, error) {
	b := &bound{open: make(map[streamer.StreamShard]streamer.SeqNo), idle: make(map[streamer.StreamShard]bool)}
	lag, err := c.Lag(ctx) // first: it may find shards
	known := !errors.Is(err, streamer.ErrUnsupported)
	if known && err != nil {
		return nil, err
	}
	described, err := b.describe(ctx, s.Admin(), c.Assignment())
	if err != nil {
		return nil, err
	}
	if !known && !described {
		return nil, nil
	}
	m.end.Store(total(lag))
	return b, nil
}

// total is how many messages are left, 0 where that is not known.
func total(lag []streamer.ShardLag) (n int64) {
	for _, l := range lag {
		if l.Messages < 0 {
			return 0
		}
		n += l.Messages
	}
	return n
}

// describe opens the shards. ok is false when the backend cannot describe
// streams.
func (b *bound) describe(ctx context.Context, admin streamer.Admin, shards []streamer.StreamShard) (ok bool, err error) {
	infos := make(map[string]map[streamer.ShardID]streamer.ShardInfo)
	for _, s := range shards {
		if _, known := infos[s.Stream]; !known {
			info, err := admin.Describe(ctx, s.Stream)
			switch {
			case errors.Is(err, streamer.ErrUnsupported):
			case errors.Is(err, streamer.ErrNotFound):
				continue // not created yet: it ends before its first message
			case err != nil:
				return false, err
			default:
				ok = true
			}
			infos[s.Stream] = byID(info.Shards)
		}
		b.openShard(s, infos[s.Stream])
	}
	return ok, nil
}

func byID(shards []streamer.ShardInfo) map[streamer.ShardID]streamer.ShardInfo {
	all := make(map[streamer.ShardID]streamer.ShardInfo, len(shards))
	for _, s := range shards {
		all[s.ID] = s
	}
	return all
}

// openShard leaves out a shard that is empty.
func (b *bound) openShard(s streamer.StreamShard, of map[streamer.ShardID]streamer.ShardInfo) {
	shard, known := of[s.Shard]
	if !known || shard.Next.IsZero() || shard.First != shard.Next {
		b.open[s] = shard.Next
	}
}

// close takes away the shards in which nothing is left, and nothing was left
// when it was last asked.
func (b *bound) close(lag []streamer.ShardLag) {
	for _, l := range lag {
		if l.Messages == 0 && b.idle[l.StreamShard] {
			delete(b.open, l.StreamShard)
		}
		b.idle[l.StreamShard] = l.Messages == 0
	}
}

// ask closes the shards of which the backend says that nothing is left: in a
// group, what is acknowledged and committed counts.
func (b *bound) ask(ctx context.Context, c streamer.Consumer) error {
	if err := c.Commit(ctx); err != nil {
		return err
	}
	lag, err := c.Lag(ctx)
	if errors.Is(err, streamer.ErrUnsupported) {
		return nil
	}
	if err == nil {
		b.close(lag)
	}
	return err
}

// reached says whether every shard in use is at its end.
func (b *bound) reached(inUse func() []streamer.StreamShard) bool {
	if b == nil {
		return false
	}
	if len(b.open) == 0 {
		return true
	}
	shards := inUse()
	for i := len(shards) - 1; i >= 0; i-- {
		if _, ahead := b.open[shards[i]]; ahead {
			b.witness = shards[i]
			return false
		}
	}
	return true
}

// ahead says, without a look at all shards, that one is not at its end. It may
// have gone to another member since: reached knows.
func (b *bound) ahead() bool {
	if b == nil {
		return true
	}
	_, ahead := b.open[b.witness]
	return ahead
}

// cut keeps the messages before the end, in place, and closes the shards that
// they bring there.
func (b *bound) cut(batch []*streamer.Message) []*streamer.Message {
	if b == nil {
		return batch
	}
	kept := batch[:0]
	for _, m := range batch {
		if b.before(m) {
			kept = append(kept, m)
		}
	}
	clear(batch[len(kept):])
	return kept
}

func (b *bound) before(m *streamer.Message) bool {
	shard := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
	delete(b.idle, shard)
	next, ahead := b.open[shard]
	if !ahead {
		return false
	}
	if next.IsZero() {
		return true
	}
	if m.Seq.Compare(next) >= 0 {
		delete(b.open, shard)
		return false
	}
	if isBefore(m.Seq, next) {
		delete(b.open, shard)
	}
	return true
}

// isBefore says that there is no number between s and next.
func isBefore(s, next streamer.SeqNo) bool {
	hi, lo := s.Pair()
	return s == streamer.SeqUint(s.Uint()) && next == streamer.SeqUint(s.Uint()+1) ||
		s == streamer.SeqPair(hi, lo) && next == streamer.SeqPair(hi, lo+1)
}
