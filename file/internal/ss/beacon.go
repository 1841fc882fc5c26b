package ss

import (
	"encoding/binary"
	"errors"
	"io"
)

const (
	emptyBeacon = 7
	itemFixed   = 27       // an item without its key
	maxItem     = 27 + 255 // what SeaStreamer's writer counts for one item
	maxBeacon   = 7 + 255*maxItem
)

// errShort: the bytes end before the beacon does.
var errShort = errors.New("short beacon")

// Beacon stands at a multiple of the interval. Remaining counts the bytes of
// the spliced frame that are still to come, without later beacons.
type Beacon struct {
	Remaining uint32
	Items     []Item
	Size      int  // bytes that it takes
	Marked    bool // it starts and ends with the byte that it should, which readers need not look at
}

// Item sums up one stream's shard up to and including the frame that the beacon
// splices. Seq and Time are the highest seen, Running is the running checksum.
type Item struct {
	Key     string
	Shard   uint64
	Seq     uint64
	Time    uint64
	Running uint16
}

// ItemCap is how many items SeaStreamer's writer puts into one beacon: half of
// what fits, at most 127.
func ItemCap(interval uint32) int {
	return min(255, int(interval-emptyBeacon)/maxItem) / 2
}

// append writes the beacon whose items are n of list from index first on, in a
// circle.
func appendBeacon(b []byte, remaining uint32, list []*stream, first, n int) []byte {
	b = append(b, mark)
	b = binary.BigEndian.AppendUint32(b, remaining)
	b = append(b, byte(n))
	for i := range n {
		s := list[(first+i)%len(list)]
		b = appendPrefix(b, s.key, s.shard, s.seq, s.time)
		b = binary.BigEndian.AppendUint16(b, s.running)
	}
	return append(b, mark)
}

// appendPrefix writes what frames and items start with.
func appendPrefix(b []byte, key string, shard, seq, time uint64) []byte {
	b = append(b, byte(len(key)))
	b = append(b, key...)
	b = binary.BigEndian.AppendUint64(b, shard)
	b = binary.BigEndian.AppendUint64(b, seq)
	return binary.BigEndian.AppendUint64(b, time)
}

// measureBeacon walks the beacon at the start of b without keeping its items.
// It does not look at the marks, as SeaStreamer doesn't.
func measureBeacon(b []byte) (remaining uint32, size int, err error) {
	if len(b) < emptyBeacon {
		return 0, 0, errShort
	}
	at := 6
	for range b[5] {
		if at >= len(b) {
			return 0, 0, errShort
		}
		k := int(b[at])
		if at+itemFixed+k > len(b) {
			return 0, 0, errShort
		}
		if k > MaxKey || !validKey(b[at+1:at+1+k]) {
			return 0, 0, ErrBeacon
		}
		at += itemFixed + k
	}
	if at >= len(b) {
		return 0, 0, errShort
	}
	return binary.BigEndian.Uint32(b[1:]), at + 1, nil
}

// ParseBeacon reads the beacon at the start of b. io.ErrUnexpectedEOF: b ends
// too early.
func ParseBeacon(b []byte) (Beacon, error) {
	remaining, size, err := measureBeacon(b)
	if errors.Is(err, errShort) {
		return Beacon{}, io.ErrUnexpectedEOF
	}
	if err != nil {
		return Beacon{}, err
	}
	items := make([]Item, b[5])
	at := 6
	for i := range items {
		k := int(b[at])
		v := b[at+1+k:]
		items[i] = Item{
			Key:     string(b[at+1 : at+1+k]),
			Shard:   binary.BigEndian.Uint64(v),
			Seq:     binary.BigEndian.Uint64(v[8:]),
			Time:    binary.BigEndian.Uint64(v[16:]),
			Running: binary.BigEndian.Uint16(v[24:]),
		}
		at += itemFixed + k
	}
	return Beacon{remaining, items, size, b[0] == mark && b[size-1] == mark}, nil
}

// UsualBeacon is how many bytes of a beacon are read at first: there is room
// for as many items as SeaStreamer's writer puts into a beacon, with keys of 35
// bytes.
const UsualBeacon = 8 << 10

// ReadBeacon reads the beacon with index n ≥ 1: the one at n times interval.
// io.ErrUnexpectedEOF: the file ends in it or before it.
func ReadBeacon(src io.ReaderAt, interval uint32, n int64) (Beacon, error) {
	most := min(int64(interval), maxBeacon)
	b := make([]byte, min(most, UsualBeacon))
	for {
		read, err := src.ReadAt(b, n*int64(interval))
		if err != nil && !errors.Is(err, io.EOF) {
			return Beacon{}, err
		}
		beacon, err := ParseBeacon(b[:read])
		switch {
		case !errors.Is(err, io.ErrUnexpectedEOF) || read < len(b):
			return beacon, err
		case int64(len(b)) == most:
			return Beacon{}, ErrBeacon // it would not fit between two boundaries
		}
		b = make([]byte, most)
	}
}
