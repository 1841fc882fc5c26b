package options

import (
	"errors"
	"testing"

	"github.com/gostreamer/streamer"
)

func TestPositionsThatCannotBeUsedAreInvalid(t *testing.T) {
	zero, one := streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.StreamShard{Stream: "orders", Shard: 1}
	for _, tt := range []struct {
		p  streamer.Position
		ok bool
	}{
		{streamer.Committed(), true},
		{streamer.At(streamer.SeqUint(0)), true},
		{streamer.Each(map[streamer.StreamShard]streamer.Position{zero: streamer.Committed(), one: streamer.After(streamer.SeqUint(0))}), true},
		{streamer.At(streamer.SeqNo{}), false},
		{streamer.After(streamer.SeqNo{}), false},
		{streamer.Each(map[streamer.StreamShard]streamer.Position{zero: streamer.End(), one: streamer.At(streamer.SeqNo{})}), false},
		{streamer.Each(map[streamer.StreamShard]streamer.Position{zero: streamer.Each(map[streamer.StreamShard]streamer.Position{one: streamer.End()})}), false},
		{streamer.Each(nil), false},
	} {
		if err := CheckPosition(tt.p); (err == nil) != tt.ok || err != nil && !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%v: got %v", tt.p, err)
		}
	}
}
