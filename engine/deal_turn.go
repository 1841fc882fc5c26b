package engine

import (
	"hash/maphash"
	"slices"

	"github.com/gostreamer/streamer"
)

// dealing is the part of a session that decides which member of an in-process
// group gets a message. It belongs to session.mu.
type dealing struct {
	pool ring         // messages for which no member has room yet, in the order of emission
	turn int          // whose turn it is
	seed maphash.Seed // which member keeps a key means nothing outside the session
}

func newDealing() dealing { return dealing{seed: maphash.MakeSeed()} }

// memberFor returns the member that gets m, or nil when none has room. A full
// member delays messages of its keys and is skipped for messages without one.
func (d *dealing) memberFor(m *streamer.Message, members []*queue) *queue {
	if m.Key != nil {
		return d.keeperOf(m.Key, members)
	}
	if q := d.inTurn(members, func(q *queue) bool { return q.waiters > q.ring.n }); q != nil {
		return q
	}
	return d.inTurn(members, func(*queue) bool { return true })
}

// inTurn returns the next member with room for which ok is true.
func (d *dealing) inTurn(members []*queue, ok func(*queue) bool) *queue {
	for i := range members {
		at := (d.turn + i) % len(members)
		if q := members[at]; !q.slow && q.hasRoom() && ok(q) {
			d.turn = at + 1
			return q
		}
	}
	return nil
}

// keeperOf returns the member that gets a key's messages, or nil while it is
// full. By rendezvous hashing only the keys of a member that leaves move.
func (d *dealing) keeperOf(key []byte, members []*queue) *queue {
	h := maphash.Bytes(d.seed, key)
	var keeper *queue
	var best uint64
	for _, q := range members {
		if w := mix(h ^ q.id); keeper == nil || w > best {
			keeper, best = q, w
		}
	}
	if keeper == nil || !keeper.hasRoom() {
		return nil
	}
	return keeper
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// repool puts messages back into the pool.
func (d *dealing) repool(back []*streamer.Message) {
	for d.pool.n > 0 {
		back = append(back, d.pool.popFront())
	}
	slices.SortFunc(back, byEmission)
	for _, m := range back {
		d.pool.pushBack(m)
	}
}
