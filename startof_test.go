package streamer

import (
	"errors"
	"testing"
)

func TestStartOfReadsOnlyTheShardsAskedFor(t *testing.T) {
	both := map[StreamShard]Position{ordersZero: Beginning(), ordersOne: Committed()}
	tests := []struct {
		name  string
		c     SourceConfig
		shard StreamShard
		want  Position
		ok    bool
	}{
		{"no Start: committed", SourceConfig{}, ordersOne, Committed(), true},
		{"Start", SourceConfig{Start: End()}, ordersOne, End(), true},
		{"Each", SourceConfig{Start: Each(both)}, ordersZero, Beginning(), true},
		{"Each with Committed", SourceConfig{Start: Each(both)}, ordersOne, Committed(), true},
		{"Each without the shard", SourceConfig{Start: Each(both)}, StreamShard{"orders", 2}, Position{}, false},
		{"Shards", SourceConfig{Start: End(), Shards: map[string][]ShardID{"orders": {1}}}, ordersOne, End(), true},
		{"Shards without it", SourceConfig{Start: End(), Shards: map[string][]ShardID{"orders": {1}}}, ordersZero, Position{}, false},
		{"Shards of another stream", SourceConfig{Shards: map[string][]ShardID{"other": {0}}}, ordersZero, Position{}, false},
		{"no shard at all", SourceConfig{Shards: map[string][]ShardID{}}, ordersZero, Position{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.c.StartOf(tt.shard); got != tt.want || ok != tt.ok {
				t.Errorf("got %v, %v, want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestFirstOfIsFallbackThenReset(t *testing.T) {
	one := Each(map[StreamShard]Position{ordersOne: Committed(), ordersZero: At(SeqUint(9))})
	tests := []struct {
		name  string
		c     SourceConfig
		shard StreamShard
		want  Position
		ok    bool
		err   error
	}{
		{"Latest", SourceConfig{Reset: Latest}, ordersZero, End(), true, nil},
		{"Earliest", SourceConfig{Reset: Earliest}, ordersZero, Beginning(), true, nil},
		{"ResetError", SourceConfig{Reset: ResetError}, ordersZero, Position{}, false, ErrPositionGone},
		{"Fallback wins", SourceConfig{Reset: ResetError, Fallback: At(SeqUint(7))}, ordersZero, At(SeqUint(7)), true, nil},
		{"Fallback of the shard", SourceConfig{Fallback: one}, ordersZero, At(SeqUint(9)), true, nil},
		{"Fallback leaves it to Reset", SourceConfig{Fallback: one, Reset: Earliest}, ordersOne, Beginning(), true, nil},
		{"Fallback without the shard", SourceConfig{Fallback: one, Reset: ResetError}, StreamShard{"orders", 2}, Position{}, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := tt.c.FirstOf(tt.shard)
			if got != tt.want || ok != tt.ok || !errors.Is(err, tt.err) {
				t.Errorf("got %v, %v, %v, want %v, %v, %v", got, ok, err, tt.want, tt.ok, tt.err)
			}
		})
	}
}

func TestFirstOfSaysWhichShardHasNoPosition(t *testing.T) {
	_, _, err := (&SourceConfig{Reset: ResetError}).FirstOf(ordersOne)
	want := "open memory orders shard 1: position was trimmed away: the group has no committed position, and reset=error forbids choosing one"
	if got := wrap("open", "memory", "", err).Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
