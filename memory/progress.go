package memory

import (
	"fmt"

	"github.com/gostreamer/streamer"
)

// progress is how far one group has come with one stream.
type progress struct {
	acks   Acks
	places []place // by shard
}

// place is how far a group has come with one shard. Idle ones are many and must
// be small.
type place struct {
	next     uint64  // cursors: everything before is done
	window   *window // single messages; nil with cursors
	owner    *source // who reads the shard; nil where the members share it
	plan     *source // load-balanced with cursors: who should
	set      bool    // a position is committed
	withheld bool    // nothing may read it: a fault
}

func newProgress(acks Acks, shards int) *progress {
	return &progress{acks: acks, places: make([]place, shards)}
}

func (p *progress) grow(shards int) {
	p.places = append(p.places, make([]place, shards-len(p.places))...)
}

// begun says whether the group has committed a position in any shard: then
// those without one are new.
func (p *progress) begun() bool {
	for i := range p.places {
		if p.places[i].set {
			return true
		}
	}
	return false
}

// commit makes next the position, as of now.
func (p *progress) commit(id streamer.ShardID, next uint64) {
	pl := &p.places[id]
	pl.next, pl.set = next, true
	if p.acks == ByMessage {
		pl.window = &window{low: next, next: next}
	}
}

// committed is the first message that is not done.
func (pl *place) committed() uint64 {
	if pl.window == nil {
		return pl.next
	}
	if w := pl.window; len(w.holders()) > 0 {
		return w.low
	}
	return pl.window.next
}

// trim moves a position that was trimmed away to the oldest entry left.
func (pl *place) trim(first uint64) {
	if pl.window != nil {
		pl.window.trim(first)
		return
	}
	pl.next = max(pl.next, first)
}

// lag counts what is not done, of what exists.
func (pl *place) lag(sh *shard) int64 {
	if w := pl.window; w != nil {
		return int64(w.pending(sh.first)) + int64(sh.next-max(w.next, sh.first))
	}
	return int64(sh.next - max(pl.next, sh.first))
}

// progressOf finds how far a group has come with st, or starts it. The style
// must be the group's: ErrInvalid.
func (st *stream) progressOf(group string, acks Acks) (*progress, error) {
	p := st.groups[group]
	if p == nil {
		p = newProgress(acks, len(st.shards))
		return p, nil
	}
	if p.acks != acks {
		return nil, &streamer.Error{Stream: st.name, Kind: streamer.ErrInvalid,
			Err: fmt.Errorf("group %q commits by %v: open it with acks=%v", group, p.acks, p.acks)}
	}
	return p, nil
}
