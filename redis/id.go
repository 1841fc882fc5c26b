package redis

import (
	"math"
	"strconv"
	"time"

	"github.com/gostreamer/streamer"
)

// id is an entry's id: milliseconds and a count within them.
type id struct{ ms, seq uint64 }

var (
	lowest  = id{}
	highest = id{math.MaxUint64, math.MaxUint64}
)

// maxIDLen is the length of the longest id.
const maxIDLen = len("18446744073709551615-18446744073709551615")

func (i id) less(j id) bool { return i.ms < j.ms || i.ms == j.ms && i.seq < j.seq }

func earlier(i, j id) id {
	if j.less(i) {
		return j
	}
	return i
}

func later(i, j id) id {
	if i.less(j) {
		return j
	}
	return i
}

// next is the id after i; the highest stays.
func (i id) next() id {
	switch {
	case i == highest:
		return i
	case i.seq == math.MaxUint64:
		return id{i.ms + 1, 0}
	}
	return id{i.ms, i.seq + 1}
}

// prev is the id before i; the lowest stays.
func (i id) prev() id {
	switch {
	case i == lowest:
		return i
	case i.seq == 0:
		return id{i.ms - 1, math.MaxUint64}
	}
	return id{i.ms, i.seq - 1}
}

func (i id) append(b []byte) []byte {
	b = append(strconv.AppendUint(b, i.ms, 10), '-')
	return strconv.AppendUint(b, i.seq, 10)
}

func (i id) String() string { return string(i.append(nil)) }

func (i id) seqNo() streamer.SeqNo { return streamer.SeqPair(i.ms, i.seq) }

// time is when the server, or the sender, says that the entry was made. An id
// may be a number of another kind; one that no time.Time holds is no time.
func (i id) time() time.Time {
	if i.ms > math.MaxInt64 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i.ms)).UTC()
}

func idOf(s streamer.SeqNo) id {
	ms, seq := s.Pair()
	return id{ms, seq}
}

// parseID reads "ms-seq"; nothing else is an id.
func parseID(b []byte) (id, bool) {
	ms, rest, ok := parseUint(b)
	if !ok || len(rest) == 0 || rest[0] != '-' {
		return id{}, false
	}
	seq, rest, ok := parseUint(rest[1:])
	return id{ms, seq}, ok && len(rest) == 0
}

// parseUint reads the digits at the beginning of b.
func parseUint(b []byte) (n uint64, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		d := uint64(b[i] - '0')
		if i >= safeDigits && n > (math.MaxUint64-d)/10 {
			return 0, b, false
		}
		n = n*10 + d
	}
	return n, b[i:], i > 0
}

// safeDigits are as many as every uint64 has room for.
const safeDigits = 19
