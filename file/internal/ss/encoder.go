package ss

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// Encoder turns records into the bytes of a file: frames, and beacons wherever
// the file reaches a multiple of the interval. It knows the file's streams, so
// it numbers their messages and sums them up in the beacons. It does no I/O:
// what it appends must be written at the offset it had before.
//
// An Encoder is not safe for concurrent use.
type Encoder struct {
	interval int64
	cap      int
	off      int64
	items    uint64 // written in all beacons so far: where the next beacon's circle starts
	streams  streams
	carried  map[string]map[uint64]Item // what files before this one had; nil: none
	undo     []change
	ended    Mark // behind what was appended last, in front of a beacon that follows it
}

// change is what a stream was before an append.
type change struct {
	s   *stream
	old stream
	new bool
}

// Mark is a state to go back to.
type Mark struct {
	off   int64
	items uint64
	undo  int
}

// Offset is where the next byte went.
func (m Mark) Offset() int64 { return m.off }

// NewEncoder writes on at off, which is HeaderSize for a new file. See tells it
// what the file holds already.
func NewEncoder(interval uint32, off int64) *Encoder {
	return &Encoder{interval: int64(interval), cap: ItemCap(interval), off: off}
}

// Offset is where the next byte goes.
func (e *Encoder) Offset() int64 { return e.off }

// MoveTo makes off the offset of the next byte.
func (e *Encoder) MoveTo(off int64) { e.off = off }

// Knows reports whether the file has a frame of this stream.
func (e *Encoder) Knows(key string, shard uint64) bool { return e.streams.find(key, shard) != nil }

// See takes a frame that is in the file already into account, and the beacons
// in front of it and within it.
func (e *Encoder) See(f *Frame) {
	if f.Pos > 0 && f.Pos%e.interval == 0 {
		e.items += e.perBeacon()
	}
	s := e.streams.find(string(f.Key), f.Shard)
	if s == nil {
		s = e.streams.add(string(f.Key), f.Shard)
	}
	s.see(f.Seq, f.Time, f.Sum)
	if f.Pos > 0 {
		e.items += uint64((f.End-1)/e.interval-f.Pos/e.interval) * e.perBeacon()
	}
}

// perBeacon is how many items the next beacon has.
func (e *Encoder) perBeacon() uint64 { return uint64(min(len(e.streams.list), e.cap)) }

// NextSeq is the number of the stream's next message: 1 in a stream that
// neither this file nor one before it has. It is false when the numbers are
// used up.
func (e *Encoder) NextSeq(key string, shard uint64) (uint64, bool) {
	s := e.streams.find(key, shard)
	if s == nil {
		last := e.carried[key][shard].Seq
		return last + 1, last < math.MaxUint64
	}
	return s.seq + 1, s.seq < math.MaxUint64
}

// Carry makes known what files before this one had: numbers continue from
// there. Beacons do not name it.
func (e *Encoder) Carry(items []Item) {
	if e.carried == nil {
		e.carried = map[string]map[uint64]Item{}
	}
	for _, i := range items {
		if e.carried[i.Key] == nil {
			e.carried[i.Key] = map[uint64]Item{}
		}
		e.carried[i.Key][i.Shard] = i
	}
}

// Totals is what this file and those before it have of each user's stream, in
// order: what the next one carries.
func (e *Encoder) Totals() []Item {
	var all []Item
	for key, of := range e.carried {
		for shard, i := range of {
			if e.streams.find(key, shard) == nil {
				all = append(all, i)
			}
		}
	}
	for _, s := range e.streams.list {
		if s.key != Internal {
			all = append(all, Item{Key: s.key, Shard: s.shard, Seq: s.seq, Time: max(s.time, e.carried[s.key][s.shard].Time)})
		}
	}
	slices.SortFunc(all, func(a, b Item) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Shard, b.Shard)) })
	return all
}

// Start appends the beacon that a file which ends exactly at a boundary needs
// before its next frame. Append does so too.
func (e *Encoder) Start(b []byte) []byte {
	if e.off%e.interval == 0 {
		b = e.beacon(b, 0)
	}
	return b
}

// Append appends one frame. The key is at most MaxKey bytes, the payload at
// most 2^32-1, the time at most MaxTime: the caller ensures.
func (e *Encoder) Append(b []byte, key string, shard, seq, time uint64, payload []byte) []byte {
	b = e.Start(b)
	sum := Checksum(payload)
	e.take(key, shard, seq, time, sum)

	if size := FrameSize(len(key), len(payload)); size < e.interval-e.off%e.interval {
		b = appendHead(b, key, shard, seq, time, len(payload))
		b = append(b, payload...)
		e.off += size
		e.ended = e.Mark()
		return append(b, byte(sum>>8), byte(sum), mark)
	}
	var head [framing + 255]byte
	prefix := appendHead(head[:0], key, shard, seq, time, len(payload))
	tail := [trailer]byte{byte(sum >> 8), byte(sum), mark}
	left := len(prefix) + len(payload) + len(tail)
	for _, part := range [...][]byte{prefix, payload, tail[:]} {
		left -= len(part)
		b = e.splice(b, part, left)
	}
	return b
}

// appendHead writes what a frame has before its payload of size bytes.
func appendHead(b []byte, key string, shard, seq, time uint64, size int) []byte {
	return binary.BigEndian.AppendUint32(appendPrefix(b, key, shard, seq, time), uint32(size))
}

// take books the frame before it is written: a beacon sums up the frame that it
// splices too.
func (e *Encoder) take(key string, shard, seq, time uint64, sum uint16) {
	s := e.streams.find(key, shard)
	if s == nil {
		s = e.streams.add(key, shard)
		e.undo = append(e.undo, change{s: s, new: true})
	} else {
		e.undo = append(e.undo, change{s: s, old: *s})
	}
	s.see(seq, time, sum)
}

// splice appends part, after which left more bytes of the frame follow, and
// every beacon that is due on the way.
func (e *Encoder) splice(b, part []byte, left int) []byte {
	for len(part) > 0 {
		n := min(int64(len(part)), e.interval-e.off%e.interval)
		b = append(b, part[:n]...)
		part = part[n:]
		e.off += n
		e.ended = e.Mark()
		if e.off%e.interval == 0 {
			b = e.beacon(b, uint32(len(part)+left))
		}
	}
	return b
}

func (e *Encoder) beacon(b []byte, remaining uint32) []byte {
	list := e.streams.list
	n, first := int(e.perBeacon()), 0
	if n > 0 {
		first = int(e.items % uint64(len(list)))
	}
	start := len(b)
	b = appendBeacon(b, remaining, list, first, n)
	e.items += uint64(n)
	e.off += int64(len(b) - start)
	return b
}

// Mark is the present state.
func (e *Encoder) Mark() Mark { return Mark{e.off, e.items, len(e.undo)} }

// Ended is the state behind the last frame that was appended, without the
// beacon that follows it at a boundary: the next Append makes that again.
func (e *Encoder) Ended() Mark { return e.ended }

// Rollback forgets what was appended since m: it is not in the file. m must not
// be older than the last Commit.
func (e *Encoder) Rollback(m Mark) {
	for len(e.undo) > m.undo {
		c := e.undo[len(e.undo)-1]
		e.undo = e.undo[:len(e.undo)-1]
		if c.new {
			e.streams.remove(c.s)
		} else {
			*c.s = c.old
		}
	}
	e.off, e.items = m.off, m.items
}

// Commit says that everything appended is in the file for good.
func (e *Encoder) Commit() {
	clear(e.undo)
	e.undo = e.undo[:0]
}
