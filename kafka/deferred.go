package kafka

import (
	"errors"
	"math"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// deferredStart is the start of a shard that had no leader when the source was
// opened. The client resolves it when there is one.
type deferredStart struct {
	start kgo.Offset
	want  int64 // an offset that was asked for, however far beyond the end
}

// beyond is an offset that no log reaches.
const beyond = math.MaxInt64 >> 1

// postpone leaves it to the client to resolve a position, as of the time when
// the source was opened. Without a leader nothing was stored then, and the end
// was the end of the last leader's log. A leader that does not answer may still
// take records from other clients, so records that are not older count.
func (p *plan) postpone(s streamer.StreamShard, at streamer.Position, why error, opened time.Time) deferredStart {
	switch at.Kind() {
	case streamer.AtSeq:
		return deferredTo(offsetOf(at.Seq(), 0))
	case streamer.AfterSeq:
		return deferredTo(offsetOf(at.Seq(), 1))
	case streamer.AtOrAfterTime:
		if at.Time().UnixMilli() < 0 {
			break // see atTime
		}
		return deferredStart{start: kgo.NewOffset().AfterMilli(at.Time().UnixMilli()), want: beyond}
	case streamer.AtEnd:
		t := p.topics[s.Stream]
		if epoch := t.epochs[s.Shard]; epoch >= 0 && errors.Is(why, kerr.LeaderNotAvailable) {
			return deferredStart{start: kgo.NewOffset().At(beyond).WithEpoch(epoch), want: beyond}
		}
		return deferredStart{start: kgo.NewOffset().AfterMilli(opened.UnixMilli()), want: beyond}
	}
	return deferredStart{start: kgo.NewOffset().AtStart()}
}

func deferredTo(offset int64) deferredStart {
	return deferredStart{start: kgo.NewOffset().At(offset), want: offset}
}

// await returns the shard of a deferred start.
func (l deferredStart) await() *shard {
	return &shard{next: unresolved, want: l.want, began: position{0, noEpoch}, saved: position{0, noEpoch}}
}
