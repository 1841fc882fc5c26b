package main

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
)

// bound is the end of each shard as it was when the command started. What was stored later is neither printed nor acknowledged. A nil bound has
// no end.
type bound struct {
	// open are the shards whose end is ahead. The value is the number that the first message after the end has, zero where the backend does not
	// know it: such a shard ends when the backend says that nothing is left.
	open map[streamer.StreamShard]streamer.SeqNo
	// idle are the open shards of which the backend said, when last asked, that nothing is left, and from which nothing came since. Once is not
	// enough: a backend may count a message as read that is on its way here.
	idle map[streamer.StreamShard]bool
}

// newBound asks for the ends of the shards that c reads. Where the backend can tell neither numbers nor what is left, as on a pipe, it returns
// nil: the input has an end of its own.
func newBound(ctx context.Context, s streamer.Streamer, c streamer.Consumer, m *meter) (*bound, error) {
	b := &bound{open: make(map[streamer.StreamShard]streamer.SeqNo), idle: make(map[streamer.StreamShard]bool)}
	described, err := b.describe(ctx, s.Admin(), c.Assignment())
	if err != nil {
		return nil, err
	}
	lag, err := c.Lag(ctx)
	switch {
	case errors.Is(err, streamer.ErrUnsupported) && !described:
		return nil, nil
	case errors.Is(err, streamer.ErrUnsupported):
		return b, nil
	case err != nil:
		return nil, err
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

// describe opens the shards. ok is false when the backend cannot describe streams.
func (b *bound) describe(ctx context.Context, admin streamer.Admin, shards []streamer.StreamShard) (ok bool, err error) {
	infos := make(map[string]streamer.StreamInfo)
	for _, s := range shards {
		info, known := infos[s.Stream]
		if !known {
			info, err = admin.Describe(ctx, s.Stream)
			switch {
			case errors.Is(err, streamer.ErrUnsupported):
			case errors.Is(err, streamer.ErrNotFound):
				continue // not created yet: it ends before its first message
			case err != nil:
				return false, err
			default:
				ok = true
			}
			infos[s.Stream] = info
		}
		b.openShard(s, info)
	}
	return ok, nil
}

// openShard leaves out a shard that is empty.
func (b *bound) openShard(s streamer.StreamShard, info streamer.StreamInfo) {
	for _, shard := range info.Shards {
		if shard.ID != s.Shard {
			continue
		}
		if shard.Next.IsZero() || shard.First != shard.Next {
			b.open[s] = shard.Next
		}
		return
	}
	b.open[s] = streamer.SeqNo{}
}

// close takes away the shards in which nothing is left, and nothing was left when it was last asked.
func (b *bound) close(lag []streamer.ShardLag) {
	for _, l := range lag {
		if l.Messages == 0 && b.idle[l.StreamShard] {
			delete(b.open, l.StreamShard)
		}
		b.idle[l.StreamShard] = l.Messages == 0
	}
}

// ask closes the shards of which the backend says that nothing is left: in a group, what is acknowledged and committed counts.
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
	for _, s := range inUse() {
		if _, ahead := b.open[s]; ahead {
			return false
		}
	}
	return true
}

// cut keeps the messages before the end, in place, and closes the shards that they bring there.
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
