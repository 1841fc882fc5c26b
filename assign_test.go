package streamer

import (
	"errors"
	"maps"
	"slices"
	"testing"
)

func TestPositionsThatCannotBeMovedToAreInvalid(t *testing.T) {
	at := StreamShard{"s", 0}
	tests := []struct {
		name string
		to   Position
		set  []ShardID
		want error
	}{
		{"at zero", At(SeqNo{}), nil, ErrInvalid},
		{"after zero", After(SeqNo{}), nil, ErrInvalid},
		{"empty each", Each(nil), nil, ErrInvalid},
		{"zero in each", Each(map[StreamShard]Position{at: At(SeqNo{})}), nil, ErrInvalid},
		{"nested each", Each(map[StreamShard]Position{at: Each(map[StreamShard]Position{at: End()})}), nil, ErrInvalid},
		{"at with two shards", At(SeqUint(1)), nil, ErrInvalid},
		{"after with two shards assigned", After(SeqUint(1)), []ShardID{0, 1}, ErrInvalid},
		{"at with one shard assigned", At(SeqUint(2)), []ShardID{0}, nil},
		{"at in each", Each(map[StreamShard]Position{at: At(SeqUint(2))}), nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, abilities{cursor: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
				r.shards = 2
				r.add(0, 3)
				c := r.consumer(ConsumerOptions{Mode: Resumable})
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
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 4
		c := r.consumer(ConsumerOptions{Shards: []ShardID{0, 1}})
		steps := []struct {
			name string
			do   func() error
			want []ShardID // read after the move
		}{
			{"the set starts as Shards", func() error { return nil }, []ShardID{0, 1}},
			{"assign adds", func() error { return c.Assign("s", 3, 3) }, []ShardID{0, 1, 3}},
			{"unassign takes", func() error { return c.Unassign("s", 0, 1) }, []ShardID{3}},
			{"an empty set is all", func() error { return c.Unassign("s", 3) }, []ShardID{0, 1, 2, 3}},
		}
		for _, step := range steps {
			before := c.Assignment()
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if got := c.Assignment(); !slices.Equal(got, before) {
				t.Fatalf("%s: read %v before the move, want %v", step.name, got, before)
			}
			if err := c.Rewind(t.Context(), Beginning()); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if got := c.Assignment(); !slices.Equal(got, shardList(step.want...)) {
				t.Fatalf("%s: read %v, want %v", step.name, got, step.want)
			}
		}
	})
}

func TestEachReadsTheShardsThatItNamesOfTheSet(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 4
		c := r.consumer(ConsumerOptions{Shards: []ShardID{1, 2}})
		each := map[StreamShard]Position{{"s", 0}: End(), {"s", 1}: End(), {"s", 3}: End()}
		if err := c.Rewind(t.Context(), Each(each)); err != nil {
			t.Fatal(err)
		}
		if got := c.Assignment(); !slices.Equal(got, shardList(1)) {
			t.Fatalf("read %v, want shard 1", got)
		}
		if got := r.source(-1).c.Shards; !maps.EqualFunc(got, map[string][]ShardID{"s": {1}}, slices.Equal) {
			t.Fatalf("asked for %v", got)
		}
	})
}

func TestAssignOfWhatTheConsumerDoesNotReadIsNotFound(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.shards = 4
		c := r.consumer(ConsumerOptions{Shards: []ShardID{1, 2}})
		for name, err := range map[string]error{
			"Assign of another stream":     c.Assign("other", 0),
			"Unassign of another stream":   c.Unassign("other", 0),
			"Unassign of what is not in":   c.Unassign("s", 3),
			"Unassign of some that are in": c.Unassign("s", 1, 3),
		} {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%s = %v, want ErrNotFound", name, err)
			}
		}
		if err := c.Rewind(t.Context(), End()); err != nil {
			t.Fatal(err)
		}
		if got := c.Assignment(); !slices.Equal(got, shardList(1, 2)) {
			t.Fatalf("read %v, want what it was", got)
		}
	})
}

func TestASourceThatCannotMoveSaysSoAndIsLeftAlone(t *testing.T) {
	inBubble(t, abilities{fixed: true}, StreamerOptions{}, func(t *testing.T, r *rig) {
		r.add(0, 3)
		c := r.consumer(ConsumerOptions{})
		r.history()
		for name, err := range map[string]error{
			"Seek": c.Seek(t.Context(), fakeTime(1)), "Rewind": c.Rewind(t.Context(), Beginning()),
			"Assign": c.Assign("s", 0), "Unassign": c.Unassign("s", 0),
		} {
			if !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s = %v, want ErrUnsupported", name, err)
			}
		}
		r.called(nil)
		r.expect(c, upTo(0, 1, 3)...)
	})
}
