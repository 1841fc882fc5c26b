package memory

import (
	"fmt"
	"sort"
	"time"

	"github.com/gostreamer/streamer"
)

// chunkLen is how many entries lie together: enough that allocations do not
// count, few enough that a trim soon frees memory.
const chunkLen = 256

// entry is one stored record. It never changes, so that readers need no lock
// for those they know of.
type entry struct {
	key, value []byte
	headers    []streamer.Header
	at         time.Time
}

// shard is an ordered part of a stream. Its sequence numbers count from 0
// without a gap.
type shard struct {
	stream      *stream
	id          streamer.ShardID
	base        uint64 // sequence number of chunks[0][0]
	first, next uint64 // the oldest entry left; what the next one gets
	chunks      [][]entry
	odd         []oddity // entries that are no messages, in order
	readers     *cursor  // list of the cursors that read here
}

// oddity is an entry that is no message: undecodable for the reason err, or,
// without err, lost.
type oddity struct {
	seq uint64
	err error
}

func (sh *shard) at() streamer.StreamShard {
	return streamer.StreamShard{Stream: sh.stream.name, Shard: sh.id}
}

// append stores e and offers it to the readers.
func (sh *shard) append(e *entry) (seq uint64) {
	n := len(sh.chunks)
	switch {
	case n == 0:
		// The first one grows as needed: many shards hold few entries.
		sh.chunks, n = append(sh.chunks, nil), 1
		sh.base = sh.next
	case len(sh.chunks[n-1]) == chunkLen:
		sh.chunks = append(sh.chunks, make([]entry, 0, chunkLen))
		n++
	}
	sh.chunks[n-1] = append(sh.chunks[n-1], *e)
	seq = sh.next
	sh.next++
	sh.offer()
	return seq
}

// offer lets the readers know of what they can read.
func (sh *shard) offer() {
	for c := sh.readers; c != nil; c = c.nextReader {
		c.offer()
	}
}

// appendOdd stores an entry that is no message.
func (sh *shard) appendOdd(err error) (seq uint64) {
	sh.odd = append(sh.odd, oddity{sh.next, err})
	return sh.append(new(entry))
}

// run is the messages that lie together from seq on, at most limit: none at the
// end, at an oddity, and where they were trimmed away.
func (sh *shard) run(seq uint64, limit int) []entry {
	if seq < sh.first || seq >= sh.next {
		return nil
	}
	i := seq - sh.base
	run := sh.chunks[i/chunkLen][i%chunkLen:]
	end := seq + uint64(min(len(run), limit))
	if k := sh.oddFrom(seq); k < len(sh.odd) {
		end = min(end, sh.odd[k].seq)
	}
	return run[:end-seq]
}

// oddAt is the oddity at seq.
func (sh *shard) oddAt(seq uint64) (oddity, bool) {
	k := sh.oddFrom(seq)
	if k == len(sh.odd) || sh.odd[k].seq != seq {
		return oddity{}, false
	}
	return sh.odd[k], true
}

func (sh *shard) oddFrom(seq uint64) int {
	return sort.Search(len(sh.odd), func(k int) bool { return sh.odd[k].seq >= seq })
}

// trim drops the entries before seq.
func (sh *shard) trim(seq uint64) {
	if seq <= sh.first {
		return
	}
	sh.first = min(seq, sh.next)
	sh.odd = sh.odd[sh.oddFrom(sh.first):]
	whole := min(int((sh.first-sh.base)/chunkLen), len(sh.chunks))
	if sh.first == sh.next {
		whole = len(sh.chunks)
	}
	clear(sh.chunks[:whole])
	sh.chunks = sh.chunks[whole:]
	sh.base += uint64(whole) * chunkLen
}

// resolve is the sequence number where p starts, between first and next. p is
// not Committed and not an Each.
func (sh *shard) resolve(p streamer.Position) (uint64, error) {
	switch p.Kind() {
	case streamer.AtBeginning:
		return sh.first, nil
	case streamer.AtEnd:
		return sh.next, nil
	case streamer.AtSeq, streamer.AfterSeq:
		if p.Seq().IsZero() {
			return 0, fmt.Errorf("%w position: the sequence number is zero, which is no position", streamer.ErrInvalid)
		}
		least := 0 // At is inclusive
		if p.Kind() == streamer.AfterSeq {
			least = 1
		}
		return sh.search(func(seq uint64) bool { return streamer.SeqUint(seq).Compare(p.Seq()) >= least }), nil
	case streamer.AtOrAfterTime:
		return sh.firstSince(p.Time()), nil
	}
	return 0, fmt.Errorf("position %v: %w", p, streamer.ErrUnsupported)
}

// search is the first sequence number for which f holds, next if there is none;
// f holds for all after one for which it does.
func (sh *shard) search(f func(seq uint64) bool) uint64 {
	n := sort.Search(int(sh.next-sh.first), func(i int) bool { return f(sh.first + uint64(i)) })
	return sh.first + uint64(n)
}

// firstSince is the first entry with a time of t or later. Senders choose the
// times, so they may be in any order.
func (sh *shard) firstSince(t time.Time) uint64 {
	for seq := sh.first; seq < sh.next; seq++ {
		i := seq - sh.base
		if !sh.chunks[i/chunkLen][i%chunkLen].at.Before(t) {
			return seq
		}
	}
	return sh.next
}
