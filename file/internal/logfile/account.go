package logfile

import (
	"cmp"

	"github.com/gostreamer/streamer/file/internal/ss"
)

// Listed is a shard in the list of which beacons name a part each: by stream,
// then by shard.
type Listed struct {
	Stream string
	Shard  uint64
}

func (p Listed) compare(q Listed) int {
	return cmp.Or(cmp.Compare(p.Stream, q.Stream), cmp.Compare(p.Shard, q.Shard))
}

// Span is shards that are neighbours in that list, of which is asked whether
// they have a message of a certain time or later.
type Span struct {
	Every    bool // all of every stream
	Stream   string
	From, To uint64 // its shards
	Ms       uint64
}

// Has reports whether a shard is in the span.
func (s *Span) Has(p Listed) bool {
	if s.Every {
		return p.Stream != ss.Internal
	}
	return p.Stream == s.Stream && s.From <= p.Shard && p.Shard <= s.To
}

func (s *Span) first() Listed { return Listed{s.Stream, s.From} }

// account is what some beacons, of one after another, tell of a span: whether
// it has a message of a certain time or later, and whether they have said that
// of all its shards. A beacon without room for the whole list names neighbours
// in it. So those that it does not name where they would stand do not exist.
type account struct {
	of       Span
	behind   map[Listed]Listed // the neighbour of each in the list; the first is behind the last
	first    bool              // the span's first shard was named: nothing of the span is before that
	late     bool
	complete bool
}

func newAccount(of Span) *account { return &account{of: of, behind: map[Listed]Listed{}} }

// take adds a beacon that has room for most items.
func (a *account) take(items []ss.Item, most int) {
	var last Listed
	for i := range items {
		p := Listed{items[i].Key, items[i].Shard}
		if a.of.Has(p) {
			a.late = a.late || items[i].Time >= a.of.Ms
			a.first = a.first || p.Shard == a.of.From
		}
		if i > 0 {
			a.behind[last] = p
		}
		last = p
	}
	a.complete = a.complete || len(items) < most || a.covered()
}

// covered reports whether every shard of the span was named: going from
// neighbour to neighbour one comes from before it to behind it, or around.
func (a *account) covered() bool {
	begin, ok := a.begin()
	at := begin
	for left := len(a.behind); ok && left >= 0; left-- {
		if !a.of.Every && a.of.Has(at) && at.Shard == a.of.To {
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

// passed reports whether the span would lie between two neighbours, or between
// the first of them and the list's end, and has nothing more there.
func (a *account) passed(at, next Listed) bool {
	if a.of.Every || a.of.Has(next) {
		return false
	}
	reached := a.of.Has(at) || at.compare(a.of.first()) < 0
	behind := next.compare(a.of.first()) > 0
	if around := next.compare(at) <= 0; around {
		return reached || behind
	}
	return reached && behind
}

// begin is the span's first shard, or else the last before it, in the circle,
// of those whose neighbours are known.
func (a *account) begin() (best Listed, ok bool) {
	first := a.of.first()
	if a.first && !a.of.Every {
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
