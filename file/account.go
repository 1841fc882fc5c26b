package file

import (
	"cmp"

	"github.com/gostreamer/streamer/file/internal/ss"
)

// listed is a shard in the list of which beacons name a part each: by stream,
// then by shard.
type listed struct {
	stream string
	shard  uint64
}

func (p listed) compare(q listed) int {
	return cmp.Or(cmp.Compare(p.stream, q.stream), cmp.Compare(p.shard, q.shard))
}

// span is shards that are neighbours in that list, of which is asked whether
// they have a message of a certain time or later.
type span struct {
	every    bool // all of every stream
	stream   string
	from, to uint64 // its shards
	ms       uint64
}

func (s *span) has(p listed) bool {
	if s.every {
		return p.stream != ss.Internal
	}
	return p.stream == s.stream && s.from <= p.shard && p.shard <= s.to
}

func (s *span) first() listed { return listed{s.stream, s.from} }

// account is what some beacons, of one after the other, tell of a span: whether
// it has a message of a certain time or later, and whether they have said that
// of all its shards. A beacon without room for the whole list names neighbours
// in it. So those that it does not name where they would stand do not exist.
type account struct {
	of       span
	behind   map[listed]listed // the neighbour of each in the list; the first is behind the last
	first    bool              // the span's first shard was named: nothing of the span is before that
	late     bool
	complete bool
}

func newAccount(of span) *account { return &account{of: of, behind: map[listed]listed{}} }

// take adds a beacon that has room for most items.
func (a *account) take(items []ss.Item, most int) {
	var last listed
	for i := range items {
		p := listed{items[i].Key, items[i].Shard}
		if a.of.has(p) {
			a.late = a.late || items[i].Time >= a.of.ms
			a.first = a.first || p.shard == a.of.from
		}
		if i > 0 {
			a.behind[last] = p
		}
		last = p
	}
	a.complete = a.complete || len(items) < most || a.covered()
}

// covered says whether every shard of the span was named: going from neighbour
// to neighbour one comes from before it to behind it, or around.
func (a *account) covered() bool {
	begin, ok := a.begin()
	at := begin
	for left := len(a.behind); ok && left >= 0; left-- {
		if !a.of.every && a.of.has(at) && at.shard == a.of.to {
			return true
		}
		next, known := a.behind[at]
		if known && (next == begin || a.passed(at, next)) {
			return true
		}
		at, ok = next, known
	}
	return false
}

// passed says whether the span would lie between two neighbours, or between the
// first of them and the list's end, and has nothing more there.
func (a *account) passed(at, next listed) bool {
	if a.of.every || a.of.has(next) {
		return false
	}
	reached := a.of.has(at) || at.compare(a.of.first()) < 0
	behind := next.compare(a.of.first()) > 0
	if around := next.compare(at) <= 0; around {
		return reached || behind
	}
	return reached && behind
}

// begin is the span's first shard, or else the last before it, in the circle,
// of those whose neighbours are known.
func (a *account) begin() (best listed, ok bool) {
	first := a.of.first()
	if a.first && !a.of.every {
		return first, true
	}
	for p := range a.behind {
		before, bestBefore := p.compare(first) < 0, ok && best.compare(first) < 0
		if !ok || before && !bestBefore || before == bestBefore && p.compare(best) > 0 {
			best, ok = p, true
		}
	}
	return best, ok
}
