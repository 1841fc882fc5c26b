package streamer

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Position is a place to start reading. It is comparable with ==. A position
// out of range means the nearest end. The zero Position is Committed.
type Position struct {
	kind PositionKind
	seq  SeqNo
	t    time.Time
	each *map[StreamShard]Position // behind a pointer, because a map would cost Position its ==
}

// Committed is the group's committed position, else Start, else AutoReset.
func Committed() Position { return Position{} }

// Beginning is the oldest message there is.
func Beginning() Position { return Position{kind: AtBeginning} }

// End is after the newest message at the time of the call that uses it.
func End() Position { return Position{kind: AtEnd} }

// At is inclusive: the first message delivered is s or, if s does not exist,
// the next one. A zero SeqNo is ErrInvalid when used.
func At(s SeqNo) Position { return Position{kind: AtSeq, seq: s} }

// After is exclusive: for a position that is stored elsewhere as "done up to
// s". A zero SeqNo is ErrInvalid when used.
func After(s SeqNo) Position { return Position{kind: AfterSeq, seq: s} }

// AtTime is the first message with Time ≥ t. A t whose milliseconds since 1970
// exceed an int64, 292 million years away, becomes the nearest that fits.
func AtTime(t time.Time) Position {
	if earliest, latest := time.UnixMilli(math.MinInt64), time.UnixMilli(math.MaxInt64); t.Before(earliest) {
		t = earliest
	} else if t.After(latest) {
		t = latest
	}
	// Without the monotonic clock and the zone equal instants are ==.
	return Position{kind: AtOrAfterTime, t: t.Round(0).UTC()}
}

// Each gives each shard its own position. Shards that are not in m are not
// read. An Each inside m is ErrInvalid when used. m is copied. Two such
// positions are == only when one is a copy of the other.
func Each(m map[StreamShard]Position) Position {
	each := maps.Clone(m)
	return Position{kind: PerShard, each: &each}
}

// PositionKind says which constructor made a Position. Kind, Seq, Time, Of and
// Shards take a Position apart.
type PositionKind uint8

// The kinds of positions. A backend sees all of them except PerShard, which Of
// and driver.SourceConfig.StartOf resolve.
const (
	AtCommitted   PositionKind = iota // Committed, the zero Position
	AtBeginning                       // Beginning
	AtEnd                             // End
	AtSeq                             // At
	AfterSeq                          // After
	AtOrAfterTime                     // AtTime
	PerShard                          // Each
)

// Kind says which constructor made p.
func (p Position) Kind() PositionKind { return p.kind }

// Seq is the argument of At and After, else zero.
func (p Position) Seq() SeqNo { return p.seq }

// Time is the argument of AtTime in UTC, else zero.
func (p Position) Time() time.Time { return p.t }

// Of is the position of one shard: p itself, or what an Each gives the shard.
// ok is false for a shard that an Each leaves out, which is not read.
func (p Position) Of(s StreamShard) (at Position, ok bool) {
	if p.kind != PerShard {
		return p, true
	}
	at, ok = (*p.each)[s]
	return at, ok
}

// Shards lists the shards that an Each names, in order; nil for other
// positions.
func (p Position) Shards() []StreamShard {
	if p.each == nil {
		return nil
	}
	return sortedShards(*p.each)
}

// String is for logs: "committed", "beginning", "end", "at 42", "after 42",
// "at 2026-01-02T15:04:05Z", "each(orders/0: at 42, orders/1: end)".
func (p Position) String() string {
	switch p.kind {
	case AtBeginning:
		return "beginning"
	case AtEnd:
		return "end"
	case AtSeq:
		return "at " + p.seq.String()
	case AfterSeq:
		return "after " + p.seq.String()
	case AtOrAfterTime:
		return "at " + p.t.Format(time.RFC3339Nano)
	case PerShard:
		return "each(" + listEach(*p.each) + ")"
	case AtCommitted:
	}
	return "committed"
}

// maxListed keeps a Position of thousands of shards readable in a log line.
const maxListed = 8

func listEach(m map[StreamShard]Position) string {
	shards := sortedShards(m)
	more := ""
	if len(shards) > maxListed {
		more = fmt.Sprintf(", and %d more", len(shards)-maxListed)
		shards = shards[:maxListed]
	}
	list := make([]string, len(shards))
	for i, s := range shards {
		list[i] = fmt.Sprintf("%s/%v: %s", s.Stream, s.Shard, m[s])
	}
	return strings.Join(list, ", ") + more
}

func sortedShards(m map[StreamShard]Position) []StreamShard {
	return slices.SortedFunc(maps.Keys(m), StreamShard.Compare)
}
