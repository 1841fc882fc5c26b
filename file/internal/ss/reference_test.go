package ss

import (
	"encoding/binary"
	"math/rand/v2"
	"sort"
	"strings"
)

// rec is one message of a test file.
type rec struct {
	key              string
	shard, seq, time uint64
	payload          []byte
}

// reference is a second encoder, written from the format's description and as plainly as can be: one byte at a time, every beacon computed
// from the whole history.
func reference(h Header, recs []rec) []byte {
	out := h.Append(nil)
	items := 0
	boundary := func(seen []rec, left int) {
		if len(out)%int(h.Interval) == 0 {
			out = append(out, referenceBeacon(h.Interval, seen, left, &items)...)
		}
	}
	boundary(nil, 0)
	for i, r := range recs {
		frame := referenceFrame(r)
		for j, b := range frame {
			out = append(out, b)
			boundary(recs[:i+1], len(frame)-j-1)
		}
	}
	return out
}

func referencePrefix(r rec) []byte {
	b := append([]byte{byte(len(r.key))}, r.key...)
	for _, v := range []uint64{r.shard, r.seq, r.time} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func referenceFrame(r rec) []byte {
	b := binary.BigEndian.AppendUint32(referencePrefix(r), uint32(len(r.payload)))
	b = append(b, r.payload...)
	return append(binary.BigEndian.AppendUint16(b, bitwise(r.payload)), 0x0D)
}

func referenceBeacon(interval uint32, seen []rec, left int, items *int) []byte {
	type id struct {
		key   string
		shard uint64
	}
	last, sums := map[id]rec{}, map[id][]byte{}
	for _, r := range seen {
		k := id{r.key, r.shard}
		l := last[k]
		r.seq, r.time = max(r.seq, l.seq), max(r.time, l.time)
		last[k] = r
		sums[k] = binary.BigEndian.AppendUint16(sums[k], bitwise(r.payload))
	}
	var list []id
	for k := range last {
		list = append(list, k)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return a.key < b.key || a.key == b.key && a.shard < b.shard
	})
	n := min(len(list), min(255, (int(interval)-7)/282)/2)
	b := binary.BigEndian.AppendUint32([]byte{0x0D}, uint32(left))
	b = append(b, byte(n))
	for i := range n {
		k := list[(*items+i)%len(list)]
		b = append(b, referencePrefix(last[k])...)
		b = binary.BigEndian.AppendUint16(b, bitwise(sums[k]))
	}
	*items += n
	return append(b, 0x0D)
}

// someRecs are n messages over several streams and shards, of every size up to size bytes.
func someRecs(seed uint64, n, streams, size int) []rec {
	rnd := rand.New(rand.NewPCG(seed, 1))
	seqs := map[[2]int]uint64{}
	var out []rec
	for i := range n {
		k, s := rnd.IntN(streams), rnd.IntN(2)
		seqs[[2]int{k, s}]++
		payload := make([]byte, rnd.IntN(size+1))
		for j := range payload {
			payload[j] = byte(rnd.Uint32())
		}
		out = append(out, rec{"stream-" + strings.Repeat("x", k), uint64(s), seqs[[2]int{k, s}], 1700000000000 + uint64(i), payload})
	}
	return out
}

func encode(h Header, recs []rec) []byte {
	e := NewEncoder(h.Interval, HeaderSize)
	b := e.Start(h.Append(nil))
	for _, r := range recs {
		b = e.Append(b, r.key, r.shard, r.seq, r.time, r.payload)
	}
	return b
}
