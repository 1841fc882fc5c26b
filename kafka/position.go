package kafka

import (
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// noEpoch is the leader epoch of a position of which none is known.
const noEpoch = -1

// position is an offset of a log, and an epoch of its leaders under which the
// log reached as far. Each new leader counts one more, so the epoch tells
// whether the log was cut below the offset since, though it may have grown
// beyond it again.
type position struct {
	offset int64
	epoch  int32
}

// consume makes the client start there, which looks for a part that the log has
// lost when the epoch is known.
func (p position) consume() kgo.Offset { return kgo.NewOffset().At(p.offset).WithEpoch(p.epoch) }

// shard is how far one shard is read. Its fields belong to source.mu.
type shard struct {
	next   int64    // the offset of the next record; unresolved
	want   int64    // while next is unresolved: the offset that was asked for
	began  position // where this assignment started
	saved  position // what of it is committed, at first where it started
	epochs epochs
	stuck  time.Time // since when every broker that is asked is behind next; zero: none is
}

// unresolved is the next offset of a shard that is read from a position which
// the client is yet to resolve.
const unresolved = -1

// newShard is a shard that is read from a position on.
func newShard(at position) *shard {
	return &shard{next: at.offset, began: at, saved: at, epochs: epochs{{at.offset - 1, at.epoch}}}
}

// resolve notes where an unresolved shard starts.
func (sh *shard) resolve(at position) { *sh = *newShard(at) }

// read notes what was fetched.
func (sh *shard) read(records []*kgo.Record) {
	if sh.next == unresolved {
		sh.resolve(position{records[0].Offset, noEpoch})
	}
	for _, r := range records {
		sh.epochs.note(r.Offset, r.LeaderEpoch)
	}
	sh.next, sh.stuck = records[len(records)-1].Offset+1, time.Time{}
}

// position is where the shard continues.
func (sh *shard) position() position { return position{sh.next, sh.epochs.before(sh.next)} }

// behind is the position to commit for a message, or a mark, that is done:
// where the next message is. For none it is where the shard began.
func (sh *shard) behind(seq streamer.SeqNo) position {
	if seq.IsZero() {
		return sh.began
	}
	offset := int64(seq.Uint()) + 1 //nolint:gosec // it was an offset
	return position{offset, sh.epochs.before(offset)}
}

// epochs are the leader epochs of the records that were read, oldest first. The
// offset of each is the first record's that has it.
type epochs []position

// note adds a record's.
func (e *epochs) note(offset int64, epoch int32) {
	if n := len(*e); n == 0 || (*e)[n-1].epoch != epoch {
		*e = append(*e, position{offset, epoch})
	}
}

// before is the epoch of the record before an offset.
func (e epochs) before(offset int64) int32 {
	for _, p := range slices.Backward(e) {
		if p.offset < offset {
			return p.epoch
		}
	}
	return noEpoch
}

// forget drops what is older than the record before an offset.
func (e *epochs) forget(offset int64) {
	for len(*e) > 1 && (*e)[1].offset < offset {
		*e = (*e)[1:]
	}
}
