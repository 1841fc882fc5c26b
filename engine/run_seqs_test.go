package engine

import (
	"math"
	"testing"

	"github.com/gostreamer/streamer"
)

// Whatever the numbers, a run has those of its messages.
func TestARunKeepsTheNumbersOfItsMessages(t *testing.T) {
	u, p := streamer.SeqUint, streamer.SeqPair
	all := [][]streamer.SeqNo{
		{u(1)}, {u(1), u(2), u(3)}, {u(1), u(3)}, {u(3), u(2)}, {u(5), u(5)}, {u(math.MaxUint64 - 1), u(math.MaxUint64)},
		{p(1, 0)}, {p(1, 0), p(1, 1), p(2, 0)},
		{streamer.SeqDecimal("18446744073709551616", 0), streamer.SeqDecimal("18446744073709551616", 1)}, {streamer.SeqDecimal("7", 0), streamer.SeqDecimal("7", 1), streamer.SeqDecimal("8", 0)},
	}
	var slab []streamer.Message
	for shard, numbers := range all {
		for _, n := range numbers {
			slab = append(slab, streamer.Message{Meta: streamer.Meta{Shard: streamer.ShardID(shard), Seq: n}})
		}
	}
	a := newArena(slab, &sessionOptions{mode: streamer.Resumable})
	for _, want := range all {
		r := a.run(&ledger{}, slab[:len(want)])
		slab = slab[len(want):]
		for i := range want {
			if got := r.seqs.at(i); got != want[i] {
				t.Errorf("number %d of %v is %v", i, want, got)
			}
		}
	}
}
