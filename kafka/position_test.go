package kafka

import "testing"

func TestWhereAPositionStands(t *testing.T) {
	e := bounds{first: 50, end: 150, high: 150, epoch: 6}
	for _, c := range []struct {
		what    string
		at, end position
		known   bool
		want    int64
	}{
		{"in the log", position{100, 6}, position{}, false, 100},
		{"at its end", position{150, noEpoch}, position{}, false, 150},
		{"trimmed away", position{20, 4}, position{60, 4}, true, 50},
		{"of an earlier leader, whose part is there", position{100, 4}, position{120, 4}, true, 100},
		{"of an earlier leader, in a part that is lost", position{140, 4}, position{120, 4}, true, 120},
		{"beyond the end, in a part that is lost", position{200, 4}, position{120, 4}, true, 120},
		{"lost from before the oldest record", position{200, 4}, position{30, 2}, true, 50},
		{"beyond the end, of no known leader", position{200, noEpoch}, position{}, false, 50},
		{"beyond the end, of a leader that has left no trace", position{200, 5}, position{}, false, 50},
		{"of a leader that the broker has not heard of", position{200, 7}, position{}, false, 200},
	} {
		if got := e.stands(c.at, c.end, c.known); got.offset != c.want {
			t.Errorf("%s: at %d, want %d", c.what, got.offset, c.want)
		}
	}
}

func TestACommitHasTheEpochOfTheRecordBefore(t *testing.T) {
	sh := newShard(position{10, 3})
	for _, r := range []position{{10, 3}, {11, 3}, {12, 5}, {20, 8}} {
		sh.epochs.note(r.offset, r.epoch)
	}
	for offset, want := range map[int64]int32{10: 3, 12: 3, 13: 5, 20: 5, 21: 8} {
		if got := sh.epochs.before(offset); got != want {
			t.Errorf("before %d: epoch %d, want %d", offset, got, want)
		}
	}
	sh.epochs.forget(13)
	if got := sh.epochs.before(13); got != 5 {
		t.Errorf("after what is older is forgotten: epoch %d, want 5", got)
	}
	if got := sh.epochs.before(12); got != noEpoch {
		t.Errorf("of what is forgotten: epoch %d, want none", got)
	}
}
