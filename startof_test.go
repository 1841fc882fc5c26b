package streamer

import (
	"errors"
	"testing"
)

func TestStartOfReadsOnlyTheShardsAskedFor(t *testing.T) {
	both := map[StreamShard]Position{StreamShard{"orders", 0}: Beginning(), StreamShard{"orders", 1}: Committed()}
	tests := []struct {
		name  string
		c     SourceConfig
		shard StreamShard
		want  Position
		ok    bool
	}{
		{"no Start: committed", SourceConfig{}, StreamShard{"orders", 1}, Committed(), true},
		{"Start", SourceConfig{Start: End()}, StreamShard{"orders", 1}, End(), true},
		{"Each", SourceConfig{Start: Each(both)}, StreamShard{"orders", 0}, Beginning(), true},
		{"Each with Committed", SourceConfig{Start: Each(both)}, StreamShard{"orders", 1}, Committed(), true},
		{"Each without the shard", SourceConfig{Start: Each(both)}, StreamShard{"orders", 2}, Position{}, false},
		{"Shards", SourceConfig{Start: End(), Shards: map[string][]ShardID{"orders": {1}}}, StreamShard{"orders", 1}, End(), true},
		{"Shards without it", SourceConfig{Start: End(), Shards: map[string][]ShardID{"orders": {1}}}, StreamShard{"orders", 0}, Position{}, false},
		{"Shards of another stream", SourceConfig{Shards: map[string][]ShardID{"other": {0}}}, StreamShard{"orders", 0}, Position{}, false},
		{"no shard at all", SourceConfig{Shards: map[string][]ShardID{}}, StreamShard{"orders", 0}, Position{}, false},
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
	one := Each(map[StreamShard]Position{StreamShard{"orders", 1}: Committed(), StreamShard{"orders", 0}: At(SeqUint(9))})
	tests := []struct {
		name  string
		c     SourceConfig
		shard StreamShard
		want  Position
		ok    bool
		err   error
	}{
		{"Latest", SourceConfig{Reset: Latest}, StreamShard{"orders", 0}, End(), true, nil},
		{"Earliest", SourceConfig{Reset: Earliest}, StreamShard{"orders", 0}, Beginning(), true, nil},
		{"ResetError", SourceConfig{Reset: ResetError}, StreamShard{"orders", 0}, Position{}, false, ErrPositionGone},
		{"Fallback wins", SourceConfig{Reset: ResetError, Fallback: At(SeqUint(7))}, StreamShard{"orders", 0}, At(SeqUint(7)), true, nil},
		{"Fallback of the shard", SourceConfig{Fallback: one}, StreamShard{"orders", 0}, At(SeqUint(9)), true, nil},
		{"Fallback leaves it to Reset", SourceConfig{Fallback: one, Reset: Earliest}, StreamShard{"orders", 1}, Beginning(), true, nil},
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
	_, _, err := (&SourceConfig{Reset: ResetError}).FirstOf(StreamShard{"orders", 1})
	want := "orders shard 1: position was trimmed away: the group has no committed position, and reset=error forbids choosing one"
	if got := err.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
