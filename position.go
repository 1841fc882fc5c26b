package streamer

import (
	"time"
)

// Position is a place to start reading, comparable. Out of range means the nearest end. The zero Position is Committed.
type Position struct {
	kind uint8
	seq  SeqNo
	t    time.Time
	each *map[StreamShard]Position
}

// Committed is the group's committed position, else Start, else AutoReset.
func Committed() Position { return Position{} }

// Beginning is the oldest message there is.
func Beginning() Position { return Position{kind: 1} }

// End is after the newest message at that moment.
func End() Position { return Position{kind: 2} }

// At is inclusive: the first message delivered is s, or the first after it that exists. A zero SeqNo is ErrInvalid when used.
func At(s SeqNo) Position { panic(0) }

// After is exclusive: a position stored elsewhere as "done up to s". A zero SeqNo is ErrInvalid when used.
func After(s SeqNo) Position { panic(0) }

// AtTime is the first message with Time ≥ t.
func AtTime(t time.Time) Position { panic(0) }

// Each gives each shard its own position; shards that are not in the map are not read. It does not nest.
func Each(m map[StreamShard]Position) Position { panic(0) }

// PositionKind, Kind, Seq, Time and Of take a Position apart, for backends.
type PositionKind uint8

const (
	AtCommitted PositionKind = iota
	AtBeginning
	AtEnd
	AtSeq
	AfterSeq
	AtOrAfterTime
	PerShard
)

func (p Position) Kind() PositionKind                { panic(0) }
func (p Position) Seq() SeqNo                        { panic(0) }
func (p Position) Time() time.Time                   { panic(0) }
func (p Position) Of(s StreamShard) (Position, bool) { panic(0) }
func (p Position) String() string                    { panic(0) }
