package group

import (
	"slices"
	"testing"

	"github.com/gostreamer/streamer"
)

func shardsOf(n int) (all []streamer.StreamShard) {
	for i := range n {
		all = append(all, streamer.StreamShard{Stream: "a", Shard: streamer.ShardID(i)})
	}
	return all
}

// TestAPlanIsWhatWasPublished: a change is planned when it is published, once,
// and with all that were published before.
func TestAPlanIsWhatWasPublished(t *testing.T) {
	k, all := NewKeeper(), shardsOf(3)
	k.Gain(all[:1], 500)
	if p, ok := k.Next(); ok {
		t.Errorf("%+v is planned before it is published", p)
	}
	if staged, news := k.Publish(nil); !staged || !news {
		t.Error("a gained shard is no news")
	}
	k.Gain(all[1:2], 300)
	k.Publish(nil)
	k.Drop(all[2])
	if changing := k.Changing(); len(changing) != 3 {
		t.Errorf("changing: %v", changing)
	}
	want := []Change{{all[0], true}, {all[1], true}}
	if p, ok := k.Next(); !ok || p.From != 300 || !slices.Equal(p.Changes, want) {
		t.Errorf("plan %+v, %v", p, ok)
	}
	if p, ok := k.Next(); ok {
		t.Errorf("%+v is planned twice", p)
	}
	k.Publish(nil)
	if p, _ := k.Next(); p.From != Nowhere || !slices.Equal(p.Changes, []Change{{all[2], false}}) {
		t.Errorf("plan %+v of a shard that was given up", p)
	}
}

// TestAShardGivenUpBeforeItIsReadNeverIs, be it published or not.
func TestAShardGivenUpBeforeItIsReadNeverIs(t *testing.T) {
	for _, published := range []bool{false, true} {
		k, all := NewKeeper(), shardsOf(2)
		k.Gain(all, 100)
		if published {
			k.Publish(nil)
		}
		k.Drop(all[0])
		k.Lose(all[0])
		k.Publish(nil)
		if p, _ := k.Next(); !slices.Equal(p.Changes, []Change{{all[1], true}}) {
			t.Errorf("published %v: plan %+v", published, p)
		}
		if lost := k.TakeLost(); !slices.Equal(lost, all[:1]) || k.TakeLost() != nil {
			t.Errorf("lost %v", lost)
		}
		if owned := k.Owned(); !slices.Equal(owned, all[1:]) || k.Owns(all[0]) {
			t.Errorf("owned %v", owned)
		}
	}
}

// TestAMemberTakesItsShare of the shards that it does not own, and gives up
// those beyond it; shards that it is giving up already count for nothing.
func TestAMemberTakesItsShare(t *testing.T) {
	k, all := NewKeeper(), shardsOf(6)
	b := k.Balance(all, nil, false, 1, 2)
	if b.Share != 3 || b.Want != 3 || len(b.Excess) > 0 || !slices.Equal(b.Wanted, slices.Concat(all[3:], all[:3])) {
		t.Errorf("of nothing: %+v", b)
	}
	k.Gain(all[1:6], 0)
	b = k.Balance(all, nil, false, 1, 2)
	if b.Want != 0 || !slices.Equal(b.Excess, all[1:3]) || !slices.Equal(b.Wanted, all[:1]) {
		t.Errorf("of five: %+v", b)
	}
	k.Leave(b.Excess)
	if b = k.Balance(all, nil, false, 1, 2); len(b.Excess) > 0 {
		t.Errorf("%v are given up twice", b.Excess)
	}
	k = NewKeeper()
	k.Gain(all[1:2], 0)
	if b = k.Balance(nil, all[:2], true, 0, 1); b.Share != 2 || !slices.Equal(b.Wanted, all[:1]) || b.Want != 1 {
		t.Errorf("of a new group: %+v", b)
	}
	if b = k.Balance(nil, all[:2], false, 0, 1); b.Share != 0 || len(b.Wanted) > 0 || len(b.Bare) != 2 {
		t.Errorf("of new shards: %+v", b)
	}
}

// TestTheEndIsTheEndOnlyForAMemberWithItsShare, without a plan that waits or a
// shard without an owner.
func TestTheEndIsTheEndOnlyForAMemberWithItsShare(t *testing.T) {
	k, all := NewKeeper(), shardsOf(2)
	if !k.Complete() || k.Exist() {
		t.Error("a group without shards is not complete")
	}
	k.Publish(k.Balance(all, nil, false, 0, 1))
	if k.Complete() || !k.Exist() {
		t.Error("complete without a share")
	}
	k.Gain(all, 0)
	k.Publish(k.Balance(all, nil, false, 0, 1))
	if k.Complete() {
		t.Error("complete before it is read")
	}
	k.Next()
	if !k.Complete() {
		t.Error("not complete with all shards")
	}
	fresh := streamer.StreamShard{Stream: "a", Shard: 9}
	k.Find(fresh, 700)
	if k.Complete() || k.Placed() || k.Before(900) != 700 || k.Before(600) != 600 {
		t.Error("a shard that was found does not count")
	}
	if found := k.Newcomers(map[streamer.StreamShard]bool{all[0]: true}); !slices.Equal(found, []streamer.StreamShard{fresh}) {
		t.Errorf("newcomers %v", found)
	}
	if found := k.Newcomers(map[streamer.StreamShard]bool{fresh: true}); len(found) > 0 || !k.Placed() || k.Complete() {
		t.Errorf("newcomers %v after it has a position: whose it is, the next round says", found)
	}
}
