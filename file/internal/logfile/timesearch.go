package logfile

import (
	"math"
	"slices"

	"github.com/gostreamer/streamer/file/internal/ss"
)

// farthest is how many beacons in a row are read for those that say what is to
// be known.
const farthest = 256

// TimeSearch finds beacons before which everything is older than a time.
// Senders choose times, so they may be in any order; but beacons have the
// latest time so far, which never goes down, and that can be bisected. Beacons
// of this package's writers sum up all that is before them in their file. Those
// of a writer of SeaStreamer's sum up only what it has written since it opened
// the log: what they lack may be there, and is as old as what was there then.
// So a beacon of a log in one file, which may be SeaStreamer's, counts only if
// it names something older than the time that is sought: then its writer began
// before that time. Where no beacon proves anything the answer is the
// beginning, of the log or of the segment.
//
// So the answer is right in a log that this package alone has written, whatever
// the times in it. In one to which SeaStreamer has added it is right as long as
// no message that it added is older than one that was there when it opened the
// log.
type TimeSearch struct {
	v    *View
	read map[int64][]ss.Item // of the beacons that were read; nil where one is unreadable
}

// NewTimeSearch searches v.
func NewTimeSearch(v *View) *TimeSearch { return &TimeSearch{v, map[int64][]ss.Item{}} }

// Before is a beacon before which every message of a span is older.
func (t *TimeSearch) Before(of Span) (int64, error) {
	low, high, err := t.segment(of)
	if err != nil {
		return 0, err
	}
	return t.bisect(of, low, high)
}

// segment is the last segment before which everything is older, by its beacon
// and the next one's: each starts with what is known of every shard before it.
// A log in one file is one.
func (t *TimeSearch) segment(of Span) (low, high int64, err error) {
	low, high = t.v.low(), t.v.Beacons()+1
	if t.v.Segments == nil {
		return low, high, nil
	}
	bases := t.v.Segments.bases()
	a, b := 0, len(bases)
	for b-a > 1 {
		mid := a + (b-a)/2
		items, err := t.items(bases[mid] / int64(t.v.Interval))
		if err != nil {
			return 0, 0, err
		}
		before := newAccount(of)
		before.take(items, math.MaxInt)
		if items == nil || before.late {
			b = mid
		} else {
			a = mid
		}
	}
	if a > 0 {
		low = bases[a] / int64(t.v.Interval)
	}
	if b < len(bases) {
		high = bases[b] / int64(t.v.Interval)
	}
	return low, high, nil
}

// items is what a beacon names; nil when it is unreadable.
func (t *TimeSearch) items(n int64) ([]ss.Item, error) {
	if items, ok := t.read[n]; ok {
		return items, nil
	}
	b, ok, err := t.v.Beacon(n)
	if err != nil {
		return nil, err
	}
	t.read[n] = nil
	if ok {
		t.read[n] = append([]ss.Item{}, b.Items...)
	}
	return t.read[n], nil
}

// bisect finds a beacon between low and high before which, by what the beacons
// say, everything of the span is older.
func (t *TimeSearch) bisect(of Span, low, high int64) (int64, error) {
	found := low
	for a, b := low+1, high; a < b; {
		mid := a + (b-a)/2
		said, err := t.ask(of, mid, b)
		switch {
		case err != nil:
			return 0, err
		case said.older:
			found, a = said.from, said.to+1
		default:
			b = mid
		}
	}
	return found, nil
}

// said is the answer of the beacons from from to to: everything of the span
// before from is older. Else some is not, or they do not know.
type said struct {
	from, to int64
	older    bool
}

// ask reads beacons from n on, below limit, until they have an answer. When
// they have named all that they would name, they have none.
func (t *TimeSearch) ask(of Span, n, limit int64) (said, error) {
	named, proof := newAccount(of), newAccount(of)
	for to := n; to < min(limit, n+farthest); to++ {
		items, err := t.items(to)
		if err != nil {
			return said{}, err
		}
		if items == nil {
			continue
		}
		most := ss.ItemCap(t.v.Interval)
		if named.take(items, most); named.late {
			return said{}, nil
		}
		if t.v.Segments != nil || beganBefore(items, of.Ms) {
			proof.take(items, most)
		}
		if !named.complete {
			continue
		}
		alone := newAccount(of)
		if alone.take(items, most); alone.complete {
			n = to
		}
		return said{n, to, proof.complete}, nil
	}
	return said{}, nil
}

// beganBefore reports whether a beacon's writer has written something that is
// older than a time since it opened the log, or knows all that was there.
func beganBefore(items []ss.Item, ms uint64) bool {
	return slices.ContainsFunc(items, func(i ss.Item) bool { return i.Time < ms && i.Key != ss.Internal })
}
