package ss

import (
	"math/rand/v2"
	"strings"

	plain "github.com/gostreamer/streamer/file/internal/reference"
)

// rec is one message of a test file.
type rec struct {
	key              string
	shard, seq, time uint64
	payload          []byte
}

// reference encodes with the second encoder.
func reference(h Header, recs []rec) []byte {
	all := make([]plain.Message, len(recs))
	for i, r := range recs {
		all[i] = r.message()
	}
	return plain.Encode(h.Append(nil), h.Interval, all)
}

func referenceFrame(r rec) []byte { return plain.Frame(r.message()) }

func (r rec) message() plain.Message {
	return plain.Message{Key: r.key, Shard: r.shard, Seq: r.seq, Time: r.time, Payload: r.payload}
}

// someRecs are n messages over several streams and shards, of every size up to
// size bytes.
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
