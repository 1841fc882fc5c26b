package engine

import (
	"sync/atomic"

	"github.com/gostreamer/streamer"
)

// arena allocates the runs of one slab in a few allocations, so that a slab
// over hundreds of shards costs no more than one over a single shard.
type arena struct {
	runs  []run
	seqs  []streamer.SeqNo // made for the first part whose numbers are not in a row
	left  int              // messages whose numbers it may still need
	acked []atomic.Uint64
	taken []uint64
	when  []uint32
	owner []*queue
	o     *sessionOptions
}

func newArena(slab []streamer.Message, o *sessionOptions) *arena {
	runs, bitmap := 0, 0
	for from := 0; from < len(slab); runs++ {
		to := shardEnd(slab, from)
		bitmap += wordsOf(to - from)
		from = to
	}
	a := &arena{runs: make([]run, runs), o: o}
	if !o.tracks() {
		return a
	}
	a.left = len(slab)
	a.acked = make([]atomic.Uint64, bitmap)
	a.taken = make([]uint64, bitmap)
	if o.ack == streamer.AckDelayed {
		a.when = make([]uint32, len(slab))
	}
	if o.dealt {
		a.owner = make([]*queue, len(slab))
	}
	return a
}

// run returns the next run, for one shard's part of the slab.
func (a *arena) run(l *ledger, part []streamer.Message) *run {
	r := &a.runs[0]
	a.runs = a.runs[1:]
	r.led, r.n, r.live = l, len(part), len(part)
	r.acks.Owner = r
	if !a.o.tracks() {
		return r
	}
	r.seqs = a.number(part)
	r.track(cut(&a.acked, wordsOf(len(part))))
	r.taken = cut(&a.taken, wordsOf(len(part)))
	if a.when != nil {
		r.when = cut(&a.when, len(part))
	}
	if a.owner != nil {
		r.owner, r.msgs = cut(&a.owner, len(part)), part
	}
	return r
}

// number returns the sequence numbers of the part.
func (a *arena) number(part []streamer.Message) seqs {
	s := seqs{first: part[0].Seq}
	if !inARow(part) {
		if a.seqs == nil {
			a.seqs = make([]streamer.SeqNo, a.left)
		}
		s.list = cut(&a.seqs, len(part))
		for i := range part {
			s.list[i] = part[i].Seq
		}
	}
	a.left -= len(part)
	return s
}

// cut takes n elements off the front of s.
func cut[T any](s *[]T, n int) []T {
	head := (*s)[:n:n]
	*s = (*s)[n:]
	return head
}
