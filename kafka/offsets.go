package kafka

import (
	"context"
	"math"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kadm"
	"golang.org/x/sync/errgroup"
)

// bounds are the ends of one shard.
type bounds struct {
	first int64 // the oldest record left
	end   int64 // where reading ends now: behind the last record that no open transaction holds back, unless Isolation is Uncommitted
	high  int64 // what the next record gets
}

// bounds asks for the ends of streams.
func (b *backend) bounds(ctx context.Context, streams []string) (map[streamer.StreamShard]bounds, error) {
	var first, stable, high kadm.ListedOffsets
	err := warm(ctx, func() error {
		g, ctx := errgroup.WithContext(ctx)
		ask := func(into *kadm.ListedOffsets, list func(context.Context, ...string) (kadm.ListedOffsets, error)) {
			g.Go(func() (err error) {
				if *into, err = list(ctx, streams...); err == nil {
					err = into.Error()
				}
				return err
			})
		}
		ask(&first, b.adm.ListStartOffsets)
		ask(&high, b.adm.ListEndOffsets)
		if b.cfg.Isolation == Committed {
			ask(&stable, b.adm.ListCommittedOffsets)
		}
		return g.Wait()
	})
	if err != nil {
		return nil, b.explain(ctx, err)
	}
	if b.cfg.Isolation == Uncommitted {
		stable = high
	}
	all := make(map[streamer.StreamShard]bounds)
	high.Each(func(o kadm.ListedOffset) {
		s, _ := first.Lookup(o.Topic, o.Partition)
		e, _ := stable.Lookup(o.Topic, o.Partition)
		all[shardOf(o.Topic, o.Partition)] = bounds{first: s.Offset, end: max(e.Offset, s.Offset), high: o.Offset}
	})
	return all, nil
}

func shardOf(topic string, partition int32) streamer.StreamShard {
	return streamer.StreamShard{Stream: topic, Shard: streamer.ShardID(partition)} //nolint:gosec // never negative
}

func partitionOf(id streamer.ShardID) int32 { return int32(id) } //nolint:gosec // it was a partition's number

// seqOf is the SeqNo of an offset.
func seqOf(offset int64) streamer.SeqNo { return streamer.SeqUint(uint64(offset)) } //nolint:gosec // never negative

// resolve turns positions into offsets, none of them committed. What is out of range is the nearest end.
func (b *backend) resolve(ctx context.Context, want map[streamer.StreamShard]streamer.Position, ends map[streamer.StreamShard]bounds) (map[streamer.StreamShard]int64, error) {
	at := make(map[streamer.StreamShard]int64, len(want))
	times := make(map[time.Time][]streamer.StreamShard)
	for s, p := range want {
		e := ends[s]
		switch p.Kind() {
		case streamer.AtEnd:
			at[s] = e.end
		case streamer.AtSeq:
			at[s] = e.clamp(p.Seq(), 0)
		case streamer.AfterSeq:
			at[s] = e.clamp(p.Seq(), 1)
		case streamer.AtOrAfterTime:
			times[p.Time()] = append(times[p.Time()], s)
		default:
			at[s] = e.first
		}
	}
	for t, shards := range times {
		if err := b.atTime(ctx, t, shards, ends, at); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// clamp is the offset n behind seq, within the shard.
func (e *bounds) clamp(seq streamer.SeqNo, n int64) int64 {
	digits, _ := seq.Decimal()
	if seq.Uint() >= math.MaxInt64 || seq.Uint() == 0 && digits != "0" {
		return e.high // no shard is that long
	}
	return e.within(int64(seq.Uint()) + n) //nolint:gosec // checked above
}

func (e *bounds) within(offset int64) int64 { return min(max(offset, e.first), e.high) }

// atTime finds the first records that are not older than t.
func (b *backend) atTime(ctx context.Context, t time.Time, shards []streamer.StreamShard, ends map[streamer.StreamShard]bounds, at map[streamer.StreamShard]int64) error {
	if t.UnixMilli() < 0 { // the broker has no index of those, and other meanings for the numbers
		for _, s := range shards {
			at[s] = ends[s].first
		}
		return nil
	}
	var listed kadm.ListedOffsets
	err := warm(ctx, func() (err error) {
		if listed, err = b.adm.ListOffsetsAfterMilli(ctx, t.UnixMilli(), streamsOf(shards)...); err == nil {
			err = listed.Error()
		}
		return err
	})
	if err != nil {
		return b.explain(ctx, err)
	}
	for _, s := range shards {
		e := ends[s]
		o, ok := listed.Lookup(s.Stream, partitionOf(s.Shard))
		if !ok || o.Timestamp < 0 { // all are older
			at[s] = e.end
			continue
		}
		at[s] = max(o.Offset, e.first)
	}
	return nil
}

func streamsOf(shards []streamer.StreamShard) []string {
	seen := make(map[string]bool)
	var names []string
	for _, s := range shards {
		if !seen[s.Stream] {
			seen[s.Stream] = true
			names = append(names, s.Stream)
		}
	}
	return names
}
