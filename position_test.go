package streamer

import (
	"strings"
	"testing"
	"time"
)

var (
	ordersZero = StreamShard{"orders", 0}
	ordersOne  = StreamShard{"orders", 1}
)

func TestEqualPositionsAreEqual(t *testing.T) {
	now := time.Now()
	for _, pair := range [][2]Position{
		{{}, Committed()},
		{At(SeqUint(7)), At(SeqDecimal("7", 0))},
		{AtTime(now), AtTime(now.Round(0))},
		{AtTime(now), AtTime(now.In(time.FixedZone("x", 3600)))},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%#v and %#v differ", pair[0], pair[1])
		}
	}
	different := []Position{Committed(), Beginning(), End(), At(SeqUint(7)), After(SeqUint(7)), At(SeqPair(0, 7)), AtTime(time.Time{}), Each(nil)}
	for i, a := range different {
		for j, b := range different {
			if (a == b) != (i == j) {
				t.Errorf("%v == %v is %v", a, b, a == b)
			}
		}
	}
}

func TestPositionGivesBackWhatItWasMadeOf(t *testing.T) {
	noon := time.Date(2026, 1, 2, 13, 0, 0, 5, time.FixedZone("x", 3600))
	for _, tt := range []struct {
		p    Position
		kind PositionKind
		seq  SeqNo
		time time.Time
		text string
	}{
		{Committed(), AtCommitted, SeqNo{}, time.Time{}, "committed"},
		{Beginning(), AtBeginning, SeqNo{}, time.Time{}, "beginning"},
		{End(), AtEnd, SeqNo{}, time.Time{}, "end"},
		{At(SeqUint(42)), AtSeq, SeqUint(42), time.Time{}, "at 42"},
		{After(SeqPair(1, 0)), AfterSeq, SeqPair(1, 0), time.Time{}, "after 1-0"},
		{AtTime(noon), AtOrAfterTime, SeqNo{}, noon.UTC(), "at 2026-01-02T12:00:00.000000005Z"},
		{Each(map[StreamShard]Position{ordersOne: End(), ordersZero: At(SeqUint(42))}), PerShard, SeqNo{}, time.Time{}, "each(orders/0: at 42, orders/1: end)"},
		{Each(nil), PerShard, SeqNo{}, time.Time{}, "each()"},
	} {
		if tt.p.Kind() != tt.kind || tt.p.Seq() != tt.seq || tt.p.Time() != tt.time || tt.p.String() != tt.text {
			t.Errorf("got %d %v %v %q, want %+v", tt.p.Kind(), tt.p.Seq(), tt.p.Time(), tt.p, tt)
		}
	}
}

func TestEachGivesItsShardsAndNoOther(t *testing.T) {
	m := map[StreamShard]Position{ordersZero: At(SeqUint(42))}
	p := Each(m)
	m[ordersZero], m[ordersOne] = End(), End()
	if got, ok := p.Of(ordersZero); !ok || got != At(SeqUint(42)) {
		t.Errorf("got %v, %v: the map was not copied", got, ok)
	}
	if got, ok := p.Of(ordersOne); ok {
		t.Errorf("a shard that is not in the map is read from %v", got)
	}
	if got, ok := End().Of(ordersOne); !ok || got != End() {
		t.Errorf("got %v, %v, want the position itself", got, ok)
	}
}

func TestALongEachStaysReadable(t *testing.T) {
	m := map[StreamShard]Position{}
	for i := range 1000 {
		m[StreamShard{"orders", ShardID(i)}] = At(SeqUint(1))
	}
	if got := Each(m).String(); len(got) > 300 || !strings.HasSuffix(got, ", and 992 more)") {
		t.Errorf("got %s", got)
	}
}
