// Package reference is a second encoder of .ss files, for tests: written from
// the format's description and as plainly as can be, one byte at a time, every
// beacon computed from the whole history. It shares no code with the one that
// it is held against.
package reference

import (
	"encoding/binary"
	"sort"
)

// Message is one frame of a file, of whatever stream.
type Message struct {
	Key              string
	Shard, Seq, Time uint64
	Payload          []byte
}

type encoder struct {
	interval int
	out      []byte
	items    int // in all beacons so far
}

// Encode is the file that one writer writes: header, which is taken as it is,
// and the messages. The interval must be the header's.
func Encode(header []byte, interval uint32, all []Message) []byte {
	e := encoder{interval: int(interval), out: append([]byte(nil), header...)}
	e.boundary(nil, 0)
	for i, m := range all {
		f := Frame(m)
		for j, b := range f {
			e.out = append(e.out, b)
			e.boundary(all[:i+1], len(f)-j-1)
		}
	}
	return e.out
}

func (e *encoder) boundary(seen []Message, left int) {
	if len(e.out)%e.interval == 0 {
		e.beacon(seen, left)
	}
}

func prefix(m Message) []byte {
	b := append([]byte{byte(len(m.Key))}, m.Key...)
	for _, v := range []uint64{m.Shard, m.Seq, m.Time} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

// Frame is a message as it stands in a file, if no beacon splits it.
func Frame(m Message) []byte {
	b := binary.BigEndian.AppendUint32(prefix(m), uint32(len(m.Payload)))
	b = append(b, m.Payload...)
	return append(binary.BigEndian.AppendUint16(b, Checksum(m.Payload)), 0x0D)
}

// id is a stream's shard.
type id struct {
	key   string
	shard uint64
}

func (e *encoder) beacon(seen []Message, left int) {
	last, sums := summary(seen)
	list := sorted(last)
	n := min(len(list), min(255, (e.interval-7)/282)/2)
	e.out = binary.BigEndian.AppendUint32(append(e.out, 0x0D), uint32(left))
	e.out = append(e.out, byte(n))
	for i := range n {
		k := list[(e.items+i)%len(list)]
		e.out = append(e.out, prefix(last[k])...)
		e.out = binary.BigEndian.AppendUint16(e.out, Checksum(sums[k]))
	}
	e.items += n
	e.out = append(e.out, 0x0D)
}

// summary has of each stream's shard the highest sequence and time, and the
// checksums of its payloads, one behind the other.
func summary(seen []Message) (last map[id]Message, sums map[id][]byte) {
	last, sums = map[id]Message{}, map[id][]byte{}
	for _, m := range seen {
		k := id{m.Key, m.Shard}
		l := last[k]
		m.Seq, m.Time = max(m.Seq, l.Seq), max(m.Time, l.Time)
		last[k] = m
		sums[k] = binary.BigEndian.AppendUint16(sums[k], Checksum(m.Payload))
	}
	return last, sums
}

func sorted(last map[id]Message) []id {
	var list []id
	for k := range last {
		list = append(list, k)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return a.key < b.key || a.key == b.key && a.shard < b.shard
	})
	return list
}

// Checksum is CRC-16/CDMA2000, bit by bit.
func Checksum(p []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range p {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0xC867
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
