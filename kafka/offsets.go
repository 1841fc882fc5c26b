package kafka

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
)

// bounds are the ends of one shard.
type bounds struct {
	first int64 // the oldest record left
	end   int64 // where reading ends now: behind the last record that no open transaction holds back, unless Isolation is Uncommitted
	high  int64 // what the next record gets
	epoch int32 // the leader's that says so
}

// The levels at which the end of a shard is asked for.
const (
	levelUncommitted = 0
	levelCommitted   = 1
)

// bounds asks for the ends of shards. left are those whose leader does not
// answer, or that have none.
func (b *backend) bounds(ctx context.Context, shards []streamer.StreamShard) (all map[streamer.StreamShard]bounds, left unasked, err error) {
	all = make(map[streamer.StreamShard]bounds, len(shards))
	if len(shards) == 0 {
		return all, nil, nil
	}
	left, err = b.each(ctx, shards, func(ctx context.Context, shards []streamer.StreamShard) unasked {
		return b.ends(ctx, shards, all)
	})
	return all, left, err
}

// ends asks once for the ends of shards and adds those that are answered to
// all.
func (b *backend) ends(ctx context.Context, shards []streamer.StreamShard, all map[streamer.StreamShard]bounds) unasked {
	first, high, stable := make(listed), make(listed), make(listed)
	var lefts [3]unasked
	var asking sync.WaitGroup
	ask := func(i int, millis int64, level int8, into listed) {
		asking.Go(func() { lefts[i] = b.list(ctx, shards, millis, level, into) })
	}
	ask(0, atLogStart, levelUncommitted, first)
	ask(1, atLogEnd, levelUncommitted, high)
	if b.cfg.Isolation == Committed {
		ask(2, atLogEnd, levelCommitted, stable)
	}
	asking.Wait()
	if b.cfg.Isolation == Uncommitted {
		stable = high
	}
	left := make(unasked)
	for _, some := range lefts {
		maps.Copy(left, some)
	}
	for _, s := range shards {
		if _, failed := left[s]; failed {
			continue
		}
		if _, answered := high[s]; !answered {
			left[s] = kerr.LeaderNotAvailable
			continue
		}
		all[s] = bounds{
			first: first[s].offset, end: max(stable[s].offset, first[s].offset),
			high: high[s].offset, epoch: high[s].epoch,
		}
	}
	return left
}

func shardOf(topic string, partition int32) streamer.StreamShard {
	return streamer.StreamShard{Stream: topic, Shard: streamer.ShardID(partition)} //nolint:gosec // never negative
}

func partitionOf(id streamer.ShardID) int32 { return int32(id) } //nolint:gosec // it was a partition's number

// seqOf is the SeqNo of an offset.
func seqOf(offset int64) streamer.SeqNo { return streamer.SeqUint(uint64(offset)) } //nolint:gosec // never negative

// resolve turns positions of shards whose ends are known into offsets, none of
// them committed. What is out of range is the nearest end.
func (b *backend) resolve(ctx context.Context, want map[streamer.StreamShard]streamer.Position, ends map[streamer.StreamShard]bounds) (map[streamer.StreamShard]position, error) {
	at := make(map[streamer.StreamShard]position, len(want))
	times := make(map[time.Time][]streamer.StreamShard)
	for s, p := range want {
		e := ends[s]
		switch p.Kind() {
		case streamer.AtEnd:
			at[s] = e.at(e.end)
		case streamer.AtSeq:
			at[s] = e.at(e.clamp(p.Seq(), 0))
		case streamer.AfterSeq:
			at[s] = e.at(e.clamp(p.Seq(), 1))
		case streamer.AtOrAfterTime:
			times[p.Time()] = append(times[p.Time()], s)
		default:
			at[s] = e.at(e.first)
		}
	}
	for t, shards := range times {
		if err := b.atTime(ctx, t, shards, ends, at); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// behind counts the records from a position on; -1 when the ends are not known
// for a reason.
func (e bounds) behind(p position, why error) int64 {
	if why != nil {
		return -1
	}
	return max(e.end-max(p.offset, e.first), 0)
}

// at is an offset that the log reaches under the leader that told its ends.
func (e *bounds) at(offset int64) position { return position{offset, e.epoch} }

// clamp is the offset n behind seq, within the shard.
func (e *bounds) clamp(seq streamer.SeqNo, n int64) int64 { return e.within(offsetOf(seq, n)) }

// offsetOf is the offset n behind seq; beyond every log for what no offset
// holds.
func offsetOf(seq streamer.SeqNo, n int64) int64 {
	digits, _ := seq.Decimal()
	if seq.Uint() >= beyond || seq.Uint() == 0 && digits != "0" {
		return beyond
	}
	return int64(seq.Uint()) + n //nolint:gosec // checked above
}

func (e *bounds) within(offset int64) int64 { return min(max(offset, e.first), e.high) }

// atTime finds the first records that are not older than t.
func (b *backend) atTime(ctx context.Context, t time.Time, shards []streamer.StreamShard, ends map[streamer.StreamShard]bounds, at map[streamer.StreamShard]position) error {
	if t.UnixMilli() < 0 { // the broker has no index of those, and other meanings for the numbers
		for _, s := range shards {
			e := ends[s]
			at[s] = e.at(e.first)
		}
		return nil
	}
	got := make(listed, len(shards))
	left, err := b.each(ctx, shards, func(ctx context.Context, shards []streamer.StreamShard) unasked {
		return b.list(ctx, shards, t.UnixMilli(), levelUncommitted, got)
	})
	if err != nil {
		return err
	}
	for s, err := range left {
		return b.explain(ctx, onShard(s, err))
	}
	for _, s := range shards {
		e := ends[s]
		o, ok := got[s]
		if !ok || o.offset < 0 { // all are older
			at[s] = e.at(e.end)
			continue
		}
		at[s] = e.at(max(o.offset, e.first))
	}
	return nil
}
