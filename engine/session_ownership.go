package engine

import (
	"cmp"
	"slices"

	"github.com/gostreamer/streamer"
)

// ownership is the part of a session that knows which shards it reads. It
// belongs to session.mu.
type ownership struct {
	ledgers map[streamer.StreamShard]*ledger // of the shards that are read; nil for one that was quiet so far: thousands may be
	lost    map[streamer.StreamShard]bool    // revoked and not assigned again: their late messages are dropped
	past    map[streamer.StreamShard]*ledger // AckOnDelivery, MessageAcker: of revoked shards, for InFlight
}

func newOwnership() ownership {
	return ownership{
		ledgers: map[streamer.StreamShard]*ledger{},
		lost:    map[streamer.StreamShard]bool{},
		past:    map[streamer.StreamShard]*ledger{},
	}
}

// gain records that a shard is read from now on; false when it already was.
func (o *ownership) gain(at streamer.StreamShard) bool {
	delete(o.lost, at)
	delete(o.past, at)
	if l, ours := o.ledgers[at]; ours && (l == nil || !l.leaving) {
		return false
	}
	o.ledgers[at] = nil
	return true
}

// lose records that a shard is not read any more and returns its ledger, which
// leaves until forget is called; nil when there is none.
func (o *ownership) lose(at streamer.StreamShard) *ledger {
	o.lost[at] = true
	l := o.ledgers[at]
	if l == nil {
		delete(o.ledgers, at)
	}
	return l
}

// forget drops a ledger that has left. With remember, InFlight still finds it.
func (o *ownership) forget(l *ledger, remember bool) {
	if !o.has(l) {
		return
	}
	delete(o.ledgers, l.StreamShard)
	if remember {
		o.past[l.StreamShard] = l
	}
}

// has says whether l is still the ledger of its shard.
func (o *ownership) has(l *ledger) bool { return o.ledgers[l.StreamShard] == l }

// reads says whether a shard is read, and returns its ledger if it has one.
func (o *ownership) reads(at streamer.StreamShard) (l *ledger, ours bool) {
	l, ours = o.ledgers[at]
	return l, ours
}

// known returns the ledger of a shard that is or was read; nil when there is
// none.
func (o *ownership) known(at streamer.StreamShard) *ledger {
	return cmp.Or(o.ledgers[at], o.past[at])
}

// ledger returns the shard's ledger, created with its first message; nil when
// the shard was taken away.
func (o *ownership) ledger(at streamer.StreamShard, s *session) *ledger {
	l, ours := o.ledgers[at]
	switch {
	case l != nil && l.leaving:
		return nil
	case l != nil:
		return l
	case !ours && o.lost[at]:
		return nil
	}
	l = &ledger{StreamShard: at, sess: s}
	o.ledgers[at] = l
	return l
}

// all lists the ledgers.
func (o *ownership) all() []*ledger {
	all := make([]*ledger, 0, len(o.ledgers))
	for _, l := range o.ledgers {
		if l != nil {
			all = append(all, l)
		}
	}
	return all
}

// assignment lists the shards that are read, in order.
func (o *ownership) assignment() []streamer.StreamShard {
	all := make([]streamer.StreamShard, 0, len(o.ledgers))
	for at, l := range o.ledgers {
		if l == nil || !l.leaving {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, streamer.StreamShard.Compare)
	return all
}
