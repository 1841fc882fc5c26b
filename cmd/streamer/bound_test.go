package main

import (
	"testing"

	"github.com/gostreamer/streamer"
)

func TestIsBeforeSaysThatNothingFitsBetween(t *testing.T) {
	for _, c := range []struct {
		seq, next streamer.SeqNo
		want      bool
	}{
		{streamer.SeqUint(4), streamer.SeqUint(5), true},
		{streamer.SeqUint(3), streamer.SeqUint(5), false},
		{streamer.SeqUint(5), streamer.SeqUint(5), false},
		{streamer.SeqPair(7, 1), streamer.SeqPair(7, 2), true},
		{streamer.SeqPair(6, 1), streamer.SeqPair(7, 2), false},
		{streamer.SeqPair(7, 1), streamer.SeqUint(1), false},
		{streamer.SeqDecimal("49590338271490256608559692538361571095921575989136588898", 0), streamer.SeqUint(1), false},
	} {
		if got := isBefore(c.seq, c.next); got != c.want {
			t.Errorf("%s before %s: %v", c.seq, c.next, got)
		}
	}
}

func TestCutKeepsWhatIsBeforeTheEndOfItsShard(t *testing.T) {
	shard := func(n streamer.ShardID) streamer.StreamShard { return streamer.StreamShard{Stream: "s", Shard: n} }
	message := func(s streamer.ShardID, seq uint64) *streamer.Message {
		return streamer.NewMessage(streamer.Meta{Stream: "s", Shard: s, Seq: streamer.SeqUint(seq)}, nil, nil, nil, nil)
	}
	b := &bound{idle: map[streamer.StreamShard]bool{}, open: map[streamer.StreamShard]streamer.SeqNo{
		shard(0): streamer.SeqUint(3),
		shard(1): streamer.SeqUint(10), // 9 is not a message's number, as behind a transaction
		shard(2): {},                   // the backend does not say
	}}
	inUse := func() []streamer.StreamShard { return []streamer.StreamShard{shard(0), shard(1), shard(2), shard(3)} }
	kept := b.cut([]*streamer.Message{message(0, 1), message(0, 2), message(0, 3), message(1, 8), message(2, 99), message(3, 1)})
	if len(kept) != 4 || kept[3].Shard != 2 || b.reached(inUse) {
		t.Errorf("kept %d, reached %v", len(kept), b.reached(inUse))
	}
	if kept = b.cut([]*streamer.Message{message(0, 4), message(1, 10), message(1, 11)}); len(kept) != 0 || len(b.open) != 1 {
		t.Errorf("kept %d, open %v", len(kept), b.open)
	}
	none := []streamer.ShardLag{{StreamShard: shard(2), Messages: 0}}
	b.close(none)
	b.cut([]*streamer.Message{message(2, 100)})
	b.close(none)
	if b.reached(inUse) {
		t.Error("reached although a message came since the backend said that there is none")
	}
	b.close(none)
	if !b.reached(inUse) {
		t.Errorf("not reached: %v", b.open)
	}
}
