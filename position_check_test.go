package streamer

import (
	"errors"
	"testing"
)

func TestPositionsThatCannotBeUsedAreInvalid(t *testing.T) {
	zero, one := StreamShard{"orders", 0}, StreamShard{"orders", 1}
	for _, tt := range []struct {
		p  Position
		ok bool
	}{
		{Committed(), true},
		{At(SeqUint(0)), true},
		{Each(map[StreamShard]Position{zero: Committed(), one: After(SeqUint(0))}), true},
		{At(SeqNo{}), false},
		{After(SeqNo{}), false},
		{Each(map[StreamShard]Position{zero: End(), one: At(SeqNo{})}), false},
		{Each(map[StreamShard]Position{zero: Each(map[StreamShard]Position{one: End()})}), false},
		{Each(nil), false},
	} {
		if err := checkPosition(tt.p); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: got %v", tt.p, err)
		}
	}
}
