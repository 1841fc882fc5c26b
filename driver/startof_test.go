package driver

import (
	"errors"
	"testing"

	"github.com/gostreamer/streamer"
)

func TestStartOfReadsOnlyTheShardsAskedFor(t *testing.T) {
	both := map[streamer.StreamShard]streamer.Position{{Stream: "orders", Shard: 0}: streamer.Beginning(), {Stream: "orders", Shard: 1}: streamer.Committed()}
	tests := []struct {
		name  string
		c     SourceConfig
		shard streamer.StreamShard
		want  streamer.Position
		ok    bool
	}{
		{"no Start: committed", SourceConfig{}, streamer.StreamShard{Stream: "orders", Shard: 1}, streamer.Committed(), true},
		{"Start", SourceConfig{Start: streamer.End()}, streamer.StreamShard{Stream: "orders", Shard: 1}, streamer.End(), true},
		{"Each", SourceConfig{Start: streamer.Each(both)}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.Beginning(), true},
		{"Each with Committed", SourceConfig{Start: streamer.Each(both)}, streamer.StreamShard{Stream: "orders", Shard: 1}, streamer.Committed(), true},
		{"Each without the shard", SourceConfig{Start: streamer.Each(both)}, streamer.StreamShard{Stream: "orders", Shard: 2}, streamer.Position{}, false},
		{"Shards", SourceConfig{Start: streamer.End(), Shards: map[string][]streamer.ShardID{"orders": {1}}}, streamer.StreamShard{Stream: "orders", Shard: 1}, streamer.End(), true},
		{"Shards without it", SourceConfig{Start: streamer.End(), Shards: map[string][]streamer.ShardID{"orders": {1}}}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.Position{}, false},
		{"Shards of another stream", SourceConfig{Shards: map[string][]streamer.ShardID{"other": {0}}}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.Position{}, false},
		{"no shard at all", SourceConfig{Shards: map[string][]streamer.ShardID{}}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.Position{}, false},
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
	one := streamer.Each(map[streamer.StreamShard]streamer.Position{{Stream: "orders", Shard: 1}: streamer.Committed(), {Stream: "orders", Shard: 0}: streamer.At(streamer.SeqUint(9))})
	tests := []struct {
		name  string
		c     SourceConfig
		shard streamer.StreamShard
		want  streamer.Position
		ok    bool
		err   error
	}{
		{"Latest", SourceConfig{Reset: streamer.Latest}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.End(), true, nil},
		{"Earliest", SourceConfig{Reset: streamer.Earliest}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.Beginning(), true, nil},
		{"ResetError", SourceConfig{Reset: streamer.ResetError}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.Position{}, false, streamer.ErrPositionGone},
		{"Fallback wins", SourceConfig{Reset: streamer.ResetError, Fallback: streamer.At(streamer.SeqUint(7))}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.At(streamer.SeqUint(7)), true, nil},
		{"Fallback of the shard", SourceConfig{Fallback: one}, streamer.StreamShard{Stream: "orders", Shard: 0}, streamer.At(streamer.SeqUint(9)), true, nil},
		{"Fallback leaves it to Reset", SourceConfig{Fallback: one, Reset: streamer.Earliest}, streamer.StreamShard{Stream: "orders", Shard: 1}, streamer.Beginning(), true, nil},
		{"Fallback without the shard", SourceConfig{Fallback: one, Reset: streamer.ResetError}, streamer.StreamShard{Stream: "orders", Shard: 2}, streamer.Position{}, false, nil},
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
	_, _, err := (&SourceConfig{Reset: streamer.ResetError}).FirstOf(streamer.StreamShard{Stream: "orders", Shard: 1})
	want := "orders shard 1: position was trimmed away: the group has no committed position, and reset=error forbids choosing one"
	if got := err.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
