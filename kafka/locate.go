package kafka

import (
	"context"

	"github.com/gostreamer/streamer"
)

// locate is where positions, committed or read up to, lie in the logs as they
// are now. One that was trimmed away lies at the oldest record left. One in a
// part that the log has lost lies where the log parts from what it was; where
// that is not known, because no epoch is, at the oldest record, so that nothing
// that exists is skipped. Ends that are missing leave a position as it is.
func (b *backend) locate(ctx context.Context, at map[streamer.StreamShard]position, ends map[streamer.StreamShard]bounds) (map[streamer.StreamShard]position, error) {
	doubtful := make(map[streamer.StreamShard]position)
	for s, p := range at {
		if e, ok := ends[s]; ok && p.epoch >= 0 && p.epoch != e.epoch {
			doubtful[s] = p
		}
	}
	parted := b.epochEnds(ctx, doubtful)
	beyond, err := b.boundsBehind(ctx, at, ends, parted)
	if err != nil {
		return nil, err
	}
	now := make(map[streamer.StreamShard]position, len(at))
	for s, p := range at {
		e, ok := ends[s]
		if !ok {
			now[s] = p
			continue
		}
		end, known := parted[s]
		if fresh, again := beyond[s]; again {
			e = fresh
		} else if !known && p.offset > e.high { // it was not answered
			now[s] = p
			continue
		}
		now[s] = e.stands(p, end, known)
	}
	return now, nil
}

// boundsBehind asks again for the ends of shards whose position lies beyond
// them: it may have been committed since they were asked for.
func (b *backend) boundsBehind(ctx context.Context, at map[streamer.StreamShard]position, ends map[streamer.StreamShard]bounds, parted map[streamer.StreamShard]position) (map[streamer.StreamShard]bounds, error) {
	var again []streamer.StreamShard
	for s, p := range at {
		_, known := parted[s]
		if e, ok := ends[s]; ok && !known && p.offset > e.high {
			again = append(again, s)
		}
	}
	if len(again) == 0 {
		return nil, nil
	}
	fresh, _, err := b.bounds(ctx, again)
	return fresh, err
}

// stands is where a position lies in a shard with these ends; end is where the
// log ends as far as the position's epoch goes, if that is known. A broker that
// has not heard of the epoch yet is behind and cannot tell.
func (e *bounds) stands(p, end position, known bool) position {
	switch {
	case known && end.offset < p.offset:
		p = end
	case !known && p.epoch > e.epoch:
		return p
	case !known && p.offset > e.high:
		return position{e.first, e.epoch}
	}
	if p.offset < e.first {
		return position{e.first, e.epoch}
	}
	return p
}
