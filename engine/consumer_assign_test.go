package engine

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/gostreamer/streamer"
)

func TestPositionsThatCannotBeMovedToAreInvalid(t *testing.T) {
	at := streamer.StreamShard{Stream: "s", Shard: 0}
	tests := []struct {
		name string
		to   streamer.Position
		set  []streamer.ShardID
		want error
	}{
		{"at zero", streamer.At(streamer.SeqNo{}), nil, streamer.ErrInvalid},
		{"after zero", streamer.After(streamer.SeqNo{}), nil, streamer.ErrInvalid},
		{"empty each", streamer.Each(nil), nil, streamer.ErrInvalid},
		{"zero in each", streamer.Each(map[streamer.StreamShard]streamer.Position{at: streamer.At(streamer.SeqNo{})}), nil, streamer.ErrInvalid},
		{"nested each", streamer.Each(map[streamer.StreamShard]streamer.Position{at: streamer.Each(map[streamer.StreamShard]streamer.Position{at: streamer.End()})}), nil, streamer.ErrInvalid},
		{"at with two shards", streamer.At(streamer.SeqUint(1)), nil, streamer.ErrInvalid},
		{"after with two shards assigned", streamer.After(streamer.SeqUint(1)), []streamer.ShardID{0, 1}, streamer.ErrInvalid},
		{"at with one shard assigned", streamer.At(streamer.SeqUint(2)), []streamer.ShardID{0}, nil},
		{"at in each", streamer.Each(map[streamer.StreamShard]streamer.Position{at: streamer.At(streamer.SeqUint(2))}), nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
				r.shards = 2
				r.add(0, 3)
				c := r.consumer(streamer.ConsumerOptions{Mode: streamer.Resumable})
				if err := c.Assign("s", tt.set...); err != nil {
					t.Fatal(err)
				}
				r.history()
				err := c.Rewind(t.Context(), tt.to)
				if !errors.Is(err, tt.want) {
					t.Fatalf("Rewind = %v, want %v", err, tt.want)
				}
				if err != nil {
					r.called(nil) // untouched
					r.expect(c, "0/1")
					return
				}
				r.expect(c, "0/2")
			})
		})
	}
}

func TestAssignAndUnassignAreTheSetOfTheNextMove(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 4
		c := r.consumer(streamer.ConsumerOptions{Shards: []streamer.ShardID{0, 1}})
		steps := []struct {
			name string
			do   func() error
			want []streamer.ShardID // read after the move
		}{
			{"the set starts as Shards", func() error { return nil }, []streamer.ShardID{0, 1}},
			{"assign adds", func() error { return c.Assign("s", 3, 3) }, []streamer.ShardID{0, 1, 3}},
			{"unassign takes", func() error { return c.Unassign("s", 0, 1) }, []streamer.ShardID{3}},
			{"an empty set is all", func() error { return c.Unassign("s", 3) }, []streamer.ShardID{0, 1, 2, 3}},
		}
		for _, step := range steps {
			before := c.Assignment()
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if got := c.Assignment(); !slices.Equal(got, before) {
				t.Fatalf("%s: read %v before the move, want %v", step.name, got, before)
			}
			if err := c.Rewind(t.Context(), streamer.Beginning()); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if got := c.Assignment(); !slices.Equal(got, shardList(step.want...)) {
				t.Fatalf("%s: read %v, want %v", step.name, got, step.want)
			}
		}
	})
}

func TestEachReadsTheShardsThatItNamesOfTheSet(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 4
		c := r.consumer(streamer.ConsumerOptions{Shards: []streamer.ShardID{1, 2}})
		each := map[streamer.StreamShard]streamer.Position{{Stream: "s", Shard: 0}: streamer.End(), {Stream: "s", Shard: 1}: streamer.End(), {Stream: "s", Shard: 3}: streamer.End()}
		if err := c.Rewind(t.Context(), streamer.Each(each)); err != nil {
			t.Fatal(err)
		}
		if got := c.Assignment(); !slices.Equal(got, shardList(1)) {
			t.Fatalf("read %v, want shard 1", got)
		}
		if got := r.source(-1).c.Shards; !maps.EqualFunc(got, map[string][]streamer.ShardID{"s": {1}}, slices.Equal) {
			t.Fatalf("asked for %v", got)
		}
	})
}

func TestAssignOfWhatTheConsumerDoesNotReadIsNotFound(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 4
		c := r.consumer(streamer.ConsumerOptions{Shards: []streamer.ShardID{1, 2}})
		for name, err := range map[string]error{
			"Assign of another stream":     c.Assign("other", 0),
			"Unassign of another stream":   c.Unassign("other", 0),
			"Unassign of what is not in":   c.Unassign("s", 3),
			"Unassign of some that are in": c.Unassign("s", 1, 3),
		} {
			if !errors.Is(err, streamer.ErrNotFound) {
				t.Errorf("%s = %v, want ErrNotFound", name, err)
			}
		}
		if err := c.Rewind(t.Context(), streamer.End()); err != nil {
			t.Fatal(err)
		}
		if got := c.Assignment(); !slices.Equal(got, shardList(1, 2)) {
			t.Fatalf("read %v, want what it was", got)
		}
	})
}

func TestASourceThatCannotMoveSaysSoAndIsLeftAlone(t *testing.T) {
	inBubble(t, abilities{fixed: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(streamer.ConsumerOptions{})
		r.history()
		for name, err := range map[string]error{
			"Seek": c.Seek(t.Context(), fakeTime(1)), "Rewind": c.Rewind(t.Context(), streamer.Beginning()),
			"Assign": c.Assign("s", 0), "Unassign": c.Unassign("s", 0),
		} {
			if !errors.Is(err, streamer.ErrUnsupported) {
				t.Errorf("%s = %v, want ErrUnsupported", name, err)
			}
		}
		r.called(nil)
		r.expect(c, upTo(0, 1, 3)...)
	})
}
